"""The two times a pass needs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Clocks:
    """`loop`: seconds that only grow; `now`: the wall's time, for what people read."""

    loop: Callable[[], float]
    now: Callable[[], datetime]


class WallClock:
    """The wall's time in whole seconds, as people read it. Made once in a second: a pass asks for it many times."""

    def __init__(self, seconds: Callable[[], float] = time.time) -> None:
        self._seconds = seconds
        self._second = 0
        self._time = datetime.fromtimestamp(0, UTC)

    def __call__(self) -> datetime:
        second = int(self._seconds())
        if second != self._second:
            self._second, self._time = second, datetime.fromtimestamp(second, UTC)
        return self._time
