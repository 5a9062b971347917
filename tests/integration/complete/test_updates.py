"""Updates in place, and a Recreate that is refused when there is no way back but to create again."""

from __future__ import annotations

import pytest

from harness.kube import Object
from harness.lenses.control import Json
from harness.operator_fixtures import FOR_EVER, Operators, Place, conditions, message
from integration.complete.support import (
    CONFIG,
    TRACE,
    annotate,
    look_again,
    secret,
    sent,
    wait_checks_of,
    wait_younger,
)

NEW = {**CONFIG, "file": "/dev/zero", "batch.size": 5, "errors.log.enable": True, "odd": 'a: "b" # \\ é\n'}
AS_TEXT = {"file": "/dev/zero", "batch.size": "5", "errors.log.enable": "true", "odd": 'a: "b" # \\ é\n'}
IN_PLACE = {"updateStrategy": "InPlace"}


# in place
def test_one_put_and_no_delete(place: Place) -> None:
    """State and every value as text; offsets and connector stay."""
    place.runs(**IN_PLACE)
    place.apply(**IN_PLACE, config=NEW, tasksMax=1)
    place.wait_event("ConfigUpdated", about="batch.size")
    place.wait_running()
    place.wait_checks(count=3)
    assert place.writes() == ["CreateConnector", "PutResource"]
    (request,) = place.requests("PutResource")
    body = request["body"]
    assert (body["apiVersion"], body["kind"]) == ("lenses.io/v0beta", "KafkaConnector")
    assert {key: body["spec"][key] for key in ("cluster", "name", "state")} == {
        "cluster": "connect",
        "name": "orders",
        "state": "RUNNING",
    }
    assert (AS_TEXT | {"tasks.max": "1"}).items() <= body["spec"]["config"].items()
    assert {type(value) for value in body["spec"]["config"].values()} == {str}
    assert "yaml" in request["content_type"]
    assert request["accept"] != "application/json"
    assert place.wait_connector()["config"].items() >= AS_TEXT.items()
    assert place.requests("ValidateConnector")[-1]["body"]["configuration"].items() >= AS_TEXT.items()


def test_drift_in_place(place: Place) -> None:
    place.runs(**IN_PLACE)
    place.change(config_changes={"file": "/dev/one", "extra": "x"})
    assert "changed file; unwanted extra" in place.wait_event("DriftRepaired")
    place.wait_running()
    assert place.wait_connector()["config"]["file"] == CONFIG["file"]
    assert "extra" not in place.wait_connector()["config"]
    assert place.writes() == ["CreateConnector", "PutResource"]


def test_while_paused_it_waits(place: Place) -> None:
    """To be put when the connector is next to run, which the document says."""
    place.apply_until("Paused", **IN_PLACE, state="paused")
    mark = place.mark()
    place.apply_until("Paused", about="waits", **IN_PLACE, state="paused", config=NEW)
    place.wait_checks()
    assert place.writes(since=mark) == []
    place.runs(**IN_PLACE, config=NEW)
    assert place.requests("PutResource", since=mark)
    assert place.wait_connector()["config"]["file"] == "/dev/zero"
    assert place.wait_connector()["target"] == "running"
    assert "DeleteConnector" not in place.writes()


@pytest.mark.parametrize("status", [404, 405, 415, 501])
def test_unknown_to_this_lenses(place: Place, status: int) -> None:
    """Never a silent Recreate: said, with what to do, and done when asked."""
    place.control.set_resource_as_code(place.environment, status)
    place.runs(**IN_PLACE)
    before = place.connector()
    found = place.apply_until("UpdateNotSupported", about="updateStrategy: Recreate", **IN_PLACE, config=NEW)
    assert set(conditions(found)) == {"Ready", "Stalled"}
    assert found["status"]["state"] == "RUNNING"
    place.wait_event("UpdateNotSupported")
    look_again(place)
    assert place.connector() == before
    assert place.writes() == ["CreateConnector", "PutResource"]
    place.runs(config=NEW)
    assert place.wait_connector()["config"]["file"] == "/dev/zero"
    assert place.writes()[2:] == ["DeleteConnector", "CreateConnector"]


def test_a_put_that_fails_is_tried_again(place: Place) -> None:
    place.runs(**IN_PLACE)
    place.fault(operation="PutResource", status=500, times=1)
    place.fault(operation="PutResource", status=502, shape="html", times=1, skip=1)
    place.fault(operation="PutResource", drop="after", times=1, skip=2)
    place.runs(**IN_PLACE, config=NEW)
    place.wait_checks()
    assert place.wait_connector()["config"]["file"] == "/dev/zero"
    assert place.writes() == ["CreateConnector", *["PutResource"] * 3]


def test_refused_by_validation_nothing_is_put(place: Place) -> None:
    place.runs(**IN_PLACE)
    place.apply_until("ConfigInvalid", about="batch.size", **IN_PLACE, config={**CONFIG, "batch.size": "many"})
    look_again(place)
    assert place.writes() == ["CreateConnector"]


