"""How long the event loop is held: the time between two looks at what has come in and what has fallen due.

Whatever happens in that time waits for its end, so it is the longest delay that any of it can have met. Each turn of
the loop is measured, by its selector: a task that wakes now and then would miss what happens between two of its wakes,
and would cost more than a process that has nothing to do.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from math import inf

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from lenses_operator.observability.metrics import NAMESPACE

# Close together around what is aimed at, 50 ms: what holds the loop for longer than that is a defect.
BUCKETS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 5)


class LoopHolds(Collector):
    """Counted without the client library's histogram, whose lock costs as much as a short turn of the loop."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._counts = [0] * (len(BUCKETS) + 1)
        self._sum = 0.0
        self._longest = 0.0

    def loop(self) -> asyncio.AbstractEventLoop:
        """A new event loop that is measured."""
        return asyncio.SelectorEventLoop(_Selector(self._add, self._clock))

    def _add(self, seconds: float) -> None:
        self._counts[bisect_left(BUCKETS, seconds)] += 1
        self._sum += seconds
        if seconds > self._longest:
            self._longest = seconds

    def describe(self) -> Iterable[Metric]:
        """Nothing, as with all collectors of ours."""
        return ()

    def collect(self) -> Iterator[Metric]:
        bounds = [*(f"{bound:g}" for bound in BUCKETS), "+Inf"]
        held = HistogramMetricFamily(f"{NAMESPACE}_event_loop_hold_seconds", "How long turns of the event loop take.")
        held.add_metric([], list(zip(bounds, accumulate(self._counts), strict=True)), self._sum)
        yield held
        name, text = f"{NAMESPACE}_event_loop_longest_hold_seconds", "The longest of them since the start."
        yield GaugeMetricFamily(name, text, value=self._longest)


class _Selector(selectors.DefaultSelector):
    def __init__(self, ended: Callable[[float], None], clock: Callable[[], float]) -> None:
        super().__init__()
        self._ended = ended
        self._clock = clock
        self._begun = inf
        """When the loop last came back from waiting."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._ended(max(0.0, self._clock() - self._begun))
        found = super().select(timeout)
        self._begun = self._clock()
        return found
