"""Wait for a condition with a bound, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

INTERVAL = 0.05

T = TypeVar("T")


def wait_until(what: str, check: Callable[[], T | None], timeout: float, interval: float = INTERVAL) -> T:
    """What `check` returned once it was truthy; a `TimeoutError` that names `what` otherwise."""
    deadline = time.monotonic() + timeout
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout:g} s")
        time.sleep(interval)
