"""A process that may not act any more ends, whatever it is doing."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from harness.waiting import HANG
from lenses_operator.kube.fencing import DEADLINE, Fence, boot_time


class Rig:
    def __init__(self) -> None:
        self.now = 1000.0
        self.ended = threading.Event()
        self.fence = Fence(clock=lambda: self.now, end=self.end)  # type: ignore[arg-type]

    def end(self, _: str) -> None:
        """The watchdog's thread simply ends; who asks at the gate gets no further."""
        self.ended.set()
        if threading.current_thread() is threading.main_thread():
            raise SystemExit
        self.fence.give_up()


def test_who_never_led_may_not_act() -> None:
    rig = Rig()
    with pytest.raises(SystemExit):
        rig.fence.check()


def test_it_counts_from_when_the_renewal_was_asked_for() -> None:
    rig = Rig()
    rig.fence.extend(rig.now - 4)
    assert rig.fence.left == DEADLINE - 4
    rig.now += DEADLINE - 4
    rig.fence.check()
    rig.now += 0.001
    with pytest.raises(SystemExit):
        rig.fence.check()


def test_nothing_may_be_sent_once_it_is_given_up() -> None:
    rig = Rig()
    rig.fence.extend(rig.now)
    rig.fence.give_up()
    with pytest.raises(SystemExit):
        rig.fence.check()


def test_the_watchdog_ends_a_process_that_sends_nothing() -> None:
    rig = Rig()
    rig.fence.extend(rig.now)
    rig.fence.guard()
    rig.now += DEADLINE + 0.001  # as after a pause
    assert rig.ended.wait(HANG)


def test_the_watchdog_is_content_with_renewals_and_with_an_orderly_end() -> None:
    rig = Rig()
    rig.fence.extend(rig.now)
    rig.fence.guard()
    for _ in range(3):
        rig.now += DEADLINE - 1
        rig.fence.extend(rig.now)
    assert not rig.ended.wait(1.1)
    rig.fence.give_up()
    rig.now += 1000
    assert not rig.ended.wait(1.1)


def test_the_clock_is_monotonic_and_counts_suspended_time() -> None:
    first = boot_time()
    assert first <= boot_time()


STUCK = """
import logging, sys, time
from lenses_operator.kube.fencing import DEADLINE, Fence
handler = logging.StreamHandler()
logging.basicConfig(handlers=[handler])
fence = Fence()
fence.extend(fence.clock() - DEADLINE + 0.2)
fence.guard()
{how}
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("how", "says"),
    [("pass", "could not be renewed"), ("handler.acquire()", ""), ("time.sleep(0.3); fence.check()", "not")],
    ids=["blocked", "log-blocked", "at-the-gate"],
)
def test_a_process_that_is_stuck_ends(how: str, says: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STUCK.format(how=how)], capture_output=True, text=True, timeout=HANG, check=False
    )
    assert done.returncode == 1
    assert says in done.stderr
