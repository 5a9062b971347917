"""Two resources about one connector: the older one owns it, the other says so and touches nothing."""

from __future__ import annotations

from harness.kube import Kube
from harness.operator_fixtures import Operators, Place, conditions, message
from harness.waiting import wait_until


def _second_later(place: Place, first: str) -> None:
    """Creation times are whole seconds; within one the uid decides, which a test cannot choose."""
    found = place.get(first)
    assert found is not None

    def later() -> bool:
        probe = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "clock", "namespace": place.namespace}}
        made = place.kube.create(probe)["metadata"]["creationTimestamp"]
        place.kube.delete("ConfigMap", place.namespace, "clock")
        return bool(made > found["metadata"]["creationTimestamp"])

    wait_until("the API server's next second", later, 5)


def test_the_older_one_wins(place: Place) -> None:
    place.runs("older", name="shared")
    _second_later(place, "older")
    mark = place.mark()
    place.apply("younger", name="shared", config={"file": "/dev/zero", "topic": "lines"})
    found = place.wait_reason("Conflict", "younger", about="LensesConnector older")
    assert conditions(found)["Ready"]["status"] == "False"
    assert set(conditions(found)) == {"Ready", "Stalled"}
    assert not {"state", "tasks", "topics", "lrn"} & set(found["status"])
    place.wait_polls()
    place.wait_running("older")
    place.delete_and_wait("younger")
    place.wait_polls()
    assert place.writes(since=mark) == []
    assert place.connector("shared") is not None


def test_the_other_takes_over(place: Place) -> None:
    """When the owner goes with Retain, the connector that stays is adopted, since it is what is wanted."""
    place.runs("older", name="shared", deletionPolicy="Retain")
    _second_later(place, "older")
    place.apply_until("Conflict", "younger", name="shared")
    mark = place.mark()
    place.delete_and_wait("older")
    found = place.wait_running("younger")
    assert found["status"]["ownership"]["state"] == "Owned"
    assert place.writes(since=mark) == []


def test_the_other_creates_it_anew(place: Place) -> None:
    """When the owner goes with Delete, the connector goes with it, and the other makes its own."""
    place.runs("older", name="shared")
    _second_later(place, "older")
    place.apply_until("Conflict", "younger", name="shared", config={"file": "/dev/zero", "topic": "lines"})
    mark = place.mark()
    place.delete_and_wait("older")
    place.wait_running("younger")
    assert place.writes(since=mark) == ["DeleteConnector", "CreateConnector"]
    assert place.wait_connector("shared")["config"]["file"] == "/dev/zero"


def test_a_deleting_owner_still_owns(place: Place) -> None:
    place.runs("older", name="shared")
    _second_later(place, "older")
    place.apply_until("Conflict", "younger", name="shared")
    fault = place.fault(operation="DeleteConnector", status=500)
    mark = place.mark()
    place.delete("older")
    place.wait_reason("DeletionBlocked", "older")
    place.wait_polls()
    place.wait_reason("Conflict", "younger")
    assert set(place.writes(since=mark)) == {"DeleteConnector"}
    place.control.remove_fault(fault)
    place.wait_gone("older")
    place.wait_running("younger")


def test_another_namespace_is_not_named(own_place: Place, operators: Operators, operator_kube: Kube) -> None:
    """Other tenants' names are none of the loser's business."""
    place = own_place
    other = operator_kube.create_namespace("tenant")
    operators.start(place.namespace, other)
    place.runs("planted-owner", name="shared")
    _second_later(place, "planted-owner")
    younger = place.manifest("younger", name="shared")
    younger["metadata"]["namespace"] = other
    operator_kube.create(younger)
    found = operator_kube.wait_for(
        "lc", other, "younger", lambda found: conditions(found).get("Ready", {}).get("reason") == "Conflict"
    )
    assert "another namespace" in message(found)
    assert "planted-owner" not in str(found)
    assert place.namespace not in str(found["status"])
    operator_kube.delete("lc", other, "younger")
    operator_kube.wait_gone("lc", other, "younger")
    operator_kube.delete("Namespace", None, other)
    assert place.connector("shared") is not None
