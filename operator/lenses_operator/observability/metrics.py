"""Prometheus metrics; the names are part of what users build alerts on, and docs/metrics.md lists them.

What happens is counted where it happens. Gauges are collected at scrape time: nothing has to be kept in step, and
a resource's series go with the resource. Only that part has names of resources in its labels; a counter never has.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Set
from dataclasses import dataclass
from importlib import metadata
from typing import Generic, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    Metric,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from lenses_operator.resources.base import Resource
from lenses_operator.resources.connector import KIND as CONNECTOR
from lenses_operator.resources.connector_offsets import KIND as OFFSETS
from lenses_operator.resources.connector_offsets import Action, LensesConnectorOffsets

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter

NAMESPACE = "lenses_operator"
PASS_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 100)
CONTROLLERS = {kind: kind.lower() for kind in (CONNECTOR, OFFSETS)}
RESULTS = ("success", "requeue_after", "error")
RESTARTED = {"ConnectorRestarted": "connector", "TaskRestarted": "task"}
OUTCOMES = ("applied", "failed")


T = TypeVar("T")


@dataclass(frozen=True)
class Slow(Generic[T]):
    """What goes through all resources, some at a time. `names`: of the samples for which it is needed."""

    names: frozenset[str]
    do: Callable[[], Awaitable[T]]

    def wanted(self, names: Set[str]) -> bool:
        return not names or not self.names.isdisjoint(names)


async def _no_lines() -> str:
    return ""


async def _nothing() -> None:
    return


class Metrics:
    """A registry of its own, so that two operators in one process do not meet. Counters of known labels begin at 0."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, namespace=NAMESPACE, registry=registry)

        def histogram(name: str, text: str, label: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(name, text, [label], namespace=NAMESPACE, registry=registry, buckets=buckets)

        self._passes = counter("reconcile", "Passes over a resource, by how they ended.", "controller", "result")
        self._pass_seconds = histogram("reconcile_time_seconds", "How long passes take.", "controller", PASS_SECONDS)
        self._requests = counter(
            "lenses_requests",
            "Requests to Lenses, by operation and HTTP status, or why there was none.",
            "operation",
            "status",
        )
        self._request_seconds = histogram(
            "lenses_request_duration_seconds", "How long requests to Lenses take.", "operation", REQUEST_SECONDS
        )
        self._events = counter("events", "What was done and what went wrong, as reported by Events.", "type", "reason")
        self._restarts = counter("restarts", "Restarts that the operator asked for.", "kind")
        self._operations = counter("offsets_operations", "Ended offsets operations.", "action", "outcome")
        self.leader = Gauge(
            "leader", "1 while this process is the one that works.", namespace=NAMESPACE, registry=registry
        )
        build = Info("build", "The operator's version.", namespace=NAMESPACE, registry=registry)
        build.info({"version": metadata.version("lenses-operator")})
        ProcessCollector(registry=registry)
        self._before = Slow[None](frozenset(), _nothing)
        self._lines = Slow[str](frozenset(), _no_lines)
        # A pass of a converged connector takes some 0.4 ms, of which looking for these took a fiftieth.
        self._passes_of: dict[tuple[str, str], Counter] = {}
        self._seconds_of: dict[str, Histogram] = {}
        self._begin()

    def _begin(self) -> None:
        """A counter that begins at 1 shows no increase."""
        for kind, name in CONTROLLERS.items():
            self._seconds_of[kind] = self._pass_seconds.labels(name)
            for result in RESULTS:
                self._passes_of[kind, result] = self._passes.labels(name, result)
        for kind in RESTARTED.values():
            self._restarts.labels(kind)
        for action in (Action.ALTER, Action.RESET):
            for outcome in OUTCOMES:
                self._operations.labels(action, outcome)

    def watch(self, *collectors: Collector, before: Slow[None], lines: Slow[str]) -> None:
        """Read when they are asked for, all at once; `before` is done first, and `lines` gives text as it is."""
        for collector in collectors:
            self.registry.register(collector)
        self._before, self._lines = before, lines

    async def exposition(self, names: Set[str] = frozenset()) -> bytes:
        """What /metrics answers, in Prometheus' text format: the samples of these names, or all where there is none."""
        if self._before.wanted(names):
            await self._before.do()
        found = generate_latest(_Named(self.registry, names) if names else self.registry)
        return found + (await self._lines.do()).encode() if self._lines.wanted(names) else found

    def passed(self, kind: str, result: str, seconds: float) -> None:
        """After every pass; `result` is one of RESULTS."""
        self._passes_of[kind, result].inc()
        self._seconds_of[kind].observe(seconds)

    def answered(self, operation: str, environment: str, status: int | str, seconds: float) -> None:
        """After every request to Lenses; the environment is left out to keep the series few."""
        del environment
        self._requests.labels(operation, str(status)).inc()
        self._request_seconds.labels(operation).observe(seconds)

    def told(self, resource: Resource, kind: str, reason: str) -> None:
        """Every action and every problem is reported by an Event: restarts and operations are counted here."""
        self._events.labels(kind, reason).inc()
        if reason in RESTARTED:
            self._restarts.labels(RESTARTED[reason]).inc()
        if isinstance(resource, LensesConnectorOffsets) and resource.operates and resource.finished:
            self._operations.labels(resource.spec.action, OUTCOMES[resource.failed]).inc()


class _Named(Collector):
    """Of a registry's samples those of the given names."""

    def __init__(self, registry: CollectorRegistry, names: Set[str]) -> None:
        self._registry = registry
        self._names = names

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            named = Metric(metric.name, metric.documentation, metric.type)
            named.samples = [sample for sample in metric.samples if sample.name in self._names]
            if named.samples:
                yield named
