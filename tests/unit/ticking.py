"""Whether an event loop goes on while something long is done: told by turns of the loop, not by any clock."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def ticks_during(work: Coroutine[Any, Any, T]) -> tuple[T, int]:
    """What it gives, and how many turns of the loop something else had meanwhile."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0)
    ticks = 0
    try:
        return await work, ticks
    finally:
        ticking.cancel()
