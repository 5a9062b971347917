"""Prometheus metrics; the names are part of what users build alerts on."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

NAMESPACE = "lenses_operator"


class Metrics:
    """A registry of its own, so that two operators in one process do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "lenses_request_seconds",
            "Requests to Lenses, by operation and outcome.",
            ["operation", "outcome"],
            namespace=NAMESPACE,
            registry=self.registry,
        )
        self.passes = Counter(
            "passes",
            "Passes over a resource, by how they ended.",
            ["outcome"],
            namespace=NAMESPACE,
            registry=self.registry,
        )
        self.queue = Gauge("queue_length", "Keys that are due.", namespace=NAMESPACE, registry=self.registry)
        self.resources = Gauge("resources", "Resources known.", namespace=NAMESPACE, registry=self.registry)
        self.leader = Gauge("leader", "1 while this process works.", namespace=NAMESPACE, registry=self.registry)

    def watch(self, queue_length: Callable[[], int], resources: Callable[[], int]) -> None:
        """Read when they are asked for."""
        self.queue.set_function(queue_length)
        self.resources.set_function(resources)

    def answered(self, operation: str, environment: str, outcome: object, seconds: float) -> None:
        """Called by the Lenses client for every request; the environment is left out to keep the series few."""
        del environment
        self.requests.labels(operation, str(outcome)).observe(seconds)
