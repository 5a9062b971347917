"""How often a request for offsets is repeated: only the wording tells a refusal from a connector not quite stopped."""

from __future__ import annotations

import re
from dataclasses import dataclass

PATIENCE = 120.0
"""Seconds for a rebalance and for tasks that have not stopped."""
REFUSALS = 3
"""Times that any other 500 is heard before it is believed."""
NOT_STOPPED = re.compile(
    r"haven.t stopped"
    r"|not (yet )?(been )?stopped|(must|should|needs? to) be (in (the )?)?.?STOPPED|still (running|active)"
    r"|zombie|tasks? .{0,40}stopp",
    re.IGNORECASE,
)


@dataclass
class Tries:
    """Of one operation's request. Times in seconds."""

    began: float
    refused: int = 0
    unknown: int = 0

    def again_after_wait(self, now: float) -> bool:
        """A rebalance, or tasks that are still going."""
        return now - self.began < PATIENCE

    def again_after_refusal(self) -> bool:
        """A 500 that names another cause."""
        self.refused += 1
        return self.refused < REFUSALS

    def again_after_unknown(self) -> bool:
        """A 404 for an operation on a connector that is there."""
        self.unknown += 1
        return self.unknown < REFUSALS


def means_not_stopped(words: str) -> bool:
    return NOT_STOPPED.search(words) is not None
