"""How long this process may still act as the leader, by a clock that runs while the process or machine is paused."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable
from typing import NoReturn

logger = logging.getLogger(__name__)
DEADLINE = 10.0
"""Seconds after its last renewal that a leader ends itself; well before others may take the lease."""
LAST_WORDS = 0.5
"""Seconds to log in: a blocked log must not keep the process alive."""


def boot_time() -> float:
    """Seconds, those included that the machine was suspended, where the kernel counts them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def end_process(why: str) -> NoReturn:
    """No clean-up: whatever still runs must not reach Lenses beside another leader."""
    saying = threading.Thread(target=logger.error, args=(why,), daemon=True)
    saying.start()
    saying.join(LAST_WORDS)
    os._exit(1)


class Fence:
    """Two guards, for neither is enough alone.

    `check` comes right before every write: after a pause the event loop may run before anything else does.
    The watchdog, a thread, ends a process whose event loop hangs or has nothing to send.
    """

    def __init__(self, *, clock: Callable[[], float] = boot_time, end: Callable[[str], NoReturn] = end_process) -> None:
        self.clock = clock
        self.end = end
        self._until = -math.inf
        self._over = threading.Event()

    @property
    def left(self) -> float:
        """Seconds; negative where this process must not act."""
        return self._until - self.clock()

    def extend(self, asked: float) -> None:
        """The lease was renewed by a request begun at `asked`, by our clock."""
        self._until = asked + DEADLINE

    def check(self) -> None:
        """Returns only while this process leads."""
        if self.left < 0:
            self.end("not the leader any more: ending before anything else is sent")

    def guard(self) -> None:
        """Starts the watchdog."""
        threading.Thread(target=self._watch, name="lease-watchdog", daemon=True).start()

    def give_up(self) -> None:
        """Nothing may be sent from now on; the watchdog ends."""
        self._over.set()  # first: the watchdog must not take this for a lost lease
        self._until = -math.inf

    def _watch(self) -> None:
        # Looks again at least every second: a wait does not count the time that the machine is suspended.
        while not self._over.wait(max(0.0, min(self.left, 1.0))):
            if self.left < 0 and not self._over.is_set():
                self.end(f"the lease could not be renewed for {DEADLINE:.0f} s")
