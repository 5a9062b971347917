"""One working operator at a time, by a Lease. Losing it ends the process before anybody else can have taken it."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NoReturn

from lenses_operator.kube.api import KubeApi, KubeError

logger = logging.getLogger(__name__)
DURATION = 15.0
"""Seconds after its last renewal that others may take the lease."""
RENEW = 3.0
DEADLINE = 10.0
"""Seconds without a renewal after which this process ends itself; well before DURATION."""
REQUEST = 3.0


def _end() -> NoReturn:
    """No clean-up: whatever still runs must not reach Lenses beside another leader."""
    os._exit(1)


class Leader:
    """`acquire`, then `hold` beside the work, then `release`. `identity` must differ between processes."""

    def __init__(
        self,
        api: KubeApi,
        namespace: str,
        name: str,
        identity: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        end: Callable[[], NoReturn] = _end,
    ) -> None:
        self._api = api
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._clock = clock
        self._end = end
        self._seen: tuple[str, float] | None = None
        self._renewed = 0.0

    async def acquire(self) -> None:
        """Returns once the lease is ours. Another holder's time is measured by our own clock, not by its timestamps."""
        while not await self._try():
            await asyncio.sleep(RENEW)
        logger.info("leading as %s", self._identity)

    async def hold(self) -> None:
        """Renews until cancelled; ends the process if that fails for too long or somebody else holds the lease."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._renew())
            group.create_task(self._watch())

    async def release(self) -> None:
        """Lets the next one in at once; failing that it waits for the lease to run out."""
        try:
            lease = await self._api.get_lease(self._namespace, self._name, REQUEST)
            if lease is not None and lease["spec"].get("holderIdentity") == self._identity:
                lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
                await self._api.replace_lease(self._namespace, self._name, lease, REQUEST)
        except KubeError as error:
            logger.warning("lease not released: %s", error)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW)
            if not await self._try() and self._seen is not None:
                logger.error("another process holds the lease")
                self._end()

    async def _watch(self) -> None:
        while True:
            if self._clock() - self._renewed > DEADLINE:
                logger.error("the lease could not be renewed for %.0f s", DEADLINE)
                self._end()
            await asyncio.sleep(0.5)

    async def _try(self) -> bool:
        """Takes or renews the lease if it may; False where it is another's or there was no answer."""
        asked = self._clock()
        try:
            lease = await self._api.get_lease(self._namespace, self._name, REQUEST)
            if lease is None:
                await self._api.create_lease(self._namespace, self._body(None), REQUEST)
            elif self._free(lease):
                await self._api.replace_lease(self._namespace, self._name, self._body(lease), REQUEST)
            else:
                return False
        except KubeError as error:
            if not error.outdated:
                logger.warning("%s", error)
            return False
        self._renewed, self._seen = asked, None
        return True

    def _free(self, lease: dict[str, Any]) -> bool:
        spec = lease.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if holder in ("", self._identity):
            return True
        version = str(lease["metadata"]["resourceVersion"])
        if self._seen is None or self._seen[0] != version:
            self._seen = (version, self._clock())
        return self._clock() - self._seen[1] > float(spec.get("leaseDurationSeconds") or DURATION)

    def _body(self, lease: dict[str, Any] | None) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = dict((lease or {}).get("spec") or {})
        mine = spec.get("holderIdentity") == self._identity
        spec |= {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(DURATION),
            "renewTime": now,
            "acquireTime": spec.get("acquireTime", now) if mine else now,
            "leaseTransitions": int(spec.get("leaseTransitions") or 0) + (0 if mine or lease is None else 1),
        }
        metadata = dict(lease["metadata"]) if lease else {"name": self._name, "namespace": self._namespace}
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
