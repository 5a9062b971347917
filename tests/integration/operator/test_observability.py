"""What the process tells of its work: one story, seen in its metrics, its log and at Lenses."""

from __future__ import annotations

import json
from typing import Any

from harness import http
from harness.kube import Object
from harness.metrics import Metrics
from harness.operator_fixtures import Operators, Place
from harness.operator_process import OperatorProcess
from harness.waiting import wait_until

OFFSETS = "LensesConnectorOffsets"


def metrics(operator: OperatorProcess) -> Metrics:
    return Metrics.parse(http.get(f"{operator.url}/metrics").text)


def lines(operator: OperatorProcess) -> list[dict[str, Any]]:
    """Of the log, as far as they are complete."""
    return [json.loads(line) for line in operator.text().rpartition("\n")[0].splitlines() if line.startswith("{")]


def loud(operator: OperatorProcess) -> list[dict[str, Any]]:
    return [line for line in lines(operator) if line["level"] != "DEBUG"]


def reset(place: Place) -> Object:
    return {
        "apiVersion": "connect.lenses.io/v1alpha1",
        "kind": OFFSETS,
        "metadata": {"name": "again", "namespace": place.namespace},
        "spec": {"connectorRef": {"name": "orders"}, "action": "Reset"},
    }


def test_a_connector_from_beginning_to_end(own_place: Place, operators: Operators) -> None:
    place = own_place
    operator = operators.start(place.namespace, LOG_FORMAT="json", DRIFT_INTERVAL="1")
    place.runs(name="lines")
    created(place, operator)
    quiet(place, operator)
    failing(place, operator)
    place.kube.create(reset(place))
    place.kube.wait_for(OFFSETS, place.namespace, "again", lambda found: found["status"].get("phase") == "Applied")
    place.wait_running()
    assert metrics(operator).total("lenses_operator_offsets_operations_total", action="Reset", outcome="applied") == 1
    lost(place, operator)
    place.kube.delete(OFFSETS, place.namespace, "again")
    place.delete_and_wait()
    wait_until("end of its series", lambda: not series(place, operator), 10)


def series(place: Place, operator: OperatorProcess) -> list[dict[str, str]]:
    """The conditions told of resources of this place."""
    found = [sample for sample in metrics(operator).samples if sample.name == "lenses_operator_resource_condition"]
    return [sample.labels for sample in found if sample.labels["namespace"] == place.namespace]


def created(place: Place, operator: OperatorProcess) -> None:
    """The line that says so, its requests, and what Lenses was told share an id."""
    found = metrics(operator)
    assert found.total("lenses_operator_resources", kind="LensesConnector") == 1
    assert found.total("lenses_operator_leader") == 1
    assert found.total("lenses_operator_build_info") == 1
    assert found.total("lenses_operator_reconcile_total", controller="lensesconnector") > 0
    assert found.total("lenses_operator_reconcile_total", result="error") == 0
    assert found.total("lenses_operator_lenses_requests_total", operation="create_connector", status="201") == 1
    assert found.total("lenses_operator_environment_up", environment=place.environment) == 1
    assert found.total("lenses_operator_connectors", environment=place.environment, state="RUNNING") == 1
    assert found.total("lenses_operator_tasks", environment=place.environment, state="RUNNING") == 1
    [ready] = series(place, operator)
    assert (ready["name"], ready["type"], ready["status"], ready["reason"]) == ("orders", "Ready", "True", "Running")
    [said] = [line for line in lines(operator) if line["message"].startswith("Created: ")]
    expected = {
        "level": "INFO",
        "kind": "LensesConnector",
        "namespace": place.namespace,
        "name": "orders",
        "generation": 1,
        "environment": place.environment,
        "cluster": place.cluster,
        "connector": "lines",
    }
    assert {key: said[key] for key in expected} == expected
    same = [line.get("operation") for line in lines(operator) if line.get("request") == said["request"]]
    assert "create_connector" in same
    [request] = place.requests("CreateConnector")
    assert request["request_id"] == said["request"]
    assert {found["request_id"] for found in place.requests("ListConnectors")} == {None}, "a list is nobody's"


def quiet(place: Place, operator: OperatorProcess) -> None:
    """Nothing at INFO while polls and drift checks find all as it should be."""
    place.wait_polls()
    before = len(loud(operator))
    place.wait_checks("lines", 2)
    place.wait_polls(4)
    assert loud(operator)[before:] == []


def failing(place: Place, operator: OperatorProcess) -> None:
    """A task that fails shows in the condition, and its restart is counted."""
    place.change("lines", tasks=[{"id": 0, "state": "FAILED", "trace": "boom"}])
    place.wait_reason("TaskFailed")
    assert {(label["type"], label["status"], label["reason"]) for label in series(place, operator)} == {
        ("Ready", "False", "TaskFailed"),
        ("Stalled", "True", "TaskFailed"),
    }
    assert metrics(operator).total("lenses_operator_tasks", environment=place.environment, state="FAILED") == 1
    annotation = {"metadata": {"annotations": {"connect.lenses.io/restart": "1"}}}
    place.kube.patch("lc", place.namespace, "orders", annotation)
    place.wait_event("TaskRestarted")
    place.wait_running()
    assert metrics(operator).total("lenses_operator_restarts_total", kind="task") == 1


def lost(place: Place, operator: OperatorProcess) -> None:
    """One line when a cluster is lost and one when it is back, whatever the number of its connectors."""
    before = len(loud(operator))
    place.fault(status=503, shape="html")
    place.wait_reason("LensesUnavailable")
    found = metrics(operator)
    assert found.total("lenses_operator_environment_up", environment=place.environment) == 0
    assert found.total("lenses_operator_environment_error", reason="LensesUnavailable") == 1
    place.control.clear_faults(place.environment)
    place.wait_running()
    said = [(line["message"].partition(":")[0], line["environment"]) for line in loud(operator)[before:]]
    between = ("list of connectors failed", place.environment)  # where it is back before the look is over that failed
    assert said.count(between) <= 1
    assert [one for one in said if one != between] == [
        ("cluster lost", place.environment),
        ("cluster back", place.environment),
    ]
