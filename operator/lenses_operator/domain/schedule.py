"""When a healthy connector is read in full again, spread evenly so that thousands do not move as one."""

from __future__ import annotations

import hashlib
from math import ceil

BEATS = 600
"""Times within a drift interval at which checks fall due."""
TOPICS_INTERVAL = 1800.0
"""Seconds after which a connector's topics are read again: they hardly change, and doubled what a drift check asks."""


def phase(uid: str, purpose: str = "") -> float:
    """A fixed point in [0, 1) for each object, another one for each purpose."""
    return int.from_bytes(hashlib.sha256((purpose + uid).encode()).digest()[:6], "big") / 2**48


def next_check(now: float, last: float | None, interval: float, uid: str) -> float:
    """The time of the next drift check; the first one after a start comes somewhere within one interval.

    Always a multiple of a 600th of the interval, half a second by default: a process that wakes once for what is due in
    that time needs half the CPU of one that wakes for each.
    """
    due = now + interval * phase(uid) if last is None else last + interval
    return ceil(due / interval * BEATS) * interval / BEATS


def next_topics(now: float, last: float | None, uid: str) -> float:
    """When topics are due again, with the drift check that follows."""
    return now + TOPICS_INTERVAL * (phase(uid, "topics") if last is None else 1)
