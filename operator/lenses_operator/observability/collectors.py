"""Gauges collected at scrape time from what the caches hold."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from lenses_operator.controllers.problems import reason_of
from lenses_operator.lenses.models import ConnectorState
from lenses_operator.lenses_state.pollers import PollerStatus
from lenses_operator.observability.metrics import NAMESPACE
from lenses_operator.resources.connector import KIND as CONNECTOR
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import KIND as OFFSETS
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets
from lenses_operator.turns import slices
from lenses_operator.workqueue.queue import QueueStats

STATES = frozenset(ConnectorState)
UNKNOWN = "UNKNOWN"
NONE = "NONE"
"""No connector to show: not created yet, refused, or owned by another resource."""

COUNTED = frozenset(f"{NAMESPACE}_{name}" for name in ("resources", "connectors", "tasks"))
"""What is counted before it is told."""
SLICE = 1000
"""Resources that are counted between two turns of the event loop."""

Families = Iterator[Metric]


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{NAMESPACE}_{name}", text, labels=labels)


def _single(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{NAMESPACE}_{name}", text, value=value)


class _ScrapeCollector(Collector):
    def describe(self) -> Iterable[Metric]:
        """Nothing: a registry would ask for everything once, before it stands, to learn the names."""
        return ()


class QueueMetrics(_ScrapeCollector):
    """Named after client-go's work queue."""

    def __init__(self, stats: Callable[[], QueueStats], workers: int) -> None:
        self._stats = stats
        self._workers = workers

    def collect(self) -> Families:
        stats = self._stats()
        yield _single("workqueue_depth", "Keys that are due and wait for a worker.", stats.depth)
        yield _single("workqueue_oldest_seconds", "How long the first of them has been due.", stats.oldest)
        yield CounterMetricFamily(f"{NAMESPACE}_workqueue_adds", "Keys that fell due.", value=stats.adds)
        yield _single("active_workers", "Passes that are running.", stats.running)
        yield _single("max_concurrent_reconciles", "Passes that may run at a time in each environment.", self._workers)
        yield _single("workqueue_longest_running_processor_seconds", "Of the longest pass running.", stats.longest)


class EnvironmentMetrics(_ScrapeCollector):
    """One series per Connect cluster: it is up if any token's last list of it was good. `clock` is the loop's time."""

    def __init__(self, poller_statuses: Callable[[], Iterable[PollerStatus]], clock: Callable[[], float]) -> None:
        self._poller_statuses = poller_statuses
        self._clock = clock

    def collect(self) -> Families:
        where = ("environment", "cluster")
        up = _gauge("environment_up", "1 where the last list of its connectors was good.", *where)
        error = _gauge("environment_error", "1 while it is not up, by reason.", *where, "reason")
        last = _gauge("environment_last_poll_timestamp_seconds", "When its last good list ended.", *where)
        every = _gauge(
            "environment_poll_interval_seconds", "Between two lists, with the token that has to wait longest.", *where
        )
        longest: dict[tuple[str, str], float] = {}
        best: dict[tuple[str, str], PollerStatus] = {}
        for status in self._poller_statuses():
            place = (status.environment, status.cluster)
            longest[place] = max(status.every, longest.get(place, 0.0))
            known = best.get(place)
            if known is None or _rank(status) > _rank(known):
                best[place] = status
        now, wall = self._clock(), time.time()
        for place, status in best.items():
            up.add_metric([*place], status.error is None)
            if status.error is not None:
                error.add_metric([*place, reason_of(status.error)], 1)
            if status.read_at is not None:
                last.add_metric([*place], wall - (now - status.read_at))
        for place, seconds in longest.items():
            every.add_metric([*place], seconds)
        yield from (up, error, last, every)


def _rank(status: PollerStatus) -> tuple[bool, float]:
    return status.error is None, status.read_at or 0.0


@dataclass
class _Counts:
    """`connectors`, `tasks`: by environment and state."""

    connectors: Counter[tuple[str, str]] = field(default_factory=Counter)
    tasks: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, one: LensesConnector) -> None:
        environment = one.spec.environment
        self.connectors[environment, _state(one.status.state)] += 1
        for task in one.status.tasks:
            self.tasks[environment, _state(task.state)] += 1


class ResourceMetrics(_ScrapeCollector):
    """Connectors and tasks by state, as of the last `count`; nothing while another process works."""

    def __init__(
        self,
        connectors: Iterable[LensesConnector],
        offsets: Iterable[LensesConnectorOffsets],
        working: Callable[[], bool],
    ) -> None:
        self._connectors = connectors
        self._offsets = offsets
        self._working = working
        self._counts = _Counts()

    async def count(self) -> None:
        """Before each scrape: some at a time, since collectors are read in one turn of the event loop."""
        if not self._working():
            return
        counts = _Counts()
        async for some in slices(self._connectors, SLICE):
            for one in some:
                counts.add(one)
        self._counts = counts

    def collect(self) -> Families:
        if not self._working():
            return
        resources = _gauge("resources", "Resources that the operator manages.", "kind")
        resources.add_metric([CONNECTOR], self._counts.connectors.total())
        resources.add_metric([OFFSETS], sum(1 for _ in self._offsets))
        yield resources
        for name, text, counts in (
            (
                "connectors",
                "LensesConnectors by their connector's state, NONE where there is none to show.",
                self._counts.connectors,
            ),
            ("tasks", "Their tasks by state.", self._counts.tasks),
        ):
            family = _gauge(name, text, "environment", "state")
            for labels, count in counts.items():
                family.add_metric(labels, count)
            yield family


def _state(word: str | None) -> str:
    if word is None:
        return NONE
    return word if word in STATES else UNKNOWN
