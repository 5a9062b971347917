"""Who owns a connector: those that were there before, two resources for one name, and a stranger in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.kube import Object
from harness.operator_fixtures import SOURCE, Operators, Place, conditions, message
from harness.waiting import wait_until
from integration.complete.support import CONFIG, creates, secret, wait_younger

FOREIGN = {"connector.class": SOURCE, **CONFIG}
OTHER = {**FOREIGN, "file": "/dev/zero", "extra": "planted-foreign"}
SEEN_FIELDS = {"state", "tasks", "tasksSummary", "topics", "lrn", "workerId", "version", "type"}
PASSWORD = {"key": "password", "secretKeyRef": {"name": "db", "key": "pw"}}
RETAIN = {"spec": {"deletionPolicy": "Retain"}}


def ownership(found: Object) -> str:
    return str(found["status"].get("ownership", {}).get("state", "None"))


def assert_shows_nothing(found: Object) -> None:
    assert not SEEN_FIELDS & set(found["status"])
    assert "planted" not in str(found)


# what was there before
def test_identical_but_for_what_lenses_masks(place: Place) -> None:
    """Exporting and applying is harmless: keys that cannot be read count as equal, and the Event names them."""
    place.fault(operation="GetConnector", mask=["password"])
    place.change(config={**FOREIGN, "password": "something-else"})
    secret(place, "db", {"pw": "planted-pw"})
    found = place.runs(configFrom=[PASSWORD])
    assert ownership(found) == "Owned"
    assert "does not show them: password" in place.wait_event("Adopted")
    assert found["status"]["appliedConfig"]["notCompared"] == ["password"]
    place.wait_checks(count=3)
    assert place.writes() == []
    secret(place, "db", {"pw": "planted-new"})
    wait_until("the rotated value", lambda: creates(place) == 1, 20)
    assert place.wait_connector()["config"]["password"] == "planted-new"


def test_if_identical_refuses_what_differs_beside_a_masked_key(place: Place) -> None:
    place.fault(operation="GetConnector", mask=["password"])
    place.change(config={**OTHER, "password": "planted-pw"})
    place.apply(config={**CONFIG, "password": "x", "mine": "y"})
    found = place.wait_reason("NotAdopted", about="changed file; missing mine; unwanted extra")
    assert "password" not in message(found)
    assert ownership(found) == "NotAdopted"
    assert_shows_nothing(found)
    assert set(conditions(found)) == {"Ready", "Stalled"}
    place.wait_polls(3)
    assert place.writes() == []
    place.apply(config={**CONFIG, "file": "/dev/zero", "extra": "planted-foreign", "password": "x"})
    assert ownership(place.wait_running()) == "Owned"
    assert place.writes() == []


def test_a_mask_is_known_by_the_type_that_connect_has_for_its_key(place: Place) -> None:
    """Neither the key nor the mask says so: as Lenses may mask, and as no connector's value looks."""
    typed = {"class": SOURCE, "required": ["topic"], "passwords": ["es.net.http.auth.pin"]}
    place.control.set_plugins(place.environment, place.cluster, [typed])
    place.fault(operation="GetConnector", rewrite={"es.net.http.auth.pin": "REDACTED", "label": "REDACTED"})
    place.change(config={**FOREIGN, "es.net.http.auth.pin": "theirs", "label": "REDACTED"})
    place.apply(config={**CONFIG, "es.net.http.auth.pin": "planted-pin", "label": "mine"})
    found = place.wait_reason("NotAdopted", about="changed label")
    assert "es.net.http.auth.pin" not in message(found)
    found = place.runs(config={**CONFIG, "es.net.http.auth.pin": "planted-pin", "label": "REDACTED"})
    assert ownership(found) == "Owned"
    assert "does not show them: es.net.http.auth.pin." in place.wait_event("Adopted")
    assert found["status"]["appliedConfig"]["notCompared"] == ["es.net.http.auth.pin"]
    place.wait_checks(count=3)
    assert place.writes() == []


def test_refused_until_the_connector_is_deleted_in_lenses(place: Place) -> None:
    place.change(config=OTHER)
    place.apply_until("NotAdopted")
    place.control.remove_connector(place.environment, place.cluster, "orders")
    assert ownership(place.wait_running()) == "Owned"
    assert place.writes() == ["CreateConnector"]


