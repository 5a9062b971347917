"""Resources as commands find them in the cluster: one that runs, one that fails, an operation."""

from __future__ import annotations

from typing import Any

from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets
from unit.offsets import make as offsets
from unit.resources.make import resource

TRACE = (
    "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded\n\tat a.B.c(B.java:1)\n"
    "Caused by: java.lang.IllegalStateException: in between\n"
    "Caused by: java.net.ConnectException: connection to db.example.com refused"
)
AT = "2026-03-01T11:56:40Z"


def condition(ready: str = "True", reason: str = "Running", message: str = "As asked.", **more: Any) -> dict[str, Any]:
    found = {"type": "Ready", "status": ready, "reason": reason, "message": message, "lastTransitionTime": AT}
    return {**found, "observedGeneration": 1, **more}


def connector(name: str = "orders", *, ready: dict[str, Any] | None = None, **changes: Any) -> LensesConnector:
    status = {
        "state": "RUNNING",
        "tasksSummary": "1/1",
        "observedGeneration": 1,
        "conditions": [ready or condition()],
        **changes.pop("status", {}),
    }
    return resource(name, uid=f"uid-{name}", status=status, **changes)


def failing(name: str = "orders", **changes: Any) -> LensesConnector:
    tasks = [
        {"id": 0, "state": "FAILED", "workerId": "10.0.0.5:8083", "error": TRACE},
        {"id": 1, "state": "RUNNING", "workerId": "10.0.0.4:8083"},
        {"id": 2, "state": "FAILED", "workerId": "10.0.0.6:8083", "error": TRACE},
    ]
    ready = condition("False", "TaskFailed", "Task 0 failed.")
    stalled = {**ready, "type": "Stalled", "status": "True"}
    status = {"tasks": tasks, "tasksSummary": "1/3", "conditions": [ready, stalled]}
    return connector(name, status=status, **changes)


def operation(name: str = "back", **changes: Any) -> LensesConnectorOffsets:
    status = {"observedGeneration": 1, "phase": "Applied", "appliedGeneration": 1, "conditions": [condition()]}
    return offsets.operation(name, uid=name, status=status | changes.pop("status", {}), **changes)
