"""A Lenses in which what destroys or creates waits for its turn, as behind many other requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from lenses_operator.lenses import errors


class Provided:
    """The client's operations as `LensesClient.provided` has them: not carried out where `holds` says no by then."""

    def __init__(self, lenses: Any, holds: Callable[[], bool], waits: float) -> None:
        self._lenses = lenses
        self._holds = holds
        self._waits = waits

    def __getattr__(self, operation: str) -> Callable[..., Awaitable[Any]]:
        asked = getattr(self._lenses, operation)

        async def in_turn(*arguments: Any) -> Any:
            if self._waits:
                await asyncio.sleep(self._waits)
            if not self._holds():
                raise errors.Overtaken(operation)
            return await asked(*arguments)

        return in_turn
