"""Short turns of the event loop: what comes in waits for the end of the one that runs."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")
Event = tuple[selectors.SelectorKey, int]

AT_ONCE = 8
"""Sockets that are served in one turn. Each lets a pass go on, a millisecond or two: with the answers to all passes in
one turn it took 90 ms."""


async def slices(items: Iterable[T], size: int) -> AsyncIterator[list[T]]:
    """`size` of the items at a time, as they were when it began; after each slice everything else has a turn."""
    there = list(items)
    for first in range(0, len(there), size):
        yield there[first : first + size]
        await asyncio.sleep(0)


async def ahead(items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """All of the items, each of them asked for while the one before it is taken."""

    async def following() -> tuple[T, ...]:
        async for item in items:
            return (item,)
        return ()

    async with aclosing(items):
        coming = asyncio.create_task(following())
        try:
            while item := await coming:
                coming = asyncio.create_task(following())
                yield item[0]
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


class FewAtOnce(selectors.DefaultSelector):
    """Of the sockets that are ready, those that have waited for the most turns; the others still are, the next time."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = 0
        self._waiting: dict[int, int] = {}
        """Since which turn, by file descriptor."""

    def select(self, timeout: float | None = None) -> list[Event]:
        found = super().select(timeout)
        self._turn += 1
        if len(found) <= AT_ONCE:
            self._waiting.clear()
            return found
        since = {key.fd: self._waiting.get(key.fd, self._turn) for key, _ in found}
        found.sort(key=lambda event: since[event[0].fd])
        self._waiting = {key.fd: since[key.fd] for key, _ in found[AT_ONCE:]}
        return found[:AT_ONCE]
