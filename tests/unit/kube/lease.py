"""Processes that contend for a lease, by virtual time, and the states in which they find it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

from lenses_operator.kube.fencing import Fence
from lenses_operator.kube.leader import RELEASED, UNHELD, Leader
from unit.controllers.virtualtime import now
from unit.kube.fakes import SILENT, FakeApi
from unit.resources.make import NOW

SKEW = 1e6
"""Seconds between two processes' clocks."""


class Ended(BaseException):
    """Stands for the end of the process."""


def end(why: str) -> NoReturn:
    raise Ended(why)


class Clocked(Fence):
    """By virtual time, and without a thread: whether it is over is asked with `left`."""

    def __init__(self, clock: Callable[[], float] = now) -> None:
        super().__init__(clock=clock, end=end)
        self.guarded = False

    def guard(self) -> None:
        self.guarded = True


class Process:
    """A leader with its fence."""

    def __init__(self, api: FakeApi | Cut, identity: str = "me", clock: Callable[[], float] = now) -> None:
        self.fence = Clocked(clock)
        self.leader = Leader(api.as_api(), "ops", "lenses-operator", identity, self.fence)
        self.acquire, self.release = self.leader.acquire, self.leader.release

    @property
    def leads(self) -> bool:
        return self.fence.left >= 0

    @property
    def end(self) -> BaseException | None:
        """What renewing has ended with."""
        task = self.leader._renewing
        return task.exception() if task is not None and task.done() else None


class Cut:
    """The same API as another process sees it: it can be out of reach for this one alone."""

    def __init__(self, api: FakeApi) -> None:
        self._api = api
        self.hangs = False
        self.refuses = False

    def as_api(self) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._api, name)

        async def cut(*arguments: Any) -> Any:
            if self.hangs:
                await asyncio.sleep(10_000)
            if self.refuses:
                raise SILENT
            return await call(*arguments)

        return cut


def held_by(holder: str, **spec: Any) -> dict[str, Any]:
    base = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": "1999-01-01T00:00:00.000000Z"}
    return {"metadata": {"name": "lenses-operator", "resourceVersion": "7"}, "spec": base | spec}


def released() -> dict[str, Any]:
    return held_by("", leaseDurationSeconds=RELEASED)


def made_unheld(seconds: float) -> dict[str, Any]:
    """As the chart makes it, so many seconds ago by the API server's clock."""
    made = (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata = {"name": "lenses-operator", "resourceVersion": "7", "creationTimestamp": made}
    return {"metadata": metadata | {"labels": {"made": "by-chart"}, "annotations": {UNHELD: "true"}}}


def spec(api: FakeApi) -> dict[str, Any]:
    assert api.lease is not None
    found: dict[str, Any] = api.lease["spec"]
    return found


async def leading(api: FakeApi, identity: str = "me", *, through: Cut | None = None) -> Process:
    """It has taken a lease that was free."""
    api.lease = released()
    process = Process(through or api, identity)
    await process.acquire()
    return process
