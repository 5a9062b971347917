"""How long the operator's event loop was held, out of two readings of its own metrics."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.figures import Holds
from harness.metrics import Metrics

NAME = "lenses_operator_event_loop"
AIM = 0.05
"""Seconds: one of the histogram's bounds."""
RARE = 0.999


@dataclass(frozen=True)
class Turns:
    """All turns of one process so far. `at_most`: how many took no longer than these seconds; without any: the process
    has just begun."""

    pid: int | None = None
    at_most: dict[float, int] = field(default_factory=dict)
    longest: float = 0.0

    @classmethod
    def of(cls, pid: int, metrics: Metrics) -> Turns:
        buckets = [sample for sample in metrics.samples if sample.name == f"{NAME}_hold_seconds_bucket"]
        at_most = {float(one.labels["le"]): int(one.value) for one in buckets}
        return cls(pid, at_most, metrics.total(f"{NAME}_longest_hold_seconds"))

    def since(self, before: Turns) -> Holds | None:
        """None where there has been no turn. Another process' turns are not taken off."""
        known = before.at_most if before.pid == self.pid else {}
        grown = {bound: count - known.get(bound, 0) for bound, count in sorted(self.at_most.items())}
        total = max(grown.values(), default=0)
        if not total:
            return None
        bounds = [min(bound, self.longest) for bound, count in grown.items() if count >= RARE * total]
        ends = [min(bound, self.longest) for bound, count in grown.items() if count == total]
        return Holds(turns=total, longest=ends[0], rare=bounds[0], over_aim=total - grown.get(AIM, total))
