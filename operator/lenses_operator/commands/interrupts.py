"""Ctrl-C as a wish to stop: what is being written is written to its end, and nothing else is begun."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class Unfinished(Exception):  # noqa: N818 - it is no error
    """What was waited for goes on without us. `interrupted`: by Ctrl-C; else the time was over."""

    def __init__(self, *, interrupted: bool) -> None:
        super().__init__()
        self.interrupted = interrupted


async def awaited(work: Coroutine[Any, Any, T], stop: asyncio.Event, timeout: float | None = None) -> T:
    """What comes of it. Raises Unfinished where `stop` is set or the time is over first; it is cancelled then."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise Unfinished(interrupted=stop.is_set())
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


@asynccontextmanager
async def interruptible() -> AsyncIterator[asyncio.Event]:
    """Set by the first Ctrl-C; the second one ends the program as ever."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def interrupt() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        yield stop
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)
