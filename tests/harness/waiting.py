"""Wait for a condition with a bound, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

INTERVAL = 0.05
SELDOM = 0.3
"""Seconds between two looks at what takes its time: each costs the machine that is waited for."""

T = TypeVar("T")


def wait_until(what: str, check: Callable[[], T | None], timeout: float, interval: float = INTERVAL) -> T:
    """What `check` returned once it was truthy; a `TimeoutError` that names `what` otherwise.

    Looks every `interval` seconds at first, and ever more seldom as it takes longer.
    """
    begun = time.monotonic()
    deadline = begun + timeout
    while True:
        found = check()
        if found:
            return found
        now = time.monotonic()
        if now > deadline:
            raise TimeoutError(f"{what}: not within {timeout:g} s")
        time.sleep(max(interval, min(SELDOM, (now - begun) / 10)))
