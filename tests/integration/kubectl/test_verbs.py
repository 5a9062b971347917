"""The verbs, with the rights of `edit`, against the operator."""

from __future__ import annotations

import pytest

from harness.kube import Kube, Object
from harness.operator_fixtures import Place
from harness.waiting import wait_until
from integration.kubectl.support import Person, bind

FAILED = {"id": 0, "state": "FAILED", "trace": "java.io.IOException: gone"}


def managers(found: Object, part: str, field: str) -> set[str]:
    """Who has this field."""
    entries = found["metadata"]["managedFields"]
    return {entry["manager"] for entry in entries if f"f:{field}" in entry["fieldsV1"].get(f"f:{part}", {})}


def test_pause_resume_stop(place: Place, person: Person) -> None:
    place.runs()
    for verb, state, word in (
        ("pause", "PAUSED", "Paused"),
        ("resume", "RUNNING", "Running"),
        ("stop", "STOPPED", "Stopped"),
    ):
        done = person.run(verb, "orders", "--wait")
        assert (done.code, done.err) == (0, "")
        assert f": {word} after " in done.out
        found = place.get()
        assert found is not None
        assert found["status"]["state"] == state
        assert managers(found, "spec", "state") == {"kubectl-lenses"}
    again = person.run("stop", "orders")
    assert (again.code, again.out) == (0, "orders: spec.state is stopped already\n")


def test_restart_of_a_failed_task(place: Place, person: Person) -> None:
    place.runs()
    place.change(tasks=[FAILED])
    place.wait_reason("TaskFailed")
    done = person.run("restart", "orders", "--wait")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("orders: restart asked for: Running after ")
    assert "ConnectorTaskRestart" in place.writes()
    done = person.run("restart", "orders", "--wait")
    assert (done.code, done.err) == (0, "")
    assert place.writes().count("ConnectorState") == 1, "a second one is another restart, of the connector itself"


def test_several_side_by_side(place: Place, person: Person) -> None:
    """One that fails does not stop the others."""
    names = ["a", "b", "c"]
    place.apply_many(names)
    place.apply("d", state="paused")
    for name in names:
        place.wait_running(name)
    place.wait_reason("Paused", "d")
    done = person.run("restart", "d", "nobody", *names, "--wait")
    assert done.code == 1
    assert {line.partition(":")[0] for line in done.out.splitlines()} == {*names}
    assert "kubectl lenses: d: spec.state is paused, so nothing is restarted; `resume` starts it\n" in done.err
    assert "there is no LensesConnector nobody" in done.err
    everything = person.run("restart", "--all")
    assert everything.code == 0
    assert len(everything.out.splitlines()) == 4
    labelled = person.run("suspend", "-l", "tests/operator=shared", "--wait")
    assert labelled.code == 0
    assert labelled.out.count("Suspended after") == 4
    assert person.run("unsuspend", "--all", "--wait").code == 0
    assert person.run("reconcile", *names, "--wait").code == 0


def test_git_puts_it_back(place: Place, person: Person) -> None:
    labels = {
        **place.labels,
        "kustomize.toolkit.fluxcd.io/name": "apps",
        "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    }
    manifest = place.manifest(state="running")
    manifest["metadata"]["labels"] = labels
    place.kube.apply(manifest, field_manager="kustomize-controller")
    place.wait_running()
    done = person.run("pause", "orders", "--wait")
    assert (done.code, done.out) == (1, "")
    assert "it belongs to Flux (Kustomization flux-system/apps), which puts spec.state back" in done.err
    assert "--force" in done.err
    found = place.get()
    assert found is not None
    assert found["spec"]["state"] == "running"
    assert person.run("restart", "orders", "--wait").code == 0, "an annotation is in no file"
    assert person.run("pause", "orders", "--wait", "--force").code == 0
    place.kube.apply(manifest, field_manager="kustomize-controller")
    place.wait_running()


def test_what_does_not_come_says_why(place: Place, person: Person) -> None:
    for name in ("orders", "late"):
        place.apply(name)
    for name in ("orders", "late"):
        place.wait_running(name)
    place.fault(operation="ConnectorState", connector="orders", status=403)
    place.fault(operation="ConnectorState", connector="late", status=503)
    done = person.run("pause", "orders", "--wait", "--timeout", "60s")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("kubectl lenses: orders: Forbidden: ")
    late = person.run("pause", "late", "--wait", "--timeout", "1s")
    assert late.code == 1
    assert "late: not done after 1s: " in late.err


def test_ctrl_c_leaves_what_was_asked_for(place: Place, person: Person) -> None:
    place.runs()
    place.fault(operation="ConnectorState", status=503)
    with person.terminal("pause", "orders", "--wait") as terminal:
        terminal.wait(lambda text: "0 of 1 done" in text)
        terminal.press_ctrl_c()
        assert terminal.end() == 130
        assert "interrupted; asked for, and the operator continues with it: orders" in terminal.text
        assert "Traceback" not in terminal.text
    place.control.clear_faults(place.environment)
    place.wait_reason("Paused", timeout=60)


def test_a_right_that_is_missing(edit_role: None, place: Place, person: Person, kube: Kube) -> None:
    """With the role `view` alone."""
    place.runs()
    kube.delete("RoleBinding", place.namespace, "edit")
    bind(kube, place.namespace, "view")

    def refused() -> str | None:
        """Once the API server has noticed both."""
        done = person.run("pause", "orders")
        return None if done.code == 0 or "get lensesconnectors" in done.err else done.err

    assert (
        f"orders: person has no right to patch lensesconnectors in namespace {place.namespace}. "
        "The chart adds it to the ClusterRole edit" in wait_until("the change of rights", refused, 20)
    )


@pytest.mark.parametrize("verb", ["pause", "restart"])
def test_nothing_to_do(verb: str, person: Person) -> None:
    done = person.run(verb, "--all")
    assert (done.code, done.out) == (1, "")
    assert "there is no such LensesConnector" in done.err
