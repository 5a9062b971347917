"""What the log tells of an end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal

import pytest

from lenses_operator.ending import AGAIN, GRACE, Ending, Signals
from unit.controllers.virtualtime import START, now

pytestmark = pytest.mark.virtual_time


async def _for(seconds: float, running: list[str]) -> None:
    await asyncio.sleep(seconds)
    running.clear()


async def test_what_is_waited_for_and_how_long_it_took(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    running = [f"a/{number}" for number in range(7)]
    ending = Ending("SIGTERM", lambda: running)
    work = asyncio.create_task(_for(AGAIN + 5, running))
    await ending.wait(work)
    ending.over()
    assert caplog.messages == [
        "SIGTERM: ending, waiting up to 100 s for 7 resources: a/0, a/1, a/2, a/3, a/4 and 2 more",
        "ending: after 15 s still waiting for 7 resources: a/0, a/1, a/2, a/3, a/4 and 2 more",
        "ended after 20.0 s",
    ]


async def test_nothing_to_wait_for(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ending = Ending("SIGINT", list)
    await ending.wait(asyncio.create_task(asyncio.sleep(0)))
    ending.over()
    assert caplog.messages == ["SIGINT: ending, nothing is under way", "ended after 0.0 s"]


async def test_what_does_not_end_in_time_is_named(caplog: pytest.LogCaptureFixture) -> None:
    ending = Ending("SIGTERM", lambda: ["a/b"])
    work = asyncio.create_task(asyncio.sleep(1000))
    await ending.wait(work)
    assert now() - START == pytest.approx(GRACE)
    ending.over()
    [last] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert last.getMessage() == "ended after 100.0 s, without waiting any longer for 1 resource: a/b"
    work.cancel()


async def test_the_signal_that_came_first_is_told() -> None:
    signals = Signals()
    signals.handle()
    try:
        assert signals.told == ""
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(signals.wait(), 10)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0)
        assert signals.told == "SIGTERM"
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(number)
