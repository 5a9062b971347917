"""How long the operator's event loop was held, out of two readings of its own metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from bench.figures import Holds
from harness.metrics import Metrics

AIM = 0.05
"""Seconds: one of the histogram's bounds."""
RARE = 0.999
HELD, BUSY = "hold", "busy"
BUCKETS, LONGEST = "lenses_operator_event_loop_{}_seconds_bucket", "lenses_operator_event_loop_longest_{}_seconds"
NAMES = [name.format(which) for which in (HELD, BUSY) for name in (BUCKETS, LONGEST)]
"""Of what is read of the operator's metrics."""


@dataclass(frozen=True)
class Spread:
    """`at_most`: how many turns took no longer than these seconds."""

    at_most: dict[float, int] = field(default_factory=dict)
    longest: float = 0.0

    @classmethod
    def of(cls, metrics: Metrics, name: str) -> Self:
        buckets = [one for one in metrics.samples if one.name == BUCKETS.format(name)]
        at_most = {float(one.labels["le"]): int(one.value) for one in buckets}
        return cls(at_most, metrics.total(LONGEST.format(name)))

    def since(self, before: Spread) -> dict[float, int]:
        return {bound: count - before.at_most.get(bound, 0) for bound, count in sorted(self.at_most.items())}

    def bound(self, grown: dict[float, int], share: float) -> float:
        """Seconds that so large a share of the turns took at most."""
        wanted = share * max(grown.values())
        return next(min(bound, self.longest) for bound, count in grown.items() if count >= wanted)


@dataclass(frozen=True)
class Turns:
    """All turns of one process so far; as it is made, one that has just begun."""

    pid: int | None = None
    held: Spread = Spread()
    busy: Spread = Spread()

    @classmethod
    def of(cls, pid: int, metrics: Metrics) -> Self:
        return cls(pid, Spread.of(metrics, HELD), Spread.of(metrics, BUSY))

    def since(self, before: Turns) -> Holds | None:
        """None where there has been no turn. Another process' turns are not taken off."""
        known = before if before.pid == self.pid else Turns()
        held, busy = self.held.since(known.held), self.busy.since(known.busy)
        total = max(held.values(), default=0)
        if not total:
            return None
        return Holds(
            turns=total,
            longest=self.held.bound(held, 1),
            rare=self.held.bound(held, RARE),
            over_aim=total - held.get(AIM, total),
            busiest=self.busy.bound(busy, 1),
            busy_rare=self.busy.bound(busy, RARE),
        )
