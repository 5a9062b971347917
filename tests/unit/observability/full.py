"""A registry as `app` puts it together, with at least one series of every metric there is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from lenses_operator.lenses import errors
from lenses_operator.lenses_state.pollers import PollerStatus
from lenses_operator.observability.collectors import COUNTED, EnvironmentMetrics, QueueMetrics, ResourceMetrics
from lenses_operator.observability.conditions import CONDITIONS, ConditionLines
from lenses_operator.observability.loop_holds import LoopHolds
from lenses_operator.observability.metrics import Metrics, Slow
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets
from lenses_operator.workqueue.queue import QueueStats
from unit.offsets.make import operation
from unit.resources.make import resource

LOOP_TIME = 1000.0


def condition(kind: str, status: str, reason: str) -> dict[str, Any]:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": "planted-message",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }


READY = condition("Ready", "True", "Running")
FAILED = [condition("Ready", "False", "TaskFailed"), condition("Stalled", "True", "TaskFailed")]


def connector(name: str, state: str | None, *tasks: str, conditions: Iterable[Any] = (READY,), **spec: Any) -> Any:
    status: dict[str, Any] = {"conditions": list(conditions), "state": state}
    status["tasks"] = [{"id": number, "state": task} for number, task in enumerate(tasks)]
    return resource(name, uid=f"uid-{name}", status=status, **spec)


class Full:
    """`working` False: a replica that waits for the lease."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.working = True
        self.connectors: list[LensesConnector] = [
            connector("orders", "RUNNING", "RUNNING", "FAILED", conditions=FAILED),
            connector("payments", "RUNNING", "RUNNING", "RUNNING"),
        ]
        self.offsets: list[LensesConnectorOffsets] = [
            operation(status={"conditions": [condition("Ready", "False", "ConnectorNotReady")]})
        ]
        self.poller_statuses = [
            PollerStatus("prod", "connect-eu", None, LOOP_TIME - 5, 15.0),
            PollerStatus("dev", "connect-eu", errors.Unauthorized("list_connectors"), None, 15.0),
        ]
        self.stats = QueueStats(depth=3, oldest=1.5, running=2, longest=0.5, adds=7)
        resources = ResourceMetrics(self.connectors, self.offsets, lambda: self.working)
        self.lines = ConditionLines(self.connectors, self.offsets, self._find, lambda: self.working)
        self.counting = resources.count
        self.metrics.watch(
            QueueMetrics(lambda: self.stats, 64),
            EnvironmentMetrics(lambda: self.poller_statuses, lambda: LOOP_TIME),
            resources,
            LoopHolds(),
            before=Slow(COUNTED, self.counting),
            lines=Slow(CONDITIONS, self.lines),
        )
        self.metrics.passed("LensesConnector", "success", 0.01)
        self.metrics.passed("LensesConnectorOffsets", "error", 0.01)
        self.metrics.answered("list_connectors", "prod", 200, 0.02)
        self.metrics.told(self.connectors[0], "Normal", "TaskRestarted")

    def _find(self, key: ObjectKey) -> LensesConnector | None:
        return next((one for one in self.connectors if one.key == key), None)

    def value(self, name: str, **labels: str) -> float | None:
        wanted = (f"lenses_operator_{name}", labels)
        found = [
            sample.value for family in self.families().values() for sample in family.samples if sample[:2] == wanted
        ]
        return found[0] if found else None

    def exposition(self, *names: str) -> bytes:
        return asyncio.run(self.metrics.exposition(frozenset(names)))

    def families(self) -> dict[str, Metric]:
        """As Prometheus reads them."""
        return {family.name: family for family in text_string_to_metric_families(self.exposition().decode())}

    def series(self) -> dict[str, set[frozenset[str]]]:
        """For each name that a query may use, the sets of label names its series have."""
        found: dict[str, set[frozenset[str]]] = {}
        for family in self.families().values():
            for sample in family.samples:
                found.setdefault(sample.name, set()).add(frozenset(sample.labels))
        return found
