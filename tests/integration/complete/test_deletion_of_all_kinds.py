"""Deletion with offsets, without the token's Secret, of fifty at once, and of two hundred that hardly were."""

from __future__ import annotations

from typing import Any

import pytest

from harness.operator_fixtures import FOR_EVER, KIND, Operators, Place, in_parallel, message
from harness.waiting import wait_until
from integration.complete.support import by_token, creates, secret

OFFSETS: list[dict[str, Any]] = [{"partition": {"filename": "/dev/null"}, "offset": {"position": 7}}]
RETAIN = {"spec": {"deletionPolicy": "Retain"}}
TEAM = {"tokenSecretRef": {"name": "team", "key": "token"}}


def actions(place: Place, since: int) -> list[str]:
    """What was asked for, in order, each state change by its action."""
    found = []
    for request in place.requests(
        "ConnectorState", "ResetConnectorOffsets", "DeleteConnector", "CreateConnector", since=since
    ):
        last = request["path"].rsplit("/", 1)[-1]
        found.append(last if request["operation"] == "ConnectorState" else request["operation"])
    return found


def with_offsets(place: Place) -> None:
    place.runs(deletionPolicy="DeleteWithOffsets")
    place.control.set_offsets(place.environment, place.cluster, "orders", OFFSETS)


def test_with_offsets(place: Place) -> None:
    """Stop; no reset before the last task has gone; reset, delete, gone."""
    with_offsets(place)
    place.delay(state_delay=0.2, task_delay=FOR_EVER)
    mark = place.mark()
    place.delete()
    place.wait_connector(predicate=lambda found: found["state"] == "STOPPED")
    place.wait_request("GetConnector", "orders", since=place.mark(), count=2)
    place.end_delays()
    place.wait_gone()
    assert actions(place, mark) == ["stop", "ResetConnectorOffsets", "DeleteConnector"]
    assert [request["status"] for request in place.requests("ResetConnectorOffsets")] == [200]
    assert place.control.get_offsets(place.environment, place.cluster, "orders") == []
    assert place.connector() is None
    place.wait_event("OffsetsReset")
    place.wait_event("Deleted")


def test_with_offsets_gone_already(place: Place) -> None:
    """Nobody can reset the offsets of a connector that is no more: told, and let go.

    Suspended, so that it is not created again before the deletion comes.
    """
    with_offsets(place)
    place.apply_until("Suspended", deletionPolicy="DeleteWithOffsets", suspend=True)
    place.control.remove_connector(place.environment, place.cluster, "orders")
    place.wait_polls()
    mark = place.mark()
    place.delete()
    place.wait_gone(timeout=100)
    told = place.wait_event("OffsetsRemain")
    assert "orders" in told
    place.wait_event("NotFound")
    assert actions(place, mark) == ["DeleteConnector", "DeleteConnector"]
    assert {request["status"] for request in place.requests("DeleteConnector", since=mark)} == {404}
    assert place.control.get_offsets(place.environment, place.cluster, "orders") == OFFSETS


def test_with_offsets_from_stopped(place: Place) -> None:
    place.apply_until("Stopped", deletionPolicy="DeleteWithOffsets", state="stopped")
    place.control.set_offsets(place.environment, place.cluster, "orders", OFFSETS)
    mark = place.mark()
    place.delete_and_wait()
    assert actions(place, mark) == ["ResetConnectorOffsets", "DeleteConnector"]
    assert place.control.get_offsets(place.environment, place.cluster, "orders") == []


def test_with_offsets_over_a_kill(own_place: Place, operators: Operators) -> None:
    """Killed after the reset: reset once more at worst, and the connector goes."""
    place = own_place
    first = operators.start(place.namespace)
    with_offsets(place)
    point = place.control.add_breakpoint(place.environment, "DeleteConnector")
    place.delete()
    place.control.wait_breakpoint(point)
    first.kill()
    place.control.release_breakpoint(point, "drop")
    operators.start(place.namespace)
    place.wait_gone()
    assert place.connector() is None
    assert place.control.get_offsets(place.environment, place.cluster, "orders") == []


def test_the_word_to_retain_while_tasks_will_not_stop(place: Place) -> None:
    """A changed policy acts on an object that is being deleted already, at once, and sends nothing."""
    with_offsets(place)
    place.change(task_delay=FOR_EVER)
    mark = place.mark()
    place.delete()
    place.wait_request("ConnectorState", since=mark)
    place.wait_reason("Deleting")
    mark = place.mark()
    place.kube.patch("lc", place.namespace, "orders", RETAIN)
    place.wait_gone()
    assert actions(place, mark) == []
    assert place.connector() is not None
    assert place.control.get_offsets(place.environment, place.cluster, "orders") == OFFSETS


