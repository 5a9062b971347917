"""How long the event loop was held, by a clock that stands still but for what the test spends."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from lenses_operator.observability.loop_holds import BUCKETS, LoopHolds

NAME = "lenses_operator_event_loop"


class Rig:
    def __init__(self) -> None:
        self.now = 1000.0
        self.cpu = 5.0
        self.holds = LoopHolds(lambda: self.now, lambda: self.cpu)
        self.registry = CollectorRegistry()
        self.registry.register(self.holds)

    def spend(self, seconds: float, busy: float = 0.0) -> None:
        """Without ever giving way; `busy` of them with the processor."""
        self.now += seconds
        self.cpu += busy

    def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.holds.begin()
        with asyncio.Runner(loop_factory=self.holds.loop) as runner:
            runner.run(work())

    def at_most(self, seconds: float) -> float:
        found = self.registry.get_sample_value(f"{NAME}_hold_seconds_bucket", {"le": f"{seconds:g}"})
        assert found is not None
        return found

    def value(self, name: str) -> float | None:
        return self.registry.get_sample_value(f"{NAME}_{name}")


def test_the_longest_hold_and_how_many_were_as_long() -> None:
    rig = Rig()

    async def work() -> None:
        await asyncio.sleep(0)
        for seconds in (0.3, 0.045, 0.0):
            rig.spend(seconds)
            await asyncio.sleep(0)

    rig.run(work)
    assert rig.value("longest_hold_seconds") == pytest.approx(0.3)
    assert rig.value("hold_seconds_sum") == pytest.approx(0.345)
    assert rig.at_most(0.05) - rig.at_most(0.04) == 1
    assert rig.at_most(0.5) - rig.at_most(0.05) == 1
    assert rig.value("hold_seconds_count") == rig.at_most(0.5)


def test_all_that_one_turn_does_counts_together() -> None:
    """Each of them is short, and what comes in waits for all."""
    rig = Rig()

    async def work() -> None:
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        for _ in range(10):
            loop.call_soon(rig.spend, 0.01)
        await asyncio.sleep(0)

    rig.run(work)
    assert rig.value("longest_hold_seconds") == pytest.approx(0.1)


def test_of_a_long_turn_it_is_told_how_much_was_work() -> None:
    rig = Rig()

    async def work() -> None:
        await asyncio.sleep(0)
        rig.spend(0.3, busy=0.02)
        await asyncio.sleep(0)
        rig.spend(0.04, busy=0.04)
        await asyncio.sleep(0)

    rig.run(work)
    assert (rig.value("longest_hold_seconds"), rig.value("longest_busy_seconds")) == pytest.approx((0.3, 0.04))
    assert rig.value("busy_seconds_sum") == pytest.approx(0.06)
    assert rig.value("busy_seconds_count") == rig.value("hold_seconds_count")


def test_a_loop_that_waits_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    select = selectors.DefaultSelector.select

    def waits(self: selectors.DefaultSelector, timeout: float | None = None) -> Any:
        rig.spend(60)
        return select(self, timeout)

    monkeypatch.setattr(selectors.DefaultSelector, "select", waits)
    rig.run(lambda: asyncio.sleep(0.001))
    assert rig.now > 1060
    assert rig.value("longest_hold_seconds") == 0


def test_what_is_done_before_it_begins_counts_for_nothing() -> None:
    rig = Rig()

    async def work() -> None:
        rig.spend(0.3)
        await asyncio.sleep(0)
        rig.holds.begin()
        await asyncio.sleep(0)
        rig.spend(0.02)

    with asyncio.Runner(loop_factory=rig.holds.loop) as runner:
        runner.run(work())
    assert rig.value("longest_hold_seconds") == pytest.approx(0.02)


def test_the_aim_is_a_bound() -> None:
    assert 0.05 in BUCKETS
    assert list(BUCKETS) == sorted(BUCKETS)
