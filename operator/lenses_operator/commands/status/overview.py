"""What there is to say of connectors and the offsets operations on them, in the order in which it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from lenses_operator.commands.readiness import Readiness, changed, readiness
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.traces import root_cause
from lenses_operator.resources.base import rfc3339
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets

FAILED = "FAILED"


@dataclass(frozen=True)
class FailedTask:
    """`cause`: the innermost of its trace, one line; empty where status has none."""

    id: int
    worker: str
    cause: str


@dataclass(frozen=True)
class Operation:
    """One LensesConnectorOffsets. `open`: it is not over yet."""

    namespace: str
    name: str
    connector: str
    action: str
    phase: str
    state: Readiness
    changed: datetime
    open: bool

    @classmethod
    def of(cls, resource: LensesConnectorOffsets) -> Operation:
        return cls(
            resource.metadata.namespace,
            resource.metadata.name,
            resource.spec.connector_ref.name,
            resource.spec.action.value,
            resource.status.phase.value if resource.status.phase else "",
            readiness(resource),
            changed(resource),
            resource.operates and not resource.finished,
        )

    @property
    def quiet(self) -> bool:
        """Over and well: only the last one is worth a line."""
        return self.state.well and not self.open

    def data(self) -> dict[str, Any]:
        return {
            "namespace": self.namespace,
            "name": self.name,
            "connector": self.connector,
            "action": self.action,
            "phase": self.phase or None,
            **_state(self.state, self.changed),
        }


@dataclass(frozen=True)
class Row:
    """One LensesConnector. `operations`: those not over or not well, then the last one that is both."""

    namespace: str
    name: str
    environment: str
    cluster: str
    connector: str
    lenses_state: str
    tasks: str
    state: Readiness
    changed: datetime
    failed: tuple[FailedTask, ...] = ()
    operations: tuple[Operation, ...] = ()
    earlier: int = 0
    """Operations before those, over and well."""

    @classmethod
    def of(cls, resource: LensesConnector, operations: Iterable[Operation] = ()) -> Row:
        status, key = resource.status, resource.connector
        found = sorted(operations, key=lambda one: (one.changed, one.name), reverse=True)
        quiet = [one for one in found if one.quiet]
        failed = [task for task in status.tasks if task.state == FAILED]
        return cls(
            resource.metadata.namespace,
            resource.metadata.name,
            key.environment,
            key.cluster,
            key.name,
            status.state or "",
            status.tasks_summary or "",
            readiness(resource),
            changed(resource),
            tuple(FailedTask(task.id, task.worker_id or "", root_cause(task.error)) for task in failed),
            (*(one for one in found if not one.quiet), *quiet[:1]),
            max(0, len(quiet) - 1),
        )

    @property
    def suspended(self) -> bool:
        return self.state.reason == Reason.SUSPENDED

    @property
    def failing(self) -> bool:
        """Not as it is to be, whether or not it may come right by itself."""
        return not self.state.well

    def data(self) -> dict[str, Any]:
        return {
            "namespace": self.namespace,
            "name": self.name,
            "environment": self.environment,
            "cluster": self.cluster,
            "connector": self.connector,
            "state": self.lenses_state or None,
            "tasks": self.tasks or None,
            **_state(self.state, self.changed),
            "failedTasks": [
                {"id": one.id, "workerId": one.worker or None, "cause": one.cause or None} for one in self.failed
            ],
            "offsets": [one.data() for one in self.operations],
        }


def _state(state: Readiness, since: datetime) -> dict[str, Any]:
    return {
        "ready": state.ready,
        "reason": str(state.reason) or None,
        "message": state.message,
        "changed": rfc3339(since),
    }


@dataclass
class Overview:
    """`strays`: operations whose connector is none of these."""

    rows: list[Row] = field(default_factory=list)
    strays: list[Operation] = field(default_factory=list)

    def groups(self) -> Iterator[tuple[tuple[str, str], list[Row]]]:
        """By environment and cluster, by name within."""
        key = _place
        for place, rows in groupby(sorted(self.rows, key=lambda row: (key(row), row.namespace, row.name)), key):
            yield place, list(rows)

    def only_failing(self) -> Overview:
        """Without what is well; a connector whose operation is not well stays."""
        rows = [row for row in self.rows if row.failing or any(not one.quiet for one in row.operations)]
        return Overview(rows, [one for one in self.strays if not one.quiet])

    @property
    def all_ready(self) -> bool:
        return not any(row.failing for row in self.rows)

    @property
    def counts(self) -> Mapping[str, int]:
        rows = self.rows
        return {
            "connectors": len(rows),
            "ready": sum(row.state.well for row in rows),
            "failing": sum(row.state.ready == "False" for row in rows),
            "unknown": sum(row.state.ready == "Unknown" and not row.suspended for row in rows),
            "suspended": sum(row.suspended for row in rows),
            "openOffsetsOperations": sum(one.open for row in rows for one in row.operations)
            + sum(one.open for one in self.strays),
        }

    def data(self, *, failing: bool = False) -> dict[str, Any]:
        """`failing`: of what is not well; the counts are of all."""
        shown = self.only_failing() if failing else self
        return {
            "summary": dict(self.counts),
            "connectors": [row.data() for _, rows in shown.groups() for row in rows],
            "otherOffsets": [one.data() for one in shown.strays],
        }


def _place(row: Row) -> tuple[str, str]:
    return row.environment, row.cluster


def overview(connectors: Iterable[LensesConnector], operations: Iterable[LensesConnectorOffsets]) -> Overview:
    """Of everything that was read."""
    by_connector: dict[tuple[str, str], list[Operation]] = {}
    for one in map(Operation.of, operations):
        by_connector.setdefault((one.namespace, one.connector), []).append(one)
    rows = [Row.of(one, by_connector.pop((one.metadata.namespace, one.metadata.name), ())) for one in connectors]
    return Overview(rows, [one for rest in by_connector.values() for one in rest])
