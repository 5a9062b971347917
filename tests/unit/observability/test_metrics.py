"""What is counted where it happens."""

from __future__ import annotations

import pytest
from prometheus_client.exposition import generate_latest

from lenses_operator.observability.metrics import CONTROLLERS, RESULTS, Metrics
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets
from unit.offsets.make import operation
from unit.resources.make import resource


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"lenses_operator_{name}", labels)


def test_counters_with_known_labels_begin_at_nothing() -> None:
    metrics = Metrics()
    for name in CONTROLLERS.values():
        for result in RESULTS:
            assert value(metrics, "reconcile_total", controller=name, result=result) == 0
    for kind in ("task", "connector"):
        assert value(metrics, "restarts_total", kind=kind) == 0
    for action in ("Alter", "Reset"):
        for outcome in ("applied", "failed"):
            assert value(metrics, "offsets_operations_total", action=action, outcome=outcome) == 0


def test_passes_by_controller_and_result() -> None:
    metrics = Metrics()
    metrics.passed("LensesConnector", "requeue_after", 0.3)
    assert value(metrics, "reconcile_total", controller="lensesconnector", result="requeue_after") == 1
    assert value(metrics, "reconcile_time_seconds_sum", controller="lensesconnector") == 0.3


@pytest.mark.parametrize(("status", "word"), [(200, "200"), (503, "503"), ("connect_timeout", "connect_timeout")])
def test_requests_by_operation_and_status_and_never_by_environment(status: int | str, word: str) -> None:
    metrics = Metrics()
    metrics.answered("get_connector", "planted", status, 0.25)
    assert value(metrics, "lenses_requests_total", operation="get_connector", status=word) == 1
    assert value(metrics, "lenses_request_duration_seconds_sum", operation="get_connector") == 0.25
    assert b"planted" not in generate_latest(metrics.registry)


@pytest.mark.parametrize(("reason", "kind"), [("TaskRestarted", "task"), ("ConnectorRestarted", "connector")])
def test_restarts(reason: str, kind: str) -> None:
    metrics = Metrics()
    metrics.told(resource("planted"), "Normal", reason)
    metrics.told(resource("planted"), "Normal", "NotRestarted")
    assert value(metrics, "restarts_total", kind=kind) == 1
    assert value(metrics, "events_total", type="Normal", reason=reason) == 1
    assert value(metrics, "events_total", type="Normal", reason="NotRestarted") == 1
    assert b"planted" not in generate_latest(metrics.registry), "counters outlive the resources they are about"


APPLIED = operation(action="Reset", status={"appliedGeneration": 1, "phase": "Applied"})
FAILED = operation(status={"observedGeneration": 1, "phase": "Failed"})
UNDER_WAY = operation(status={"observedGeneration": 1, "phase": "Stopping"})
OBSERVING = operation(action="Observe", status={"observedGeneration": 1, "phase": "Failed"})


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        (APPLIED, {("Reset", "applied"): 1}),
        (FAILED, {("Alter", "failed"): 1}),
        (UNDER_WAY, {}),
        (OBSERVING, {}),
    ],
    ids=["applied", "failed", "under-way", "observing"],
)
def test_offsets_operations_when_they_end(told: LensesConnectorOffsets, counted: dict[tuple[str, str], float]) -> None:
    metrics = Metrics()
    metrics.told(told, "Normal", "Whatever")
    found = {
        (action, outcome): value(metrics, "offsets_operations_total", action=action, outcome=outcome)
        for action in ("Alter", "Reset")
        for outcome in ("applied", "failed")
    }
    assert {labels: count for labels, count in found.items() if count} == counted


def test_two_operators_in_one_process_do_not_meet() -> None:
    one, two = Metrics(), Metrics()
    one.leader.set(1)
    assert (value(one, "leader"), value(two, "leader")) == (1, 0)
