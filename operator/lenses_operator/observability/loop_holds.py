"""How long the event loop is held: the time between two looks at what has come in and what has fallen due.

Whatever happens in that time waits for its end, so it is the longest delay that any of it can have met. Each turn of
the loop is measured, by its selector: a task that wakes now and then would miss what happens between two of its wakes,
and would cost more than a process that has nothing to do. Beside the time that passes it is the processor's time that
the loop's own thread has had of it. Where that is much less, the loop was not busy but kept waiting: by other threads
or processes, or by a limit on the pod's CPU.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from lenses_operator.observability.metrics import NAMESPACE
from lenses_operator.turns import Event, FewAtOnce

# Close together around what is aimed at, 50 ms: what holds the loop for longer than that is a defect.
BUCKETS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 5)
BOUNDS = (*(f"{bound:g}" for bound in BUCKETS), "+Inf")
Clock = Callable[[], float]


class _Turns:
    """Without the client library's histogram, whose lock costs as much as a short turn of the loop."""

    def __init__(self) -> None:
        self._counts = [0] * len(BOUNDS)
        self._sum = 0.0
        self._longest = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(BUCKETS, seconds)] += 1
        self._sum += seconds
        if seconds > self._longest:
            self._longest = seconds

    def families(self, name: str, text: str) -> Iterator[Metric]:
        """The histogram, and the longest so far."""
        spread = HistogramMetricFamily(f"{NAMESPACE}_event_loop_{name}_seconds", text)
        spread.add_metric([], list(zip(BOUNDS, accumulate(self._counts), strict=True)), self._sum)
        yield spread
        longest = f"{NAMESPACE}_event_loop_longest_{name}_seconds"
        yield GaugeMetricFamily(longest, "The longest of them since the start.", value=self._longest)


class LoopHolds(Collector):
    """`cpu`: the processor's time of the thread that asks."""

    def __init__(self, clock: Clock = time.perf_counter, cpu: Clock = time.thread_time) -> None:
        self._clock = clock
        self._cpu = cpu
        self._held, self._busy = _Turns(), _Turns()
        self._counts = False

    def begin(self) -> None:
        """Counts from now on: while the parts are being made, there is nobody yet to wait."""
        self._counts = True

    def loop(self) -> asyncio.AbstractEventLoop:
        """A new event loop that is measured."""
        return asyncio.SelectorEventLoop(_Selector(lambda: (self._clock(), self._cpu()), self._ended))

    def _ended(self, held: float, busy: float) -> None:
        if not self._counts:
            return
        self._held.add(held)
        self._busy.add(busy)

    def describe(self) -> Iterable[Metric]:
        """Nothing, as with all collectors of ours."""
        return ()

    def collect(self) -> Iterator[Metric]:
        yield from self._held.families("hold", "How long turns of the event loop take.")
        yield from self._busy.families("busy", "CPU time of the event loop's thread in its turns.")


class _Selector(FewAtOnce):
    """Tells of each turn that ends; the first begins where the loop first comes back from waiting."""

    def __init__(self, now: Callable[[], tuple[float, float]], ended: Callable[[float, float], None]) -> None:
        super().__init__()
        self._now = now
        self._ended = ended
        self._begun: tuple[float, float] | None = None

    def select(self, timeout: float | None = None) -> list[Event]:
        if self._begun is not None:
            now, begun = self._now(), self._begun
            self._ended(now[0] - begun[0], now[1] - begun[1])
        found = super().select(timeout)
        self._begun = self._now()
        return found