def test_the_reset_is_refused(place: Place) -> None:
    """It stays until it can be done, or until somebody says that the offsets may remain."""
    with_offsets(place)
    place.fault(operation="ResetConnectorOffsets", status=500, message="not yet")
    place.delete()
    place.wait_reason("DeletionBlocked", about="LensesUnavailable")
    assert "DeleteConnector" not in place.writes()
    place.kube.patch("lc", place.namespace, "orders", {"spec": {"deletionPolicy": "Delete"}})
    place.wait_gone()
    assert place.connector() is None


@pytest.fixture
def team(own_place: Place) -> Place:
    """A place with a token of its own."""
    own_place.control.add_token(f"team-{own_place.namespace}", name=f"team-{own_place.namespace}")
    secret(own_place, "team", {"token": f"team-{own_place.namespace}"})
    return own_place


def test_the_token_goes_first_while_the_operator_is_up(team: Place, operators: Operators) -> None:
    """The token last read serves for the deletion."""
    operators.start(team.namespace)
    team.runs(**TEAM)
    fault = team.fault(operation="DeleteConnector", status=409)
    team.delete()
    team.wait_reason("DeletionBlocked", about="ConnectRebalancing")
    team.kube.delete("Secret", team.namespace, "team")
    mark = team.mark()
    team.control.remove_fault(fault)
    team.wait_gone()
    assert team.connector() is None
    assert set(by_token(team, mark)) == {f"team-{team.namespace}"}


@pytest.mark.parametrize("allowed", [True, False], ids=["allowed", "not-allowed"])
def test_the_token_goes_and_the_operator_is_restarted(team: Place, operators: Operators, allowed: bool) -> None:
    """Its own token serves where policy lets this namespace; else a person has to say what to do."""
    policy = operators.run_dir / "policy.yaml"
    policy.parent.mkdir(parents=True, exist_ok=True)
    policy.write_text(f"rules: [{{namespaces: ['{team.namespace}']}}]")
    first = operators.start(team.namespace, POLICY_FILE=policy)
    team.runs(**TEAM)
    fault = team.fault(operation="DeleteConnector", status=409)
    team.delete()
    team.wait_reason("DeletionBlocked", about="ConnectRebalancing")
    assert first.terminate() == 0
    team.kube.delete("Secret", team.namespace, "team")
    if not allowed:
        policy.write_text("rules: [{namespaces: [others]}]")
    mark = team.mark()
    team.control.remove_fault(fault)
    operators.start(team.namespace, POLICY_FILE=policy)
    if allowed:
        team.wait_gone()
        assert team.connector() is None
        assert set(by_token(team, mark)) == {"all"}
    else:
        found = team.wait_reason("DeletionBlocked", about="ReferenceNotFound")
        assert "Secret team" in message(found)
        assert "deletionPolicy" in message(found)
        team.kube.patch("lc", team.namespace, "orders", RETAIN)
        team.wait_gone()
        assert team.requests(since=mark) == []
        assert team.connector() is not None


def test_a_namespace_of_fifty_with_its_token(team: Place, operators: Operators) -> None:
    """All at once, the token's Secret among them."""
    operators.start(team.namespace)
    names = [f"c{number}" for number in range(50)]
    team.apply_many(names, **TEAM)
    for name in names:
        team.wait_running(name)
    team.kube.delete("Namespace", None, team.namespace)
    team.kube.wait_gone("Namespace", None, team.namespace, 90)
    assert team.control.connectors(team.environment) == []


def test_two_hundred_pairs_leave_nothing(place: Place) -> None:
    names = [f"quick{number}" for number in range(200)]

    def pair(name: str) -> None:
        place.apply(name)
        place.delete(name)

    in_parallel(pair, names)
    wait_until("all gone", lambda: place.kube.list(KIND, place.namespace) == [], 90, interval=0.5)
    wait_until("nothing in Lenses", lambda: place.control.connectors(place.environment) == [], 60, interval=0.5)
    place.runs("last")
    place.wait_polls(3)
    assert [found["name"] for found in place.control.connectors(place.environment)] == ["last"]
    assert creates(place, "last") == 1


def test_a_finalizer_taken_off_by_hand_comes_back(place: Place) -> None:
    """`kubectl replace` and the like put a manifest in place of the object, finalizers included."""
    place.runs()
    place.kube.patch("lc", place.namespace, "orders", {"metadata": {"finalizers": None}})
    place.wait(predicate=lambda found: found["metadata"].get("finalizers") == ["connect.lenses.io/connector"])
    place.delete_and_wait()
    assert place.connector() is None
    assert place.writes() == ["CreateConnector", "DeleteConnector"]