# refused at create
def test_refused_at_create(place: Place) -> None:
    """Believed once Connect has said the same for a minute, which three connectors wait for side by side.

    `masked`: Lenses hides what only memory knows, and the previous configuration runs again. `failing`: Lenses fails
    while it is to run again; tried until it does, since nothing runs meanwhile. `first`: there is nothing to go back to
    and nothing that is ours.
    """
    secret(place, "db", {"pw": "one"})
    password = [{"key": "password", "secretKeyRef": {"name": "db", "key": "pw"}}]
    place.fault(operation="GetConnector", connector="masked", mask=["password"])
    place.apply("masked", configFrom=password)
    place.apply("failing")
    for name in ("masked", "failing"):
        place.wait_running(name)
    wait_checks_of(place, ["masked"])
    before = place.wait_connector("masked")["config"]
    words = {"masked": "the database says no", "failing": "no", "first": "no such bucket"}
    for name, said in words.items():
        place.fault(
            operation="CreateConnector", connector=name, with_config={"batch.size": "5"}, status=400, message=said
        )
    old = {"file": str(CONFIG["file"])}
    failing = place.fault(operation="CreateConnector", connector="failing", with_config=old, status=503, times=2)
    mark = place.mark()
    place.apply("masked", configFrom=password, config=NEW)
    place.apply("failing", config=NEW)
    place.apply("first", config=NEW)
    for name, said in words.items():
        found = place.wait_reason("LensesUnavailable", name, about=said)
        assert set(conditions(found)) == {"Ready", "Reconciling"}
    for name in ("masked", "failing"):
        place.wait_event("RolledBack", name, timeout=150)
    for name, said in words.items():
        found = place.wait_reason("ConfigInvalid", name, about=said, timeout=150)
        assert set(conditions(found)) == {"Ready", "Stalled"}
    assert found["status"].get("ownership", {}).get("state", "None") == "None"
    for name in ("masked", "failing"):
        place.wait_connector(name, lambda connector: connector["state"] == "RUNNING")
    assert place.wait_connector("masked")["config"] == before
    assert place.wait_connector("failing")["config"]["file"] == CONFIG["file"]
    assert place.control.fault_hits(failing) == 3
    sent_so_far = {name: place.writes(name, since=mark) for name in words}
    for name in words:
        look_again(place, name)
    place.wait_polls(3)
    assert {name: place.writes(name, since=mark) for name in words} == sent_so_far
    for name in ("masked", "failing"):
        first, *creates = sent_so_far[name]
        assert (first, set(creates)) == ("DeleteConnector", {"CreateConnector"})
    assert set(sent_so_far["first"]) == {"CreateConnector"}
    assert_refused_for_a_minute(place.requests("CreateConnector", connector="first", since=mark))
    *refusals, back = place.requests("CreateConnector", connector="masked", since=mark)
    assert_refused_for_a_minute(refusals)
    assert back["status"] == 201
    place.apply("masked", configFrom=password, config={**NEW, "batch.size": 6})
    place.apply("first", config={**NEW, "batch.size": 6})
    place.apply("failing")
    for name in words:
        place.wait_running(name)
    for name in ("masked", "first"):
        assert sent(place, name)["batch.size"] == "6"


def assert_refused_for_a_minute(creates: list[Json]) -> None:
    """Often enough to be sure, and not so often as to hammer."""
    assert {create["status"] for create in creates} == {400}
    assert 3 <= len(creates) <= 12
    assert creates[-1]["monotonic"] - creates[0]["monotonic"] >= 60


# what a failed task says
DEEP = (
    "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.\n"
    + "\tat org.apache.kafka.connect.runtime.WorkerSinkTask.deliver(WorkerSinkTask.java:635)\n" * 30
    + "Caused by: org.apache.kafka.connect.errors.ConnectException: wrapped\n\t... 14 more\n"
    + "Caused by: java.sql.SQLException: Zugriff für Benutzer „ä“ verweigert – 漢字\n\t... 15 more\n"
)


def error_of(found: Object) -> str:
    return str(found["status"]["tasks"][0]["error"])


def test_the_innermost_cause(place: Place) -> None:
    place.runs()
    place.change(tasks=[{"id": 0, "state": "FAILED", "trace": DEEP}])
    found = place.wait_reason("TaskFailed", about="java.sql.SQLException: Zugriff für Benutzer „ä“ verweigert – 漢字")
    assert "wrapped" not in message(found)
    error = error_of(found)
    assert len(error.encode()) <= 1024
    assert error.startswith("org.apache.kafka.connect.errors.ConnectException: Exiting")
    assert "Caused by: java.sql.SQLException: Zugriff für Benutzer „ä“ verweigert – 漢字" in error


@pytest.mark.parametrize("shift", range(4))
def test_cut_between_characters(place: Place, shift: int) -> None:
    """A trace of one long line, of characters of one to four bytes."""
    place.runs()
    trace = "x" * shift + "aé漢😀" * 400
    place.change(tasks=[{"id": 0, "state": "FAILED", "trace": trace}])
    error = error_of(place.wait_reason("TaskFailed"))
    assert 1000 < len(error.encode()) <= 1024
    assert "\ufffd" not in error
    beginning, end = (part.strip() for part in error.split("…"))
    assert trace.startswith(beginning)
    assert trace.endswith(end)


