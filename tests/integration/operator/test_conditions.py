"""Every situation a connector can be in, as `kubectl`, kstatus and people read it from the conditions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.kube import Object
from harness.operator_fixtures import FOR_EVER, SOURCE, Place, conditions, message, reason

TRACE = (
    "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.\n"
    "\tat org.apache.kafka.connect.runtime.WorkerSinkTask.execute(WorkerSinkTask.java:250)\n"
    "Caused by: java.net.UnknownHostException: db.example.org: Name or service not known\n"
    "\t... 12 more\n"
)


def assert_ready(found: Object, ready: str, why: str, beside: str | None) -> None:
    """Ready with this reason; exactly this condition beside it; all about the present generation."""
    given = conditions(found)
    assert (given["Ready"]["status"], given["Ready"]["reason"]) == (ready, why)
    assert set(given) == {"Ready"} | ({beside} if beside else set())
    assert not {"Reconciling", "Stalled"} <= set(given)
    for condition in given.values():
        assert condition["observedGeneration"] == found["metadata"]["generation"]
        assert condition["message"]
        assert condition["status"] == "True" or condition["type"] == "Ready"
    assert found["status"]["observedGeneration"] == found["metadata"]["generation"]


def test_create_to_ready(place: Place) -> None:
    created = place.kube.create(place.manifest(tasksMax=1))
    assert created["status"] == {"observedGeneration": -1}
    found = place.wait_running()
    assert_ready(found, "True", "Running", None)
    status = found["status"]
    assert status["state"] == "RUNNING"
    assert (status["type"], status["version"], status["workerId"]) == ("source", "4.3.1", "10.0.0.4:8083")
    assert status["lrn"].endswith(f"{place.environment}/connect/orders")
    assert status["tasks"] == [{"id": 0, "state": "RUNNING", "workerId": "10.0.0.4:8083"}]
    assert status["tasksSummary"] == "1/1"
    assert status["topics"] == ["lines"]
    assert status["ownership"]["state"] == "Owned"
    assert status["appliedConfig"]["hash"].startswith("sha256:")
    assert found["metadata"]["finalizers"] == ["connect.lenses.io/connector"]
    assert place.connector() is not None
    assert place.wait_connector()["config"] == {
        "connector.class": SOURCE,
        "file": "/dev/null",
        "topic": "lines",
        "tasks.max": "1",
        "name": "orders",
    }
    assert place.writes() == ["CreateConnector"]
    assert place.wait_event("Created")


def test_update_moves_the_observed_generation(place: Place) -> None:
    place.runs()
    found = place.runs(config={"file": "/dev/zero", "topic": "lines"})
    assert found["metadata"]["generation"] == found["status"]["observedGeneration"] == 2
    assert place.wait_connector()["config"]["file"] == "/dev/zero"
    assert "file" in place.wait_event("ConfigUpdated")
    assert place.writes() == ["CreateConnector", "DeleteConnector", "CreateConnector"]


def test_every_value_is_sent_to_the_letter(place: Place) -> None:
    config = {"topic": "lines", "file": "two\nlines\n", "batch.size": 9223372036, "errors.log.enable": True, "x": ""}
    place.runs(config=config, class_name="FileStreamSource")
    assert place.wait_connector()["config"] == {
        "name": "orders",
        "connector.class": "FileStreamSource",
        "topic": "lines",
        "file": "two\nlines\n",
        "batch.size": "9223372036",
        "errors.log.enable": "true",
        "x": "",
    }


@pytest.mark.parametrize(("state", "word"), [("paused", "Paused"), ("stopped", "Stopped")])
def test_held_and_back(place: Place, state: str, word: str) -> None:
    place.runs()
    found = place.apply_until(word, state=state)
    assert_ready(found, "True", word, None)
    assert found["status"]["state"] == word.upper()
    place.apply(state="running")
    assert_ready(place.wait_running(), "True", "Running", None)
    assert place.writes() == ["CreateConnector", "ConnectorState", "ConnectorState"]


@dataclass(frozen=True)
class Seen:
    """Something that happens to a running connector, and how it is told."""

    ready: str
    reason: str
    beside: str | None
    about: str
    change: dict[str, Any] = field(default_factory=dict)
    fault: dict[str, Any] = field(default_factory=dict)
    spec: dict[str, Any] = field(default_factory=dict)


SEEN = {
    "task-failed": Seen(
        "False",
        "TaskFailed",
        "Stalled",
        "task 0): java.net.UnknownHostException: db.example.org",
        change={"tasks": [{"id": 0, "state": "FAILED", "trace": TRACE}]},
    ),
    "one-of-three-failed": Seen(
        "False",
        "TaskFailed",
        "Stalled",
        "1 of 3 tasks failed (task 2)",
        change={"tasks": [{"id": 0}, {"id": 1}, {"id": 2, "state": "FAILED", "trace": TRACE}]},
    ),
    "connector-failed": Seen("False", "ConnectorFailed", "Stalled", "connector itself", change={"state": "FAILED"}),
    "unassigned": Seen("Unknown", "Progressing", "Reconciling", "UNASSIGNED", change={"state": "UNASSIGNED"}),
    "task-unassigned": Seen(
        "Unknown", "Progressing", "Reconciling", "0 of 1", change={"tasks": [{"id": 0, "state": "UNASSIGNED"}]}
    ),
    "no-state": Seen("Unknown", "StateUnknown", "Reconciling", "", fault={"omit_state": True}),
    "odd-state": Seen("Unknown", "StateUnknown", "Reconciling", "DESTROYED", fault={"state": "DESTROYED"}),
    "paused-with-a-failed-task": Seen(
        "True",
        "Paused",
        None,
        "task 0",
        spec={"state": "paused"},
        change={"tasks": [{"id": 0, "state": "FAILED", "trace": TRACE}]},
    ),
}


@pytest.mark.parametrize("case", SEEN.values(), ids=SEEN.keys())
def test_what_is_seen_of_a_running_connector(place: Place, case: Seen) -> None:
    place.apply_until("Paused" if case.spec else "Running", **case.spec)
    sent = place.writes()
    if case.change:
        place.change(**case.change)
    if case.fault:
        place.fault(**case.fault)
    found = place.wait_reason(case.reason, about=case.about)
    assert_ready(found, case.ready, case.reason, case.beside)
    place.wait_polls()
    assert place.writes() == sent


def test_a_failed_task_shows_its_error(place: Place) -> None:
    """Ten tasks were allowed, the connector makes one, and that one fails."""
    place.runs(tasksMax=10)
    place.change(tasks=[{"id": 0, "state": "FAILED", "trace": TRACE}])
    status = place.wait_reason("TaskFailed")["status"]
    assert (status["state"], status["tasksSummary"]) == ("RUNNING", "0/1")
    (task,) = status["tasks"]
    assert task["state"] == "FAILED"
    assert task["error"].splitlines()[0] == TRACE.splitlines()[0]
    assert "UnknownHostException" in task["error"]
    place.change(tasks=[{"id": 0}])
    assert "error" not in place.wait_running()["status"]["tasks"][0]


@dataclass(frozen=True)
class Trouble:
    """An answer of Lenses, and what a connector that is well says once it is given to everything."""

    ready: str
    reason: str
    beside: str
    fault: dict[str, Any]
    about: str = ""


TROUBLES = {
    "500": Trouble("Unknown", "LensesUnavailable", "Reconciling", {"status": 500}),
    "502-page": Trouble("Unknown", "LensesUnavailable", "Reconciling", {"status": 502, "shape": "html"}),
    "503-hq": Trouble("Unknown", "LensesUnavailable", "Reconciling", {"status": 503, "shape": "hq"}),
    "429": Trouble("Unknown", "LensesUnavailable", "Reconciling", {"status": 429}),
    "login-page": Trouble(
        "Unknown", "LensesUnavailable", "Reconciling", {"status": 200, "text": "<html>", "content_type": "text/html"}
    ),
    "404-page": Trouble("Unknown", "LensesUnavailable", "Reconciling", {"status": 404, "shape": "html"}),
    "400": Trouble("Unknown", "LensesUnavailable", "Reconciling", {"status": 400}),
    "dropped": Trouble("Unknown", "LensesUnavailable", "Reconciling", {"drop": "before"}),
    "other-json": Trouble("Unknown", "LensesUnavailable", "Reconciling", {"body": {"data": "none"}}),
    "agent": Trouble("Unknown", "AgentNotConnected", "Reconciling", {"agent_down": True}, "agent"),
    "409": Trouble("Unknown", "ConnectRebalancing", "Reconciling", {"status": 409}, "rebalanc"),
    "401": Trouble("False", "Unauthorized", "Stalled", {"status": 401}, "token"),
    "403": Trouble("False", "Forbidden", "Stalled", {"status": 403}, "permission"),
    "402": Trouble("False", "LicenseRequired", "Stalled", {"status": 402}, "licence"),
    "licence-hq": Trouble(
        "False",
        "LicenseRequired",
        "Stalled",
        {"status": 403, "shape": "hq", "type": "licence_limitation"},
        "licence",
    ),
    "environment": Trouble(
        "False", "EnvironmentNotFound", "Stalled", {"status": 404, "shape": "hq", "type": "not_found"}, "environment"
    ),
}


@pytest.mark.parametrize("case", TROUBLES.values(), ids=TROUBLES.keys())
def test_trouble_is_told_and_passes(place: Place, case: Trouble) -> None:
    """What was seen last stays, nothing is sent that changes anything, and it is well again afterwards."""
    well = place.runs()
    sent = place.writes()
    fault = place.fault(**case.fault)
    found = place.wait_reason(case.reason, about=case.about)
    assert_ready(found, case.ready, case.reason, case.beside)
    for kept in ("state", "tasks", "tasksSummary", "topics", "ownership", "appliedConfig"):
        assert found["status"][kept] == well["status"][kept]
    place.control.remove_fault(fault)
    assert_ready(place.wait_running(), "True", "Running", None)
    assert place.writes() == sent


NEW = {
    "environment": Trouble("False", "EnvironmentNotFound", "Stalled", {}, "'nowhere'"),
    "cluster": Trouble("False", "ClusterNotFound", "Stalled", {}, "'nowhere'"),
}


@pytest.mark.parametrize("where", ["environment", "cluster"])
def test_a_place_nobody_knows(place: Place, persona: str, where: str) -> None:
    case = NEW["cluster" if persona == "documented" else where]  # by its file both are the same 404
    place.apply(**{where: "nowhere"})
    found = place.wait_reason(case.reason, about=case.about if case is NEW[where] else "'connect'")
    assert_ready(found, case.ready, case.reason, case.beside)
    place.delete_and_wait()
    assert place.writes() == []


def test_no_write_permission(place: Place) -> None:
    """Reading is allowed, so nothing is wrong until something has to be done."""
    fault = place.fault(operation=["CreateConnector", "ValidateConnector"], status=403, message="no such right")
    found = place.apply_until("Forbidden", about="no such right")
    assert_ready(found, "False", "Forbidden", "Stalled")
    assert place.connector() is None
    place.control.remove_fault(fault)
    place.delete_and_wait()


def test_config_refused_by_validation(place: Place) -> None:
    place.apply(config={"file": "/dev/null", "topic": "lines", "batch.size": "many"})
    found = place.wait_reason("ConfigInvalid", about="batch.size: Invalid value many")
    assert_ready(found, "False", "ConfigInvalid", "Stalled")
    assert place.writes() == []
    assert found["status"].get("ownership", {}).get("state", "None") == "None"
    place.apply(config={"file": "/dev/null", "topic": "lines", "batch.size": 10})
    assert_ready(place.wait_running(), "True", "Running", None)


def test_class_that_is_not_installed(place: Place) -> None:
    place.apply(class_name="org.apache.kafka.connect.file.FileStreamSorceConnector")
    found = place.wait_reason("PluginNotFound", about=f"{SOURCE} 4.3.1")
    assert_ready(found, "False", "PluginNotFound", "Stalled")
    assert "'org.apache.kafka.connect.file.FileStreamSorceConnector'" in message(found)
    place.runs()


def test_not_adopted(place: Place) -> None:
    """Another's connector is left as it is, nothing of it is shown, and deleting the resource does not touch it."""
    place.change(config={"connector.class": SOURCE, "file": "/dev/zero", "topic": "lines", "password": "planted-1"})
    found = place.apply_until("NotAdopted", about="changed file; unwanted password")
    assert_ready(found, "False", "NotAdopted", "Stalled")
    assert "planted-1" not in str(found)
    assert not {"state", "tasks", "tasksSummary", "topics", "lrn"} & set(found["status"])
    place.delete_and_wait()
    assert place.wait_connector()["config"]["password"] == "planted-1"
    assert place.writes() == []