def test_always_takes_it_and_converges(place: Place) -> None:
    place.change(config=OTHER)
    place.apply(adoptionPolicy="Always")
    assert ownership(place.wait_running()) == "Owned"
    told = place.wait_event("Adopted")
    assert "changed file; unwanted extra" in told
    assert "planted" not in told
    assert place.wait_connector()["config"] == {**FOREIGN, "name": "orders"}
    place.wait_checks()
    assert place.writes() == ["DeleteConnector", "CreateConnector"]


def test_always_takes_over_a_stopped_one(place: Place) -> None:
    place.change(config=FOREIGN)
    place.change(state="STOPPED")
    place.runs(adoptionPolicy="Always")
    assert place.writes() == ["ConnectorState"]


def test_never_refuses_even_the_same(place: Place) -> None:
    place.change(config={**FOREIGN, "extra": "planted-foreign"})
    place.apply(adoptionPolicy="Never", config={**CONFIG, "extra": "planted-foreign"})
    found = place.wait_reason("NotAdopted", about="adoptionPolicy is Never")
    assert not SEEN_FIELDS & set(found["status"])
    place.wait_polls(3)
    place.delete_and_wait()
    assert place.writes() == []
    assert place.connector() is not None


def test_not_adopted_then_always(place: Place) -> None:
    place.change(config=OTHER)
    place.apply_until("NotAdopted")
    place.runs(adoptionPolicy="Always")
    assert place.writes() == ["DeleteConnector", "CreateConnector"]


# a stranger between our claim and our create
def test_a_stranger_takes_the_name_just_before_the_first_create(place: Place) -> None:
    """409 to the first create since the claim: it was there before, so the adoption rules apply."""
    point = place.control.add_breakpoint(place.environment, "CreateConnector")
    place.apply()
    place.control.wait_breakpoint(point)
    assert ownership(place.wait()) == "Claiming"
    place.change(config=OTHER)
    place.control.release_breakpoint(point)
    found = place.wait_reason("NotAdopted", about="changed file; unwanted extra")
    assert ownership(found) == "NotAdopted"
    assert_shows_nothing(found)
    place.delete_and_wait()
    assert place.wait_connector()["config"]["file"] == "/dev/zero"
    assert place.writes() == ["CreateConnector"]


def test_killed_between_claim_and_create(own_place: Place, operators: Operators) -> None:
    """The claim is what the next process knows: it goes on, once."""
    place = own_place
    point = place.control.add_breakpoint(place.environment, "ValidateConnector")
    first = operators.start(place.namespace)
    place.apply()
    place.control.wait_breakpoint(point)
    assert ownership(place.wait()) == "Claiming"
    first.kill()
    place.control.release_breakpoint(point, "drop")
    operators.start(place.namespace)
    assert ownership(place.wait_running()) == "Owned"
    place.wait_polls()
    assert place.writes() == ["CreateConnector"]


def test_killed_with_the_create_unanswered(own_place: Place, operators: Operators) -> None:
    """What then carries the name counts as ours: a later create that finds it taken has not met a stranger's."""
    place = own_place
    point = place.control.add_breakpoint(place.environment, "CreateConnector", when="after")
    first = operators.start(place.namespace)
    place.apply()
    place.control.wait_breakpoint(point)
    first.kill()
    place.control.release_breakpoint(point, "drop")
    place.fault(operation="GetConnector", status=404, message="Connector orders not found", times=1)
    operators.start(place.namespace)
    assert ownership(place.wait_running()) == "Owned"
    assert [request["status"] for request in place.requests("CreateConnector")] in ([None], [None, 409], [None, 400])
    place.delete_and_wait()
    assert place.connector() is None


# two resources for one connector
def apply_younger(place: Place, name: str = "second", **spec: Any) -> None:
    wait_younger(place, "first")
    place.apply(name, name="orders", **spec)


