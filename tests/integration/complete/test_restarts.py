"""Restarts: by auto-restart within its budget, by the annotation once per value; and the word to look again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from harness.kube import Object
from harness.operator_fixtures import Operators, Place, conditions, message
from integration.complete.support import CONFIG, S3, S3_CONFIG, TRACE, annotate

AUTO = {"enabled": True, "maxRestarts": 3}
FAILED = {"id": 0, "state": "FAILED", "trace": TRACE}


def restarts(place: Place, name: str = "orders", since: int = 0) -> list[str]:
    """`task 2`, or `connector`, in order."""
    found = []
    for request in place.requests("ConnectorTaskRestart", "ConnectorState", connector=name, since=since):
        parts = request["path"].split("/")
        found.append(f"task {parts[-2]}" if request["operation"] == "ConnectorTaskRestart" else parts[-1])
    return ["connector" if word == "restart" else word for word in found]


def time(found: Object, field: str) -> datetime:
    return datetime.fromisoformat(found["status"]["autoRestart"][field])


def broken(place: Place, name: str = "orders", **spec: Any) -> None:
    """A task that fails, and fails again whenever it is started."""
    place.runs(name, autoRestart=AUTO, **spec)
    place.change(name, failing={0: TRACE}, tasks=[FAILED])


def count_is(count: int) -> Any:
    return lambda found: found["status"].get("autoRestart", {}).get("count") == count


# auto-restart
def test_the_first_at_once_and_the_next_in_two_minutes(place: Place) -> None:
    broken(place)
    found = place.wait(predicate=lambda o: o["status"].get("autoRestart", {}).get("nextRestartTime"))
    auto = found["status"]["autoRestart"]
    assert (auto["count"], auto["generation"]) == (1, found["metadata"]["generation"])
    assert time(found, "nextRestartTime") - time(found, "lastRestartTime") == timedelta(minutes=2)
    found = place.wait_reason("TaskFailed", about="Automatic restart 2 of 3 is due at")
    assert set(conditions(found)) == {"Ready", "Reconciling"}
    assert "UnknownHostException" in message(found)
    place.wait_polls(3)
    place.wait_checks()
    assert restarts(place) == ["task 0"]
    place.wait_event("TaskRestarted", about="task 0, automatically")


def test_a_restart_that_helps(place: Place) -> None:
    """Well again, and the count is kept until ten healthy minutes have passed."""
    place.runs(autoRestart=AUTO)
    place.change(tasks=[FAILED])
    place.wait(predicate=count_is(1))
    found = place.wait_running()
    assert found["status"]["autoRestart"]["count"] == 1
    assert "nextRestartTime" not in found["status"]["autoRestart"]
    place.change(tasks=[FAILED])
    place.wait_reason("TaskFailed", about="Automatic restart 2 of 3 is due at")
    place.wait_polls()
    assert restarts(place) == ["task 0"]


def test_the_budget_is_spent(place: Place) -> None:
    place.runs(autoRestart={"enabled": True, "maxRestarts": 1})
    place.change(failing={0: TRACE}, tasks=[FAILED])
    found = place.wait_reason("TaskFailed", about="All 1 automatic restarts were used")
    assert set(conditions(found)) == {"Ready", "Stalled"}
    assert "nextRestartTime" not in found["status"]["autoRestart"]
    place.wait_polls(3)
    place.wait_checks()
    assert restarts(place) == ["task 0"]
    place.change(failing={}, tasks=[{"id": 0}])
    assert set(conditions(place.wait_running())) == {"Ready"}


def test_a_changed_spec_begins_anew(place: Place) -> None:
    broken(place)
    place.wait_reason("TaskFailed", about="Automatic restart 2")
    place.apply(autoRestart={"enabled": True, "maxRestarts": 4})
    found = place.wait_reason("TaskFailed", about="Automatic restart 2 of 4")
    auto = found["status"]["autoRestart"]
    assert (auto["count"], auto["generation"]) == (1, 2)
    assert restarts(place) == ["task 0", "task 0"]


def test_the_operator_is_restarted(own_place: Place, operators: Operators) -> None:
    """The counter lives in status: neither a kill in the middle nor a clean end gives a restart for nothing."""
    first = operators.start(own_place.namespace)
    broken(own_place)
    before = own_place.wait_reason("TaskFailed", about="Automatic restart 2 of 3 is due at")
    first.kill()
    operators.start(own_place.namespace)
    own_place.wait_checks(count=2)
    own_place.wait_polls(3)
    after = own_place.wait_reason("TaskFailed")
    assert restarts(own_place) == ["task 0"]
    assert after["status"]["autoRestart"] == before["status"]["autoRestart"]


def test_killed_while_the_restart_is_asked_for(own_place: Place, operators: Operators) -> None:
    """It was written down before it was asked for, so it is not asked for again."""
    first = operators.start(own_place.namespace)
    point = own_place.control.add_breakpoint(own_place.environment, "ConnectorTaskRestart", when="after")
    broken(own_place)
    own_place.control.wait_breakpoint(point)
    first.kill()
    own_place.control.release_breakpoint(point, "drop")
    operators.start(own_place.namespace)
    found = own_place.wait_reason("TaskFailed", about="Automatic restart 2 of 3")
    own_place.wait_checks()
    assert found["status"]["autoRestart"]["count"] == 1
    assert restarts(own_place) == ["task 0"]


def test_off_by_default(place: Place) -> None:
    place.runs()
    place.change(tasks=[FAILED])
    found = place.wait_reason("TaskFailed", about="connect.lenses.io/restart")
    place.wait_polls(3)
    assert restarts(place) == []
    assert "autoRestart" not in found["status"]


def test_failed_tasks_one_by_one(place: Place) -> None:
    """Only those that failed, and not the connector, which did not."""
    place.runs(class_name=S3, config=S3_CONFIG, tasksMax=3, autoRestart=AUTO)
    place.change(tasks=[FAILED, {"id": 1}, {**FAILED, "id": 2}])
    place.wait(predicate=count_is(1))
    place.wait_running()
    assert restarts(place) == ["task 0", "task 2"]


def test_the_connector_only_when_it_failed_itself(place: Place) -> None:
    place.runs(autoRestart=AUTO)
    place.change(state="FAILED", fails=True)
    found = place.wait_reason("ConnectorFailed", about="Automatic restart 2 of 3")
    assert set(conditions(found)) == {"Ready", "Reconciling"}
    place.wait_polls(3)
    assert restarts(place) == ["connector"]
    place.wait_event("ConnectorRestarted")
    place.change(fails=False, state="RUNNING")
    place.wait_running()


def test_what_lenses_restarts_itself_meanwhile(place: Place) -> None:
    """Seen as failed by the list, running in the details: neither restarted nor counted."""
    place.runs(autoRestart=AUTO)
    place.wait_polls(3)
    point = place.control.add_breakpoint(place.environment, "GetConnector", connector="orders")
    place.change(tasks=[FAILED])
    place.wait_polls()
    place.control.wait_breakpoint(point)
    place.change(tasks=[{"id": 0}])
    place.control.release_breakpoint(point)
    place.wait_polls(3)
    found = place.wait_running()
    place.wait_checks()
    assert restarts(place) == []
    assert not found["status"].get("autoRestart", {}).get("count")


# the restart annotation
def test_in_the_manifest_from_the_start(place: Place) -> None:
    """What was just created needs no restart; a later value does, once; the value handled last does not."""
    manifest = place.manifest()
    manifest["metadata"]["annotations"] = {"connect.lenses.io/restart": "true"}
    place.kube.create(manifest)
    assert place.wait_running()["status"]["lastHandledRestart"] == "true"
    place.wait_event("NotRestarted", about="created")
    place.wait_polls(3)
    assert restarts(place) == []
    annotate(place, restart="2")
    place.wait(predicate=lambda found: found["status"]["lastHandledRestart"] == "2")
    place.wait_event("ConnectorRestarted", about="as the restart annotation asks")
    place.wait_running()
    place.wait_checks()
    assert restarts(place) == ["connector"]


def test_while_stopped_it_is_noted_and_told(place: Place) -> None:
    place.apply_until("Stopped", state="stopped")
    mark = place.mark()
    annotate(place, restart="3")
    place.wait(predicate=lambda found: found["status"].get("lastHandledRestart") == "3")
    assert "spec.state is stopped" in place.wait_event("NotRestarted")
    place.wait_polls()
    assert place.writes(since=mark) == []
    annotate(place, restart=None)
    place.runs(state="running")
    annotate(place, restart="3")
    place.wait_polls(3)
    place.wait_checks()
    assert restarts(place, since=mark) == ["resume"]


def test_while_suspended_it_is_noted_and_told(place: Place) -> None:
    place.runs()
    mark = place.mark()
    place.apply_until("Suspended", suspend=True)
    annotate(place, restart="1")
    place.wait(predicate=lambda found: found["status"].get("lastHandledRestart") == "1")
    assert "spec.suspend" in place.wait_event("NotRestarted")
    place.runs(suspend=False)
    place.wait_polls()
    assert restarts(place, since=mark) == []


def test_the_annotation_restarts_what_failed(place: Place) -> None:
    """The failed tasks, and not the connector; a task that is unknown by then is no error."""
    place.runs(class_name=S3, config=S3_CONFIG, tasksMax=3)
    place.change(tasks=[{"id": 0}, {**FAILED, "id": 1}, {**FAILED, "id": 2}])
    place.wait_reason("TaskFailed")
    place.fault(operation="ConnectorTaskRestart", status=404, message="Unknown task: orders-1", times=1)
    annotate(place, restart="1")
    found = place.wait(predicate=lambda o: o["status"].get("lastHandledRestart") == "1")
    place.wait_event("TaskRestarted", about="task 2")
    place.wait_reason("TaskFailed", about="task 1")
    place.wait_checks()
    assert restarts(place) == ["task 1", "task 2"]
    assert "autoRestart" not in found["status"]


def test_the_annotation_restarts_a_connector_that_failed(place: Place) -> None:
    place.runs()
    place.change(state="FAILED")
    place.wait_reason("ConnectorFailed")
    annotate(place, restart="1")
    place.wait_running()
    assert restarts(place) == ["connector"]


def test_the_annotation_over_a_restart_of_the_operator(own_place: Place, operators: Operators) -> None:
    first = operators.start(own_place.namespace)
    own_place.runs()
    annotate(own_place, restart="1")
    own_place.wait(predicate=lambda found: found["status"].get("lastHandledRestart") == "1")
    own_place.wait_running()
    first.kill()
    operators.start(own_place.namespace)
    own_place.wait_checks()
    own_place.wait_polls()
    assert restarts(own_place) == ["connector"]


# the reconcile annotation
def test_look_again_now(watched: Place) -> None:
    """Where no drift check would come for a day."""
    watched.runs()
    watched.wait_polls(3)
    watched.change(config_changes={"file": "/dev/zero"})
    watched.wait_polls(3)
    assert watched.wait_connector()["config"]["file"] == "/dev/zero"
    annotate(watched, reconcile="now")
    assert "file" in watched.wait_event("DriftRepaired")
    found = watched.wait(predicate=lambda o: o["status"].get("lastHandledReconcile") == "now")
    assert found["status"]["lastHandledReconcile"] == "now"
    watched.wait_running()
    assert watched.wait_connector()["config"]["file"] == CONFIG["file"]
    mark = watched.mark()
    watched.wait_polls(3)
    assert {request["operation"] for request in watched.requests(since=mark)} <= {"ListConnectors", "GetConnector"}
    assert watched.writes(since=mark) == []


def test_look_again_while_nothing_is_wrong(watched: Place) -> None:
    watched.runs()
    annotate(watched, reconcile="1")
    watched.wait(predicate=lambda found: found["status"].get("lastHandledReconcile") == "1")
    assert watched.writes() == ["CreateConnector"]
