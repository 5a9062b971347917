"""The two times a pass needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Clocks:
    """`loop`: seconds that only grow; `now`: the wall's time, for what people read."""

    loop: Callable[[], float]
    now: Callable[[], datetime]
