"""So many lists of connectors a second and no more, over all environments, Connect clusters and tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

from lenses_operator.domain.polling import Allowance, urgent_next

Waiting = dict[Hashable, asyncio.Future[None]]


class ListBudget:
    """Whoever is to list waits for its turn; those that are urgent come first, each kind in the order of asking."""

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        self._allowance: Allowance | None = None
        self._urgent: Waiting = {}
        self._regular: Waiting = {}
        self._in_a_row = 0
        self._timer: asyncio.TimerHandle | None = None

    async def turn(self, who: Hashable, *, urgent: bool) -> None:
        """Returns when it is its turn. Each waits for one turn at a time."""
        waiting = self._urgent if urgent else self._regular
        granted = waiting[who] = asyncio.get_running_loop().create_future()
        self._give()
        try:
            await granted
        finally:
            self._urgent.pop(who, None)
            self._regular.pop(who, None)

    def prioritize(self, who: Hashable) -> None:
        """It has become urgent, if it waits."""
        if (granted := self._regular.pop(who, None)) is not None:
            self._urgent[who] = granted

    def _give(self) -> None:
        """Turns to as many as there is allowance for, and again when there is more."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        left = Allowance.full(self.per_second, now) if self._allowance is None else self._allowance.later(now)
        while (self._urgent or self._regular) and left.ready:
            granted = self._next()
            if not granted.done():  # else whoever waited was cancelled just now
                granted.set_result(None)
                left = left.without_one()
        self._allowance = left
        if self._timer is not None:
            self._timer.cancel()
        waiting = self._urgent or self._regular
        self._timer = loop.call_at(now + left.wait, self._give) if waiting else None

    def _next(self) -> asyncio.Future[None]:
        urgent = urgent_next(urgent=bool(self._urgent), regular=bool(self._regular), in_a_row=self._in_a_row)
        self._in_a_row = self._in_a_row + 1 if urgent else 0
        waiting = self._urgent if urgent else self._regular
        return waiting.pop(next(iter(waiting)))