@pytest.mark.parametrize(("before", "after"), [(700, 300), (1200, 60)])
def test_a_value_is_cut_out_before_the_trace_is_cut(place: Place, before: int, after: int) -> None:
    """Else the piece before the cut, or after it, would not be recognised."""
    secret(place, "db", {"pw": "planted-" + "p" * 200})
    place.runs(configFrom=[{"key": "password", "secretKeyRef": {"name": "db", "key": "pw"}}])
    place.change(tasks=[{"id": 0, "state": "FAILED", "trace": "x" * before + " planted-" + "p" * 200 + " y" * after}])
    found = place.wait_reason("TaskFailed")
    assert "planted" not in str(found["status"])
    assert "[redacted]" in error_of(found)


def test_the_cause_of_a_connector_that_failed_with_its_tasks(place: Place) -> None:
    place.runs()
    place.change(state="FAILED", tasks=[{"id": 0, "state": "FAILED", "trace": TRACE}])
    found = place.wait_reason("ConnectorFailed", about="task 0 too): java.net.UnknownHostException")
    assert set(conditions(found)) == {"Ready", "Stalled"}


# created, and what Lenses makes of it
def test_stopped_is_the_very_next_request_after_the_create(place: Place) -> None:
    place.apply_until("Stopped", state="stopped")
    about = [request for request in place.requests(connector="orders") if request["operation"] != "ValidateConnector"]
    order = [request["operation"] for request in about]
    at = order.index("CreateConnector")
    assert about[at + 1]["path"].endswith("/stop")
    place.wait_event("RanBriefly")
    assert place.writes() == ["CreateConnector", "ConnectorState"]


def test_created_but_not_shown_for_a_while(place: Place) -> None:
    """Details answer 404 for a while beside a cluster that is well: one create all the same."""
    place.delay(create_delay=FOR_EVER)
    place.apply()
    place.wait_request("CreateConnector", "orders")
    mark = place.mark()
    found = place.wait_reason("Progressing")
    assert set(conditions(found)) == {"Ready", "Reconciling"}
    place.wait_request("GetConnector", "orders", since=mark)
    place.end_delays()
    place.wait_running()
    assert 404 in [request["status"] for request in place.requests("GetConnector", connector="orders", since=mark)]
    place.wait_checks()
    assert place.writes() == ["CreateConnector"]


def test_a_worker_that_starts_answers_404_to_everything(place: Place) -> None:
    """Nothing counts as absent meanwhile: nothing is released, created or called uninstalled."""
    place.runs("leaving")
    fault = place.control.cluster_starting(place.environment, place.cluster)
    mark = place.mark()
    place.apply_until("LensesUnavailable", "coming")
    place.delete("leaving")
    place.wait_reason("DeletionBlocked", "leaving", about="LensesUnavailable")
    place.wait_polls(4)
    assert set(place.writes(since=mark)) <= {"DeleteConnector"}, "which may come before a list that fails"
    assert place.connector("leaving") is not None
    assert place.wait("leaving")["metadata"]["finalizers"]
    place.control.remove_fault(fault)
    place.wait_running("coming")
    place.wait_gone("leaving")
    assert place.connector("leaving") is None


def test_a_name_with_an_arrow(place: Place) -> None:
    """Encoded once on the wire, shown as it is to people."""
    name = "east-kafka->west-kafka.MirrorSourceConnector"
    place.runs("mirror", name=name, state="running")
    assert name in place.wait_event("Created", "mirror")
    wait_younger(place, "mirror")
    place.apply("twin", name=name)
    place.wait_reason("Conflict", about=name, name="twin")
    place.change(name, tasks=[{"id": 0, "state": "FAILED", "trace": "x"}])
    place.wait_reason("TaskFailed", "mirror")
    annotate(place, "mirror", restart="1")
    place.wait_running("mirror")
    place.delete_and_wait("twin")
    place.apply_until("Paused", "mirror", name=name, state="paused")
    place.delete_and_wait("mirror")
    paths = [
        request["path"] for request in place.requests() if request["connector"] and "/connectors/" in request["path"]
    ]
    assert len(paths) > 5
    assert all("/connectors/east-kafka-%3Ewest-kafka.MirrorSourceConnector" in path for path in paths)


def test_an_environment_that_a_restarted_operator_finds_down(own_place: Place, operators: Operators) -> None:
    """What was seen last is still shown, and nothing is created for want of a list."""
    first = operators.start(own_place.namespace)
    own_place.runs()
    first.kill()
    fault = own_place.control.agent_not_connected(own_place.environment)
    operators.start(own_place.namespace)
    found = own_place.wait_reason("AgentNotConnected")
    assert (found["status"]["state"], found["status"]["tasksSummary"]) == ("RUNNING", "1/1")
    own_place.wait_polls(3)
    own_place.control.remove_fault(fault)
    own_place.wait_running()
    assert own_place.writes() == ["CreateConnector"]
