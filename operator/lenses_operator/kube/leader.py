"""One working operator at a time, by a Lease. Losing it ends the process before anybody else can have taken it."""

from __future__ import annotations

import asyncio
import enum
import logging
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from lenses_operator.kube.api import KubeApi, KubeError
from lenses_operator.kube.fencing import DEADLINE, Fence
from lenses_operator.resources.base import GROUP

logger = logging.getLogger(__name__)
DURATION = 15.0
"""Seconds without a renewal, as others see it, after which they may take the lease."""
RENEW = 3.0
RETRY = 0.8
"""Seconds between two tries of a renewal that failed, and between two looks of who waits: jittered, at most this."""
REQUEST = 3.0
"""Seconds for one request about the lease."""
RELEASED = 1
"""`leaseDurationSeconds` of a lease whose holder let it go and does nothing any more."""
_KEPT = ("labels", "annotations")
UNHELD = f"{GROUP}/made-unheld"
"""Annotation of a lease that was made for a holder to come, as the chart does, and not emptied afterwards."""


class _Lease(enum.Enum):
    OURS = enum.auto()
    THEIRS = enum.auto()
    UNKNOWN = enum.auto()


class Leader:
    """`acquire`, then the work, then `release`. `identity` must differ between processes.

    The holder counts from before it asked for a renewal, the others from when they saw it: so whatever their clocks
    say and however slow the requests are, the holder is fenced off first.
    """

    def __init__(
        self,
        api: KubeApi,
        namespace: str,
        name: str,
        identity: str,
        fence: Fence,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._api = api
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._fence = fence
        self._uniform = uniform
        self._seen: tuple[str, float] | None = None
        self._others = False
        """Whether another process has been seen to hold it."""
        self._kept: dict[str, Any] = {}
        """What others, such as the chart, have written to its labels and annotations."""
        self._complaint = ""
        self._renewing: asyncio.Task[None] | None = None

    async def acquire(self) -> None:
        """Returns once the lease is ours; it is renewed from then on, and losing it ends the process."""
        while await self._try(leading=False) is not _Lease.OURS:
            await asyncio.sleep(self._jittered(RETRY))
        self._fence.guard()
        self._renewing = asyncio.create_task(self._renew(), name="lease")
        logger.info("leading as %s", self._identity)

    async def release(self, *, idle: bool) -> None:
        """Nothing may be sent any more. Where this process is `idle` the next one may come in at once; where one of
        its requests may still be under way in Lenses, the next one has to wait for the lease to run out."""
        self._fence.give_up()
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        if not idle:
            logger.warning("lease not released: a request may still be under way")
            return
        try:
            try:
                await self._release()
            except KubeError as error:
                if not error.outdated:
                    raise
                await self._release()  # our own last renewal may have come in between
        except (KubeError, TimeoutError) as error:
            logger.warning("lease not released: %s", error or "no answer")
        else:
            logger.info("lease released")

    async def _release(self) -> None:
        lease = await self._read()
        spec = (lease or {}).get("spec") or {}
        if lease is not None and spec.get("holderIdentity") == self._identity:
            lease["spec"] = spec | {"holderIdentity": "", "leaseDurationSeconds": RELEASED}
            await self._replace(lease)

    async def _renew(self) -> None:
        pause = RENEW
        while True:
            await asyncio.sleep(self._jittered(pause))
            lease = await self._try(leading=True)
            if lease is _Lease.THEIRS:
                self._fence.end("another process holds the lease")
            pause = RENEW if lease is _Lease.OURS else RETRY

    def _jittered(self, pause: float) -> float:
        return self._uniform(pause / 2, pause)

    async def _try(self, *, leading: bool) -> _Lease:
        """Takes or renews the lease if it may. Never raises: a failure is tried again, up to the fence's deadline."""
        asked = self._fence.clock()
        try:
            ours = await self._take(leading=leading)
        except (KubeError, TimeoutError) as error:
            self._complain(str(error) or "no answer about the lease in time")
            return _Lease.UNKNOWN
        except Exception:
            logger.exception("the lease is not as it should be")
            return _Lease.UNKNOWN
        self._complaint = ""
        if not ours:
            return _Lease.THEIRS
        self._fence.extend(asked)
        return _Lease.OURS

    async def _take(self, *, leading: bool) -> bool:
        """False where another process holds it."""
        lease = await self._read()
        holder = ((lease or {}).get("spec") or {}).get("holderIdentity") or ""
        if holder not in ("", self._identity) if leading else not self._free(lease):
            return False
        if lease is None:
            await self._create()
        else:
            await self._replace(self._body(lease))
        return True

    def _complain(self, complaint: str) -> None:
        """Once, however often it is tried."""
        if complaint != self._complaint:
            logger.warning("%s", complaint)
        self._complaint = complaint

    def _free(self, lease: dict[str, Any] | None) -> bool:
        """Another holder's time is measured by our own clock, not by its timestamps. A lease that is missing or
        emptied says nothing about who held it: its holder, if it lives, puts it there again."""
        spec = (lease or {}).get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        duration = float(spec.get("leaseDurationSeconds") or DURATION)
        if holder == self._identity or (not holder and duration == RELEASED):
            return True
        self._others |= bool(holder)
        if lease is not None and not spec and not self._others and self._was_never_held(lease["metadata"]):
            return True
        version = str(lease["metadata"]["resourceVersion"]) if lease else ""
        if self._seen is None or self._seen[0] != version:
            self._seen = (version, self._fence.clock())
        return self._fence.clock() - self._seen[1] > max(duration, DURATION)

    def _was_never_held(self, metadata: Mapping[str, Any]) -> bool:
        """Made to be taken, and old enough by the API server's own clock: somebody who held one that was there before
        would have put it back, or have ended."""
        now, made = self._api.server_time, metadata.get("creationTimestamp")
        if UNHELD not in (metadata.get("annotations") or {}) or now is None or made is None:
            return False
        return (now - datetime.fromisoformat(made)).total_seconds() > DEADLINE

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
        metadata = dict(lease["metadata"]) if lease else {"name": self._name, "namespace": self._namespace} | self._kept
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}

    async def _read(self) -> dict[str, Any] | None:
        # The client's own time-out is not all: it may repeat a request by itself.
        async with asyncio.timeout(REQUEST):
            lease = await self._api.get_lease(self._namespace, self._name, REQUEST)
        if lease is not None:
            self._kept = {part: lease["metadata"][part] for part in _KEPT if part in lease["metadata"]}
        return lease

    async def _create(self) -> None:
        async with asyncio.timeout(REQUEST):
            await self._api.create_lease(self._namespace, self._body(None), REQUEST)

    async def _replace(self, body: dict[str, Any]) -> None:
        async with asyncio.timeout(REQUEST):
            await self._api.replace_lease(self._namespace, self._name, body, REQUEST)
