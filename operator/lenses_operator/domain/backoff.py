"""How long to wait before the next try; jitter comes from the caller's random source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """`first` seconds, doubled each time, never above `limit`; spread by ±20 % so that many keys do not move as one."""

    first: float
    limit: float

    def delay(self, attempt: int, uniform: Callable[[float, float], float]) -> float:
        """Seconds before try number `attempt` (1 is the first repetition)."""
        plain = min(self.limit, self.first * 2.0 ** min(max(attempt, 1) - 1, 20))
        return float(plain) * uniform(0.8, 1.2)


TRANSIENT = Backoff(first=1.0, limit=60.0)
SLOW = Backoff(first=30.0, limit=300.0)
BLOCKED = Backoff(first=2.0, limit=600.0)
"""Deletion that is blocked."""
MISSING = Backoff(first=15.0, limit=60.0)
"""A Secret or ConfigMap that is not there."""
SETTLING = Backoff(first=0.1, limit=2.0)
"""Observation again after an action of ours: state changes are asynchronous."""
