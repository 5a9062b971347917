"""Wait for a condition with a bound, never for a time."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

INTERVAL = 0.05
SELDOM = 0.3
"""Seconds between two looks at what takes its time: each costs the machine that is waited for."""
HANG = 600.0
"""Seconds after which a program that a test runs has hung, however busy the machine."""

LINEAR = 60.0
"""Seconds of CPU for what takes the time of its length, however slow the machine: tests choose lengths for which a few
are enough, and the square of which takes minutes."""

T = TypeVar("T")


def crowding() -> float:
    """How many times longer everything takes while others use the machine, at least 1."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@contextmanager
def in_linear_time() -> Iterator[None]:
    """What is within ends in a time that grows with the length of what it is given, and with no power of it."""
    begun = time.process_time()
    yield
    assert time.process_time() - begun < LINEAR


def wait_until(what: str, check: Callable[[], T | None], timeout: float, interval: float = INTERVAL) -> T:
    """What `check` returned once it was truthy; a `TimeoutError` that names `what` otherwise.

    `timeout` seconds of a machine that has nothing else to do: a bound ends what hangs, and a busy machine fails no
    test. Looks every `interval` seconds at first, and ever more seldom as it takes longer.
    """
    begun = last = time.monotonic()
    spent = 0.0
    while True:
        found = check()
        if found:
            return found
        now = time.monotonic()
        spent += (now - last) / crowding()
        last = now
        if spent > timeout:
            raise TimeoutError(f"{what}: not within {timeout:g} s")
        time.sleep(max(interval, min(SELDOM, (now - begun) / 10)))
