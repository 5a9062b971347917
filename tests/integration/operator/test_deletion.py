"""Deleting a resource: the finalizer goes with proof of absence, or with the user's word, never else."""

from __future__ import annotations

from typing import Any

import pytest

from harness.kube import Object
from harness.kubectl import Kubectl
from harness.operator_fixtures import FOR_EVER, SOURCE, Operators, Place, in_parallel, message

POLL = {"ListConnectors", "GetClusterInfo"}
"""What is asked whoever waits for it: where the list fails, whether its cluster answers."""
RETAIN = {"spec": {"deletionPolicy": "Retain"}}


def retain(place: Place, name: str = "orders") -> None:
    place.kube.patch("lc", place.namespace, name, RETAIN)


def finalizers(found: Object | None) -> list[str]:
    return list(found["metadata"].get("finalizers", [])) if found else []


def test_delete_waits_for_proof(place: Place) -> None:
    """An accepted DELETE is no proof, and neither is a connector that is still there."""
    place.runs()
    place.delay(delete_delay=FOR_EVER)
    mark = place.mark()
    place.delete()
    place.wait_request("DeleteConnector", since=mark)
    place.wait_request("GetConnector", since=mark, count=2)
    assert finalizers(place.get()) == ["connect.lenses.io/connector"]
    place.end_delays()
    place.wait_gone()
    assert place.connector() is None
    seen = [(found["operation"], found["status"]) for found in place.requests(since=mark)]
    assert ("GetConnector", 404) in seen
    assert [found["status"] for found in place.requests("GetClusterInfo")][-1] == 200
    assert place.writes(since=mark) == ["DeleteConnector"]
    assert place.wait_event("Deleted")


def test_gone_already(place: Place) -> None:
    """Somebody deleted the connector meanwhile: our own DELETE is denied twice, half a minute apart."""
    place.runs()
    place.fault(status=502)
    place.wait_reason("LensesUnavailable")
    place.delete()
    place.wait_reason("DeletionBlocked")
    place.control.remove_connector(place.environment, place.cluster, "orders")
    mark = place.mark()
    place.control.clear_faults(place.environment)
    place.wait_request("DeleteConnector", since=mark)
    place.wait_polls(4)
    held = finalizers(place.get())
    assert held == ["connect.lenses.io/connector"] or len(place.requests("DeleteConnector", since=mark)) == 2
    place.wait_gone(timeout=100)
    first, second = place.requests("DeleteConnector", since=mark)
    assert (first["status"], second["status"]) == (404, 404)
    assert second["monotonic"] - first["monotonic"] >= 30
    looks = place.requests("GetConnector", "GetClusterInfo", since=second["seq"])
    assert {(found["operation"], found["status"]) for found in looks} == {
        ("GetConnector", 404),
        ("GetClusterInfo", 200),
    }
    assert place.wait_event("NotFound")
    assert "Deleted" not in [why for why, _ in place.events()]


BLOCKING: dict[str, tuple[dict[str, Any], str]] = {
    "page-404": ({"status": 404, "shape": "html"}, "LensesUnavailable"),
    "environment-404": ({"status": 404, "shape": "hq", "type": "not_found"}, "EnvironmentNotFound"),
    "down": ({"status": 502, "shape": "html"}, "LensesUnavailable"),
    "dropped": ({"drop": "before"}, "LensesUnavailable"),
    "agent": ({"agent_down": True}, "AgentNotConnected"),
    "401": ({"status": 401}, "Unauthorized"),
    "403": ({"status": 403}, "Forbidden"),
    "delete-403": ({"status": 403, "operation": "DeleteConnector"}, "Forbidden"),
    "delete-409": ({"status": 409, "operation": "DeleteConnector"}, "ConnectRebalancing"),
    "delete-500": ({"status": 500, "operation": "DeleteConnector"}, "LensesUnavailable"),
    # Nothing that can be read says that the connector is gone.
    "info-500": ({"status": 500, "operation": "GetClusterInfo"}, "LensesUnavailable"),
    "details-page": ({"status": 404, "shape": "html", "operation": "GetConnector"}, "LensesUnavailable"),
}


@pytest.mark.parametrize("case", BLOCKING.values(), ids=BLOCKING.keys())
def test_blocked_until_it_can_be_proven(place: Place, case: tuple[dict[str, Any], str]) -> None:
    fault, why = case
    place.runs()
    if fault.get("operation") == "GetClusterInfo":
        place.wait_polls(8)  # a good answer serves for three seconds where our own DELETE was accepted
    place.fault(**fault)
    place.delete()
    found = place.wait_reason("DeletionBlocked", about=why)
    assert (
        f"kubectl patch lensesconnector orders -n {place.namespace} --type=merge "
        """-p '{"spec":{"deletionPolicy":"Retain"}}'"""
    ) in message(found)
    place.wait_polls()
    assert finalizers(place.get()) == ["connect.lenses.io/connector"]
    place.control.clear_faults(place.environment)
    place.wait_gone()
    assert place.connector() is None


def test_a_cluster_that_is_unknown_blocks(place: Place) -> None:
    place.runs()
    place.control.remove_cluster(place.environment, place.cluster)
    place.delete()
    place.wait_reason("DeletionBlocked", about="ClusterNotFound")
    retain(place)
    place.wait_gone()


