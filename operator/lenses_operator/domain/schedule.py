"""When a healthy connector is looked at in full again, spread evenly so that thousands do not move as one."""

from __future__ import annotations

import hashlib


def phase(uid: str) -> float:
    """A fixed point in [0, 1) for each object."""
    return int.from_bytes(hashlib.sha256(uid.encode()).digest()[:6], "big") / 2**48


def next_check(now: float, last: float | None, interval: float, uid: str) -> float:
    """The time of the next drift check; the first one after a start comes somewhere within one interval."""
    return now + interval * phase(uid) if last is None else last + interval
