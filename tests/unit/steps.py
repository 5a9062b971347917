"""What is done to an operator, a step after the other; a step may take its time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

Rig = TypeVar("Rig")
Step = Callable[[Rig], Awaitable[None] | None]


async def take(step: Step[Rig], rig: Rig) -> None:
    done = step(rig)
    if done is not None:
        await done


def all_of(*steps: Step[Rig]) -> Step[Rig]:
    async def do(rig: Rig) -> None:
        for step in steps:
            await take(step, rig)

    return do
