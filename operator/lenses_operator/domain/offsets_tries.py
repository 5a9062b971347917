"""How long a request for offsets is repeated before an answer that says no is believed."""

from __future__ import annotations

from dataclasses import dataclass

PATIENCE = 120.0
"""Seconds for a rebalance and for tasks that have not stopped."""
REFUSALS = 3
REFUSED_FOR = 60.0
"""Seconds in which any other refusal comes at least that many times: a rebalance may be reported as any of them."""
SHOWS_WITHIN = 45.0
"""Seconds in which changed offsets have to show: reads may be cached."""


@dataclass
class Tries:
    """Of one operation's request. Times in seconds."""

    began: float
    refused: int = 0
    refused_first: float = 0.0

    def again_after_wait(self, now: float) -> bool:
        """A rebalance, or tasks that are still going."""
        return now - self.began < PATIENCE

    def again_after_refusal(self, now: float) -> bool:
        """An answer that names another cause, or a 404 for a connector that is there."""
        if not self.refused:
            self.refused_first = now
        self.refused += 1
        return self.refused < REFUSALS or now - self.refused_first < REFUSED_FOR
