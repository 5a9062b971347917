"""Events on our resources, in plain words. They are written beside the work: a refused Event never fails a pass.

Limits are those of Kubernetes' own components (client-go's correlator): the same Event again raises a count, many of
one reason become one, and a resource that never stops talking is heard once in five minutes.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from lenses_operator.kube.api import KubeApi, KubeError
from lenses_operator.kube.event_limits import Limits
from lenses_operator.resources.base import API_VERSION, Resource, rfc3339
from lenses_operator.resources.conditions import shorten

logger = logging.getLogger(__name__)
COMPONENT = "lenses-operator"
NOTE_LIMIT = 1024
"""Characters the API server takes in an Event's message."""
REMEMBERED = 4096
WAITING = 1000
COMBINED = "(combined from similar events): "
PAUSES = (0.5, 2.0)
"""Seconds before each further try, where the API server may just be away for a moment."""

EventType = Literal["Normal", "Warning"]


@dataclass(frozen=True)
class _Told:
    resource: Resource
    kind: EventType
    reason: str
    message: str
    combined: bool
    now: datetime
    at: float
    """By a monotonic clock."""

    @property
    def uid(self) -> str:
        return self.resource.metadata.uid


class Events:
    """The same Event again raises the count of the first one, as `kubectl describe` shows it (`x3 over 5m`)."""

    def __init__(
        self,
        api: KubeApi,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._sleep = sleep
        self._clock = clock
        self._limits = Limits()
        self._known: OrderedDict[tuple[str, str, str], tuple[str, int]] = OrderedDict()
        self._queue: asyncio.Queue[_Told] = asyncio.Queue(maxsize=WAITING)
        self._dropping = False

    def emit(self, resource: Resource, kind: EventType, reason: str, message: str) -> None:
        """Never waits: when Events pile up because the API server is slow, the newest is dropped."""
        now, at = datetime.now(UTC), self._clock()
        judgement = self._limits.judge(resource.metadata.uid, reason, message, at)
        if judgement.silent:
            logger.debug("Event %s held back", reason, extra={"resource": resource.key})
            return
        message = shorten(COMBINED + message if judgement.combined else message, NOTE_LIMIT)
        try:
            self._queue.put_nowait(_Told(resource, kind, reason, message, judgement.combined, now, at))
        except asyncio.QueueFull:
            if not self._dropping:
                logger.warning("Events are dropped, since %d wait to be written", WAITING)
            self._dropping = True
        else:
            self._dropping = self._dropping and self._queue.qsize() > WAITING / 2

    async def run(self) -> None:
        """Writes what was emitted, in order, until cancelled."""
        while True:
            told = await self._queue.get()
            try:
                await self._write(told)
            finally:
                self._queue.task_done()

    async def drain(self) -> None:
        """Waits until everything emitted so far is written or given up."""
        await self._queue.join()

    async def _write(self, told: _Told) -> None:
        if self._limits.is_refused(told.uid, told.at):
            return
        try:
            await self._count(told)
        except KubeError as error:
            logger.debug("Event %s not written: %s", told.reason, error, extra={"resource": told.resource.key})
            if error.status == 403:
                self._limits.refused(told.uid, told.at)

    async def _count(self, told: _Told) -> None:
        """Raises KubeError."""
        identity = (told.uid, told.reason, "" if told.combined else told.message)
        known = self._known.get(identity)
        if known is not None:
            name, count = known[0], known[1] + 1
            changes = {"count": count, "lastTimestamp": rfc3339(told.now), "message": told.message}
            operations = [{"op": "add", "path": f"/{key}", "value": value} for key, value in changes.items()]
            namespace = told.resource.metadata.namespace
            try:
                await self._try(lambda: self._api.patch_event(namespace, name, operations))
            except KubeError as error:
                if not error.not_found:
                    raise
            else:
                self._remember(identity, name, count)
                return
        self._remember(identity, await self._create(told), 1)

    async def _create(self, told: _Told) -> str:
        body = _body(told)
        try:
            await self._try(lambda: self._api.create_event(told.resource.metadata.namespace, body))
        except KubeError as error:
            if error.status != 409:  # an earlier try was carried out though its answer never came
                raise
        return str(body["metadata"]["name"])

    async def _try(self, call: Callable[[], Awaitable[object]]) -> None:
        """403 in a terminating namespace and 404 are answers; no answer, 5xx and 429 are asked again, with a bound."""
        for pause in PAUSES:
            try:
                await call()
            except KubeError as error:
                if error.status and error.status < 500 and error.status != 429:
                    raise
            else:
                return
            await self._sleep(pause)
        await call()

    def _remember(self, identity: tuple[str, str, str], name: str, count: int) -> None:
        self._known[identity] = (name, count)
        self._known.move_to_end(identity)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def _body(told: _Told) -> dict[str, Any]:
    meta = told.resource.metadata
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{meta.name[:200]}.{uuid.uuid4().hex[:16]}", "namespace": meta.namespace},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": told.resource.kind_name,
            "name": meta.name,
            "namespace": meta.namespace,
            "uid": meta.uid,
        },
        "type": told.kind,
        "reason": told.reason,
        "message": told.message,
        "count": 1,
        "firstTimestamp": rfc3339(told.now),
        "lastTimestamp": rfc3339(told.now),
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": COMPONENT,
    }