def test_adopted_if_identical(place: Place) -> None:
    place.change(config={"connector.class": SOURCE, "file": "/dev/null", "topic": "lines"})
    place.apply()
    assert place.wait_running()["status"]["ownership"]["state"] == "Owned"
    assert place.wait_event("Adopted")
    assert place.writes() == []
    place.delete_and_wait()
    assert place.writes() == ["DeleteConnector"]


def test_progressing_while_tasks_start(place: Place) -> None:
    place.delay(task_delay=FOR_EVER)
    found = place.apply_until("Progressing")
    assert_ready(found, "Unknown", "Progressing", "Reconciling")
    place.end_delays()
    place.wait_running()


def test_deleting_and_blocked(place: Place) -> None:
    place.runs()
    place.delay(delete_delay=FOR_EVER)
    place.delete()
    found = place.wait(predicate=lambda o: reason(o) == "Deleting")
    assert_ready(found, "False", "Deleting", "Reconciling")
    place.fault(status=502, shape="html")
    found = place.wait_reason("DeletionBlocked")
    assert_ready(found, "False", "DeletionBlocked", "Reconciling")
    place.control.clear_faults(place.environment)
    place.end_delays()
    place.wait_gone()
    assert place.connector() is None


def test_takes_a_minute_to_tell(place: Place) -> None:
    """A running connector without tasks, and a create that always ends in the same 500, are believed after a minute."""
    place.runs("idle")
    place.fault(operation="CreateConnector", connector="odd", status=500, message="cannot be")
    place.apply("odd")
    place.change("idle", tasks=[])
    assert_ready(place.wait_reason("Progressing", "idle"), "Unknown", "Progressing", "Reconciling")
    assert_ready(place.wait_reason("LensesUnavailable", "odd"), "Unknown", "LensesUnavailable", "Reconciling")
    found = place.wait_reason("ConfigInvalid", "odd", timeout=150, about="cannot be")
    assert_ready(found, "False", "ConfigInvalid", "Stalled")
    found = place.wait_reason("NoTasks", "idle", timeout=150)
    assert_ready(found, "False", "NoTasks", "Reconciling")
    place.change("idle", tasks=[{"id": 0}])
    place.wait_running("idle")