def test_the_command_in_the_message_lets_go(place: Place, kubectl: Kubectl) -> None:
    """To the letter, and without any further request to Lenses about the connector."""
    place.runs()
    fault = place.fault(status=502)
    place.delete()
    found = place.wait_reason("DeletionBlocked")
    command = message(found)[message(found).index("kubectl patch") :]
    words = command.replace("'", "").split()
    kubectl(*words[1:])
    place.wait_gone()
    mark = place.mark()
    # Another resource of the environment shows that the operator goes on.
    place.apply_until("LensesUnavailable", "other")
    place.wait_polls(4)
    looks = place.requests(connector="orders", since=mark)
    assert {request["operation"] for request in looks} <= {"GetConnector"}
    assert len({request["request_id"] for request in looks}) <= 1, "more than the rest of one that was under way"
    assert place.writes(since=mark) == []
    place.control.remove_fault(fault)
    assert place.wait_connector()["target"] == "running"


def test_retain_needs_no_lenses(place: Place) -> None:
    place.runs(deletionPolicy="Retain")
    place.fault(drop="before")
    place.wait_reason("LensesUnavailable")
    mark = place.mark()
    place.delete_and_wait()
    assert {request["operation"] for request in place.requests(since=mark)} <= POLL
    place.control.clear_faults(place.environment)
    assert place.connector() is not None


def test_foreign_finalizers_are_left(place: Place) -> None:
    manifest = place.manifest()
    manifest["metadata"]["finalizers"] = ["example.org/other"]
    place.kube.create(manifest)
    assert finalizers(place.wait_running()) == ["example.org/other", "connect.lenses.io/connector"]
    place.delete()
    found = place.wait(predicate=lambda found: finalizers(found) == ["example.org/other"])
    place.wait_no_connector()
    writes = place.writes()
    place.runs("other")
    assert finalizers(place.get()) == ["example.org/other"]
    assert place.writes("orders") == writes == ["CreateConnector", "DeleteConnector"]
    assert found["metadata"]["deletionTimestamp"]
    place.kube.patch("lc", place.namespace, "orders", {"metadata": {"finalizers": None}})
    place.wait_gone()


def test_finalizer_stripped_by_hand(place: Place) -> None:
    """A person's word to let go: it is not put back, nothing late is sent, and a new resource starts clean."""
    place.runs()
    fault = place.fault(status=502)
    place.delete()
    place.wait_reason("DeletionBlocked")
    mark = place.mark()
    place.kube.patch("lc", place.namespace, "orders", {"metadata": {"finalizers": None}})
    place.wait_gone()
    place.control.remove_fault(fault)
    # Another resource of the environment shows that the operator goes on.
    place.runs("other")
    place.wait_polls(4)
    assert place.get() is None
    assert place.writes("orders", since=mark) == []
    assert place.wait_connector()["target"] == "running"
    place.apply_until("NotAdopted", about="file", config={"file": "/dev/zero", "topic": "lines"})
    place.runs()
    assert place.wait_event("Adopted")
    assert place.writes("orders", since=mark) == []


@pytest.mark.parametrize("begun", [False, True], ids=["at once", "when the create is just under way"])
def test_create_and_delete_in_quick_succession(place: Place, begun: bool) -> None:
    """Thirty pairs: whatever overlaps, nothing is left behind in Lenses."""
    names = [f"quick{number}" for number in range(30)]

    def pair(name: str) -> None:
        place.apply(name)
        if begun:
            place.wait(name, lambda found: found["metadata"].get("finalizers"))
        place.delete(name)

    in_parallel(pair, names)
    for name in names:
        place.wait_gone(name)
        place.wait_no_connector(name)
    place.runs("last")
    place.wait_polls(3)
    assert [found["name"] for found in place.control.connectors(place.environment)] == ["last"]


def test_the_same_name_again_at_once(place: Place) -> None:
    """The old resource and the new one are two: the connector is deleted with the first and created for the second."""
    for turn in range(5):
        place.runs(config={"file": f"/dev/{turn}", "topic": "lines"})
        place.delete_and_wait()
    assert place.connector() is None
    assert place.writes() == ["CreateConnector", "DeleteConnector"] * 5


def test_a_namespace_of_twenty(own_place: Place, operators: Operators) -> None:
    """Deleted at once: Events are refused there and tried once for each resource; everything else works."""
    place = own_place
    operator = operators.start(place.namespace)
    names = [f"c{number}" for number in range(20)]
    place.apply_many(names)
    for name in names:
        place.wait_running(name)
    place.kube.delete("Namespace", None, place.namespace)
    place.kube.wait_gone("Namespace", None, place.namespace, 60)
    assert place.control.connectors(place.environment) == []
    refused = [line for line in operator.text().splitlines() if "create event: 403" in line]
    assert 0 < len(refused) <= len(names)


def test_not_owned_is_not_touched(place: Place) -> None:
    """Deleted before anything was owned: a connector of that name is somebody else's."""
    place.change(config={"connector.class": SOURCE, "file": "/dev/zero", "topic": "lines"})
    place.apply_until("NotAdopted")
    place.fault(status=502)
    place.delete_and_wait()
    place.control.clear_faults(place.environment)
    assert place.connector() is not None
    assert place.writes() == []


def test_delete_answers_409_and_500_again_and_again(place: Place) -> None:
    """One connector that cannot be deleted keeps nobody else waiting."""
    place.apply_many(["bad", "good"])
    place.wait_running("bad")
    place.wait_running("good")
    one = place.fault(operation="DeleteConnector", connector="bad", status=409, times=2)
    two = place.fault(operation="DeleteConnector", connector="bad", status=500, skip=2)
    place.delete("bad")
    place.wait_reason("DeletionBlocked", "bad", about="ConnectRebalancing")
    place.runs("good", config={"file": "/dev/zero", "topic": "lines"})
    place.wait_reason("DeletionBlocked", "bad", about="LensesUnavailable", timeout=100)
    place.control.remove_fault(one)
    place.control.remove_fault(two)
    place.wait_gone("bad")
    assert place.connector("bad") is None
