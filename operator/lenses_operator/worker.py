"""A pass from outside: which controller takes it, its name in the logs, how it is counted, when the next one is."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.cache.operations import OperationCache
from lenses_operator.domain.backoff import TRANSIENT
from lenses_operator.kube.api import KubeError
from lenses_operator.observability.logging import about, key_fields
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector_offsets import KIND as OFFSETS
from lenses_operator.workqueue.shards import connector_of

logger = logging.getLogger(__name__)

Ended = Callable[[str, str, float], None]
"""Called after each pass with the kind, `success`, `requeue_after` or `error`, and its seconds."""


Reconcile = Callable[[ObjectKey], Awaitable[float | None]]
"""Returns the seconds until the next pass over the key, None to wait for an event."""


class Worker:
    """One pass's failure never ends the others' work: it is logged, counted, and retried."""

    def __init__(
        self,
        reconcile: Reconcile,
        cache: ConnectorCache,
        operations: OperationCache,
        *,
        again: Callable[[ObjectKey, float], None],
        ended: Ended,
    ) -> None:
        self._reconcile = reconcile
        self._cache = cache
        self._operations = operations
        self._again = again
        self._ended = ended
        self._failures: dict[ObjectKey, int] = {}

    async def run(self, key: ObjectKey) -> None:
        """Never raises."""
        begun = time.perf_counter()
        with about(request=secrets.token_hex(4), **self._names(key)):
            result, delay = await self._run(key)
        self._ended(key.kind, result, time.perf_counter() - begun)
        if delay is not None:
            self._again(key, delay)

    async def _run(self, key: ObjectKey) -> tuple[str, float | None]:
        try:
            delay = await self._reconcile(key)
        except KubeError as error:
            logger.warning("%s", error)
            return "error", self._backoff(key)
        except Exception:
            logger.exception("pass failed")
            return "error", self._backoff(key)
        self._failures.pop(key, None)
        return ("success" if delay is None else "requeue_after"), delay

    def _backoff(self, key: ObjectKey) -> float:
        self._failures[key] = self._failures.get(key, 0) + 1
        return TRANSIENT.delay(self._failures[key], lambda low, high: (low + high) / 2)

    def _names(self, key: ObjectKey) -> dict[str, Any]:
        """What the pass is about, as far as it is known when it begins."""
        connector = connector_of(key, self._cache, self._operations)
        resource = self._operations.get(key) if key.kind == OFFSETS else connector
        generation = resource.metadata.generation if resource else None
        target = connector.connector._asdict() if connector else {"environment": None, "cluster": None, "name": None}
        names = key_fields(key) | {"generation": generation, "connector": target.pop("name")}
        return names | target
