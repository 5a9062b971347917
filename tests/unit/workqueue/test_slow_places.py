"""A mass create with slow validates: it goes on, keeps nobody else waiting, and is no reason to end the process."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from lenses_operator.lenses.places import Limits
from lenses_operator.observability.probes import QUEUE_STUCK
from lenses_operator.workqueue.queue import WorkQueue, run_workers

pytestmark = pytest.mark.virtual_time

WORKERS = 64


class Rig:
    """Passes that validate and create, one environment with so many places."""

    def __init__(self, places: int, validate: float) -> None:
        self.queue: WorkQueue[str] = WorkQueue()
        self.limits = Limits(places)
        self.validate = validate
        self.created: list[str] = []
        self.looked: list[str] = []
        self.longest_still = 0.0

    async def slow(self, seconds: float, *, first: bool) -> None:
        async with self.limits.place(slow=True, first=first, parked=self.queue.parked):
            await asyncio.sleep(seconds)
        self.queue.progressed()

    async def work(self, key: str) -> None:
        if key.startswith("look"):
            self.looked.append(key)
            return
        await self.slow(self.validate, first=False)
        await self.slow(0.1, first=True)
        self.created.append(key)

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.longest_still = max(self.longest_still, self.queue.stuck_for())


@pytest.mark.parametrize(("places", "validate"), [(16, 35.0), (4, 10.0), (2, 5.0)])
async def test_connectors_are_created_all_along_and_others_are_served(places: int, validate: float) -> None:
    rig = Rig(places, validate)
    for number in range(500):
        rig.queue.add(f"create {number}")
    tasks = [asyncio.create_task(run_workers(rig.queue, WORKERS, rig.work)), asyncio.create_task(rig.watch())]
    await asyncio.sleep(240)
    assert rig.longest_still < QUEUE_STUCK / 2
    rounds = int(240 / (validate + 0.2))
    assert len(rig.created) >= (places // 2) * rounds * 0.8, "who has validated goes before who has not"
    rig.queue.add("look at another")
    await asyncio.sleep(4 * max(1.0, 500 / WORKERS))
    assert rig.looked == ["look at another"], "waiting for a slow place takes no worker"
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks)
