"""Events on our resources, in plain words. They are written beside the work: a refused Event never fails a pass."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any, Literal

from lenses_operator.kube.api import KubeApi, KubeError
from lenses_operator.resources.base import API_VERSION, Resource, rfc3339
from lenses_operator.resources.conditions import shorten

logger = logging.getLogger(__name__)
COMPONENT = "lenses-operator"
NOTE_LIMIT = 1024
"""Characters the API server takes in an Event's message."""
REMEMBERED = 4096

EventType = Literal["Normal", "Warning"]


class Events:
    """The same Event again raises the count of the first one, as `kubectl describe` shows it (`x3 over 5m`)."""

    def __init__(self, api: KubeApi) -> None:
        self._api = api
        self._known: OrderedDict[tuple[str, str, str], tuple[str, int]] = OrderedDict()
        self._queue: asyncio.Queue[tuple[Resource, EventType, str, str, datetime]] = asyncio.Queue(maxsize=1000)

    def emit(self, resource: Resource, kind: EventType, reason: str, message: str) -> None:
        """Never waits: when Events pile up because the API server is slow, the newest is dropped."""
        try:
            self._queue.put_nowait((resource, kind, reason, shorten(message, NOTE_LIMIT), datetime.now(UTC)))
        except asyncio.QueueFull:
            logger.warning(
                "event dropped, too many are waiting", extra={"resource": str(resource.key), "reason": reason}
            )

    async def run(self) -> None:
        """Writes what was emitted, in order, until cancelled."""
        while True:
            resource, kind, reason, message, now = await self._queue.get()
            try:
                await self._write(resource, kind, reason, message, now)
            except KubeError as error:
                # 403 in a terminating namespace, 404 when it is gone: Events are a courtesy, not worth a retry.
                logger.debug("event not written: %s", error)
            finally:
                self._queue.task_done()

    async def drain(self) -> None:
        """Waits until everything emitted so far is written or given up."""
        await self._queue.join()

    async def _write(self, resource: Resource, kind: EventType, reason: str, message: str, now: datetime) -> None:
        identity = (resource.metadata.uid, reason, message)
        known = self._known.get(identity)
        namespace = resource.metadata.namespace
        if known is not None:
            name, count = known[0], known[1] + 1
            try:
                await self._api.patch_event(
                    namespace,
                    name,
                    [
                        {"op": "add", "path": "/count", "value": count},
                        {"op": "add", "path": "/lastTimestamp", "value": rfc3339(now)},
                    ],
                )
            except KubeError as error:
                if not error.not_found:
                    raise
            else:
                self._remember(identity, name, count)
                return
        body = _body(resource, kind, reason, message, now)
        self._remember(identity, await self._api.create_event(namespace, body), 1)

    def _remember(self, identity: tuple[str, str, str], name: str, count: int) -> None:
        self._known[identity] = (name, count)
        self._known.move_to_end(identity)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def _body(resource: Resource, kind: EventType, reason: str, message: str, now: datetime) -> dict[str, Any]:
    meta = resource.metadata
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{meta.name[:200]}.{uuid.uuid4().hex[:16]}", "namespace": meta.namespace},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": resource.kind_name,
            "name": meta.name,
            "namespace": meta.namespace,
            "uid": meta.uid,
        },
        "type": kind,
        "reason": reason,
        "message": message,
        "count": 1,
        "firstTimestamp": rfc3339(now),
        "lastTimestamp": rfc3339(now),
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": COMPONENT,
    }
