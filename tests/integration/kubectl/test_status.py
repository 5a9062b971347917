"""`kubectl lenses status` and `errors` of connectors that the operator manages."""

from __future__ import annotations

import json

import pytest

from harness.kube import Kube
from harness.operator_fixtures import Place
from integration.kubectl.support import WIDTH, Person
from integration.offsets.support import Offsets

TRACE = (
    "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n"
    "\tat org.apache.kafka.connect.runtime.errors.RetryWithToleranceOperator.execAndHandleError(Retry.java:260)\n"
    "Caused by: java.net.ConnectException: the password is planted-value and the database refuses it"
)
FAILED = {"id": 0, "state": "FAILED", "trace": TRACE}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"password": "planted-value"}}
SOURCES = [{"key": "password", "secretKeyRef": {"name": "db", "key": "password"}}]


def test_well_and_not_well(place: Place, person: Person) -> None:
    place.apply("a-well")
    place.apply("b-ill", configFrom=SOURCES)
    place.kube.apply({**SECRET, "metadata": {"name": "db", "namespace": place.namespace}})
    place.wait_running("a-well")
    place.wait_running("b-ill")
    done = person.run("status")
    assert (done.code, done.err) == (0, "")
    assert "2 connectors: 2 ready" in done.out
    assert f"{place.environment} / {place.cluster}" in done.out

    place.change("b-ill", tasks=[FAILED])
    place.wait_reason("TaskFailed", "b-ill")
    done = person.run("status", "--failing")
    assert done.code == 1
    assert "a-well" not in done.out
    [task] = [line for line in done.out.splitlines() if "task 0" in line]
    assert task.endswith("java.net.ConnectException: the password is [redacted] and the database refuses it")
    assert "2 connectors: 1 ready, 1 failing" in done.out
    assert person.run("status", "a-well").code == 0
    gone = person.run("status", "nobody")
    assert (gone.code, gone.out) == (1, "")
    assert gone.err == f"kubectl lenses: there is no LensesConnector nobody in namespace {place.namespace}\n"
    found = json.loads(person.run("status", "-o", "json").out)
    assert [one["reason"] for one in found["connectors"]] == ["Running", "TaskFailed"]
    assert found["connectors"][1]["failedTasks"][0]["id"] == 0

    status = person.run("errors", "b-ill")
    assert status.code == 0
    assert "task 0 on" in status.out
    assert "\tat org.apache.kafka.connect" in status.out
    whole = person.with_lenses("errors", "b-ill", "--task", "0")
    assert "(as status has it)" in status.out
    assert "(as status has it)" not in whole.out
    assert "Caused by: java.net.ConnectException: the password is [redacted]" in whole.out
    assert "planted-value" not in status.out + whole.out + whole.err + done.out


def test_a_rotated_secret_withholds_the_trace_of_lenses(place: Place, person: Person) -> None:
    place.kube.apply({**SECRET, "metadata": {"name": "db", "namespace": place.namespace}})
    place.runs(configFrom=SOURCES)
    place.change(failing={0: TRACE}, tasks=[FAILED])
    place.wait_reason("TaskFailed")
    rotated = {
        **SECRET,
        "stringData": {"password": "another"},
        "metadata": {"name": "db", "namespace": place.namespace},
    }
    place.kube.apply(rotated)
    done = person.with_lenses("errors", "orders")
    assert "planted-value" not in done.out + done.err
    assert "task 0" in done.out


def test_offsets_operations_stand_below(offsets: Offsets, person: Person) -> None:
    offsets.runs(class_name="example.AnySource", config={})
    offsets.apply_until("Applied")
    assert "offsets back: Alter Applied" in person.run("status").out


def test_it_stays_and_redraws_in_place(place: Place, person: Person) -> None:
    place.runs()
    with person.terminal("status", "--watch") as terminal:
        terminal.wait(lambda text: "1 connector: 1 ready" in text)
        place.change(tasks=[FAILED])
        terminal.wait(lambda text: "1 connector: 1 failing" in text)
        assert "\x1b[" in terminal.raw
        terminal.press_ctrl_c()
        assert terminal.end() == 130
        assert "Traceback" not in terminal.text
        assert all(len(line) <= WIDTH for frame in terminal.text.split("\r") for line in frame.split("\n"))


def test_into_a_pipe_go_changes_line_by_line(place: Place, person: Person) -> None:
    place.runs()
    with person.piped("status", "-w") as piped:
        piped.wait(lambda text: f"{place.namespace}/orders RUNNING 1/1 Running\n" in text)
        place.change(tasks=[FAILED])
        piped.wait(lambda text: "TaskFailed: java.net.ConnectException" in text)
        place.delete()
        piped.wait(lambda text: f"{place.namespace}/orders is gone\n" in text)
        piped.interrupt()
        assert piped.end() == 130
    assert "\x1b" not in piped.raw


def test_into_a_pipe_go_offsets_operations_too(offsets: Offsets, person: Person) -> None:
    offsets.runs(class_name="example.AnySource", config={})
    place = offsets.place
    place.fault(operation="ConnectorState", status=503)
    with person.piped("status", "-w") as piped:
        piped.wait(lambda text: "RUNNING 1/1 Running" in text)
        offsets.apply()
        about = f"{place.namespace}/orders offsets back: Alter"
        piped.wait(lambda text: f"{about} Stopping: " in text)
        place.control.clear_faults(place.environment)
        piped.wait(lambda text: f"{about} Applied\n" in text)
        offsets.apply("later", action="Reset")
        piped.wait(lambda text: "offsets later: Reset Applied\n" in text)
        place.delete()
        piped.wait(lambda text: "/orders is gone\n" in text)
        assert "back is gone" not in piped.text, "a later one stands in its place"


def test_what_may_not_be_read_says_which_right_is_missing(person: Person, kube: Kube) -> None:
    other = kube.create_namespace()
    for words in (("status",), ("errors", "orders"), ("offsets", "show", "orders"), ("pause", "orders")):
        done = person.run(*words, namespace=other)
        assert (done.code, done.out) == (1, "")
        assert f"person has no right to {'list' if words[0] == 'status' else 'get'} lensesconnectors" in done.err
        assert f"in namespace {other}. The chart adds it to the ClusterRole view" in done.err
    everywhere = person.run("status", "-A")
    assert everywhere.code == 1
    assert "in the whole cluster. Name a namespace with -n instead of -A" in everywhere.err


@pytest.mark.parametrize(
    "words", [("status", "x", "-A"), ("status", "-w", "-o", "json"), ("pause",), ("stop", "a", "--all")]
)
def test_wrong_usage(words: tuple[str, ...], person: Person) -> None:
    assert person.run(*words).code == 2
