"""Places under way: in order, the validated first, and who waits long is counted as waiting."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

import pytest

from lenses_operator.lenses.places import BRIEF, Places

pytestmark = pytest.mark.virtual_time


class Rig:
    def __init__(self, count: int) -> None:
        self.places = Places(count)
        self.order: list[str] = []
        self.parked_now = 0

    @contextlib.contextmanager
    def parked(self) -> Iterator[None]:
        self.parked_now += 1
        try:
            yield
        finally:
            self.parked_now -= 1

    async def work(self, name: str, seconds: float = 1.0, *, first: bool = False) -> None:
        async with self.places.one(first=first, parked=self.parked):
            self.order.append(name)
            await asyncio.sleep(seconds)

    def begin(self, name: str, seconds: float = 1.0, *, first: bool = False) -> asyncio.Task[None]:
        return asyncio.create_task(self.work(name, seconds, first=first))


async def test_what_was_validated_goes_before_what_was_not() -> None:
    rig = Rig(1)
    tasks = [rig.begin("validate a"), rig.begin("validate b"), rig.begin("validate c")]
    await asyncio.sleep(0.5)
    tasks.append(rig.begin("create a", first=True))
    await asyncio.gather(*tasks)
    assert rig.order == ["validate a", "create a", "validate b", "validate c"]


@pytest.mark.parametrize("count", [1, 2, 8])
async def test_never_more_than_there_are_places_and_none_is_lost(count: int) -> None:
    rig = Rig(count)
    running = most = 0

    async def counted(number: int) -> None:
        nonlocal running, most
        async with rig.places.one(first=bool(number % 3), parked=rig.parked):
            running += 1
            most = max(most, running)
            try:
                await asyncio.sleep(0.1 * (number % 4))
            finally:
                running -= 1

    tasks = [asyncio.create_task(counted(number)) for number in range(100)]
    await asyncio.sleep(0.15)
    for task in tasks[::7]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert most == count
    assert rig.places._free == count
    assert rig.parked_now == 0


async def test_who_waits_long_is_parked_until_its_turn() -> None:
    rig = Rig(1)
    tasks = [rig.begin("a", 35.0), rig.begin("b")]
    await asyncio.sleep(BRIEF - 0.1)
    assert rig.parked_now == 0
    await asyncio.sleep(0.2)
    assert rig.parked_now == 1
    await asyncio.gather(*tasks)
    assert rig.parked_now == 0


async def test_a_place_given_to_who_was_called_off_goes_on_to_the_next() -> None:
    rig = Rig(1)
    first, second, third = rig.begin("a"), rig.begin("b"), rig.begin("c")
    await asyncio.sleep(0.5)
    first.cancel()
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert rig.order[-1] == "c"
