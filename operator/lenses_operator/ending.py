"""The end in order, as the log tells it: who asked for it, what is waited for, and how long it took."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from typing import Any

logger = logging.getLogger(__name__)
GRACE = 100.0
"""Seconds running passes get at the end: longer than the longest call, a validate."""
AGAIN = 15.0
"""Seconds between two lines about what is still waited for."""
NAMED = 5


class Signals:
    """SIGTERM and SIGINT; `told` is the name of the one that came, empty before."""

    def __init__(self) -> None:
        self._came = asyncio.Event()
        self.told = ""

    def handle(self) -> None:
        """In the running loop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._tell, number)

    async def wait(self) -> None:
        await self._came.wait()

    def _tell(self, number: signal.Signals) -> None:
        self.told = self.told or number.name
        self._came.set()


class Ending:
    """Begins with its making. `running` gives what is under way."""

    def __init__(self, why: str, running: Callable[[], Sequence[object]]) -> None:
        self._running = running
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        found = running()
        waits = f"waiting up to {GRACE:.0f} s for {_named(found)}" if found else "nothing is under way"
        logger.info("%s: ending, %s", why, waits)

    async def wait(self, work: asyncio.Task[Any]) -> None:
        """Until the work has ended, for the grace at most."""
        while (left := self._began + GRACE - self._clock()) > 0:
            await asyncio.wait([work], timeout=min(left, AGAIN))
            if work.done():
                return
            logger.info("ending: after %.0f s still waiting for %s", self._took, _named(self._running()))

    def over(self) -> None:
        """Says how it went."""
        found = self._running()
        if found:
            logger.warning("ended after %.1f s, without waiting any longer for %s", self._took, _named(found))
        else:
            logger.info("ended after %.1f s", self._took)

    @property
    def _took(self) -> float:
        return self._clock() - self._began


def _named(running: Sequence[object]) -> str:
    """Such as: 7 resources: a/b, a/c, a/d, a/e, a/f and 2 more."""
    more = len(running) - NAMED
    names = ", ".join(str(one) for one in running[:NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{len(running)} resource{'' if len(running) == 1 else 's'}: {names}"
