"""A bound on a wait ends what hangs, and no test on a busy machine."""

from __future__ import annotations

import os
import time

import pytest

from harness import waiting
from harness.waiting import wait_until


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time()
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    return clock


@pytest.mark.parametrize(("load", "longest"), [(0.0, 10.0), (2.0, 10.0), (20.0, 100.0)])
def test_a_busy_machine_gets_more_time(
    passed: Time, monkeypatch: pytest.MonkeyPatch, load: float, longest: float
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    with pytest.raises(TimeoutError, match="the end: not within 10 s"):
        wait_until("the end", lambda: None, 10)
    assert longest < passed.now < longest + 2 * waiting.SELDOM


def test_what_comes_is_given_back(passed: Time) -> None:
    assert wait_until("it", lambda: "it" if passed.now > 5 else None, 10) == "it"