def twins(place: Place) -> tuple[str, str]:
    """Two resources of the same second for the connector `orders`, the owner by uid first."""
    for turn in range(10):
        names = [f"twin-{turn}-{side}" for side in "ab"]
        made = [place.kube.create(place.manifest(name, name="orders")) for name in names]
        if len({found["metadata"]["creationTimestamp"] for found in made}) == 1:
            first, second = sorted(made, key=lambda found: str(found["metadata"]["uid"]))
            return first["metadata"]["name"], second["metadata"]["name"]
        for name in names:
            place.delete_and_wait(name)
    raise AssertionError("never in the same second")


def test_made_in_the_same_second(own_place: Place, operators: Operators) -> None:
    """One owns it, the uid decides, and a restarted operator decides the same."""
    place = own_place
    owner, loser = twins(place)
    first = operators.start(place.namespace)
    place.wait_running(owner)
    found = place.wait_reason("Conflict", loser, about=f"LensesConnector {owner}")
    assert set(conditions(found)) == {"Ready", "Stalled"}
    assert ownership(found) == "Conflict"
    assert_shows_nothing(found)
    assert not found["metadata"].get("finalizers")
    first.kill()
    mark = place.mark()
    operators.start(place.namespace)
    place.wait_checks()
    assert place.wait(loser)["metadata"]["resourceVersion"] == found["metadata"]["resourceVersion"]
    place.delete_and_wait(loser)
    place.wait_polls()
    assert place.writes(since=mark) == []
    place.wait_running(owner)


def test_across_namespaces(place: Place, own_place: Place) -> None:
    """Neither name nor namespace of the owner is told."""
    place.runs("first", name="orders")
    wait_younger(place, "first")
    manifest = own_place.manifest("second", name="orders", environment=place.environment)
    manifest["metadata"]["labels"] = dict(place.labels)
    own_place.kube.create(manifest)
    found = own_place.wait_reason("Conflict", "second")
    assert place.namespace not in str(found["status"])
    assert "first" not in str(found["status"])
    assert "another namespace" in message(found)
    assert_shows_nothing(found)
    own_place.delete_and_wait("second")
    place.wait_polls()
    assert place.writes() == ["CreateConnector"]


def end_by_delete(place: Place, fault: int) -> None:
    place.control.remove_fault(fault)


def end_by_retain(place: Place, fault: int) -> None:
    place.kube.patch("lc", place.namespace, "first", RETAIN)


@pytest.mark.parametrize(
    ("end", "same", "reason", "writes"),
    [
        (end_by_delete, False, "Running", ["DeleteConnector", "CreateConnector"]),
        (end_by_retain, True, "Running", []),
        (end_by_retain, False, "NotAdopted", []),
    ],
    ids=["delete", "retain-same", "retain-other"],
)
def test_the_owner_is_being_deleted(
    place: Place, end: Callable[[Place, int], None], same: bool, reason: str, writes: list[str]
) -> None:
    """It owns the connector until it is released; then the other one takes over by the rules for all."""
    place.runs("first", name="orders")
    config: Any = CONFIG if same else {**CONFIG, "file": "/dev/zero"}
    apply_younger(place, config=config)
    place.wait_reason("Conflict", "second")
    fault = place.fault(operation="DeleteConnector", status=409)
    place.delete("first")
    place.wait_reason("DeletionBlocked", "first")
    place.wait_polls(3)
    place.wait_reason("Conflict", "second")
    mark = place.mark()
    end(place, fault)
    place.wait_gone("first")
    found = place.wait_reason(reason, "second")
    assert ownership(found) == ("Owned" if reason == "Running" else "NotAdopted")
    changed = [r["operation"] for r in place.requests(*set(writes), since=mark) if r["status"] != 409] if writes else []
    assert changed == writes
    assert place.wait_connector()["config"]["file"] == ("/dev/zero" if writes else "/dev/null")


def test_the_loser_is_deleted_while_lenses_is_down(place: Place) -> None:
    place.runs("first", name="orders")
    apply_younger(place, deletionPolicy="DeleteWithOffsets")
    place.wait_reason("Conflict", "second")
    place.fault(status=502)
    place.delete_and_wait("second")
    place.control.clear_faults(place.environment)
    place.wait_running("first")
    assert place.writes() == ["CreateConnector"]
