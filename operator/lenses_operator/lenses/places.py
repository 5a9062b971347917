"""Places for requests that are under way at the same time: first come, first served, within two ranks."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager

BRIEF = 2.0
"""Seconds that a place is waited for before whoever waits is counted as waiting."""
Parked = Callable[[], AbstractContextManager[None]]
"""Entered while a request waits for its place for longer than that: its work is none meanwhile."""


class Places:
    """`async with places.one(first=True)` goes before those that wait without `first`."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._first: deque[asyncio.Future[None]] = deque()
        self._rest: deque[asyncio.Future[None]] = deque()

    @contextlib.asynccontextmanager
    async def one(self, *, first: bool, parked: Parked) -> AsyncIterator[None]:
        await self._take(first, parked)
        try:
            yield
        finally:
            self._free += 1
            self._pass_on()

    async def _take(self, first: bool, parked: Parked) -> None:
        if self._free and not self._first and (first or not self._rest):
            self._free -= 1
            return
        line = self._first if first else self._rest
        turn = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            done, _ = await asyncio.wait([turn], timeout=BRIEF)
            if not done:
                with parked():
                    await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._free += 1  # it had just been given
            else:
                line.remove(turn)
                turn.cancel()
            self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._free and (self._first or self._rest):
            turn = (self._first or self._rest).popleft()
            self._free -= 1
            turn.set_result(None)


class Limits:
    """What one environment may have under way, and until when it asked to be left alone.

    Slow requests have half of the places, so that they never keep reads from theirs.
    """

    def __init__(self, concurrency: int) -> None:
        self._all = asyncio.Semaphore(concurrency)
        self._slow = Places(concurrency // 2)
        self.not_before = 0.0

    @contextlib.asynccontextmanager
    async def place(self, *, slow: bool, first: bool, parked: Parked) -> AsyncIterator[None]:
        async with self._slow.one(first=first, parked=parked) if slow else contextlib.nullcontext(), self._all:
            yield
