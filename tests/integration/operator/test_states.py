"""Paused and stopped: created so, kept so, and what becomes of a new configuration meanwhile."""

from __future__ import annotations

import pytest

from harness.operator_fixtures import FOR_EVER, TIMEOUT, Place, conditions, message
from harness.waiting import wait_until

NEW = {"file": "/dev/zero", "topic": "lines"}


@pytest.mark.parametrize(("state", "action"), [("paused", "pause"), ("stopped", "stop")])
def test_created_held(place: Place, state: str, action: str) -> None:
    """Creating cannot carry a state, so the very next request about it is the one that holds it."""
    found = place.apply_until(state.title(), state=state)
    assert set(conditions(found)) == {"Ready"}
    assert conditions(found)["Ready"]["status"] == "True"
    requests = place.requests(connector="orders")
    created = next(number for number, request in enumerate(requests) if request["operation"] == "CreateConnector")
    assert requests[created + 1]["operation"] == "ConnectorState"
    assert requests[created + 1]["path"].endswith(f"/orders/{action}")
    assert place.writes() == ["CreateConnector", "ConnectorState"]
    assert action in place.wait_event("RanBriefly")


@pytest.mark.parametrize("state", ["paused", "stopped"])
def test_a_new_config_waits(place: Place, state: str) -> None:
    place.apply_until(state.title(), state=state)
    mark = place.mark()
    found = place.apply_until(state.title(), about="waits", state=state, config=NEW)
    assert conditions(found)["Ready"]["status"] == "True"
    assert "file" in message(found)
    place.wait_checks()
    assert place.writes(since=mark) == []
    assert place.wait_connector()["config"]["file"] == "/dev/null"
    place.runs(config=NEW)
    assert place.writes(since=mark) == ["DeleteConnector", "CreateConnector"]
    assert place.wait_connector()["config"]["file"] == "/dev/zero"


def test_a_config_that_waits_is_taken_back(place: Place) -> None:
    place.apply_until("Stopped", state="stopped")
    mark = place.mark()
    place.apply_until("Stopped", about="waits", state="stopped", config=NEW)
    found = place.apply_until("Stopped", about="as spec.state asks.", state="stopped")
    assert "waits" not in message(found)
    place.runs()
    assert place.writes(since=mark) == ["ConnectorState"]


def test_an_invalid_config_is_told_while_stopped(place: Place) -> None:
    place.apply_until("Stopped", state="stopped")
    mark = place.mark()
    place.apply(state="stopped", config={**NEW, "batch.size": "many"})
    found = place.wait_reason("ConfigInvalid", about="batch.size")
    assert found["status"]["state"] == "STOPPED"
    place.wait_polls()
    assert place.writes(since=mark) == []


@pytest.mark.parametrize(("state", "other"), [("paused", "stopped"), ("stopped", "paused")])
def test_from_one_to_the_other(place: Place, state: str, other: str) -> None:
    place.apply_until(state.title(), state=state)
    place.apply(state=other)
    assert place.wait_reason(other.title())["status"]["state"] == other.upper()
    assert place.wait_connector()["target"] == other


def test_slow_to_stop(place: Place) -> None:
    """STOPPED with tasks that still run is not stopped yet."""
    place.runs()
    place.delay(state_delay=0, task_delay=FOR_EVER)
    place.apply(state="stopped")
    found = place.wait(predicate=lambda found: found["status"]["state"] == "STOPPED")
    assert found["status"]["tasks"]
    assert conditions(found)["Ready"]["reason"] == "Progressing"
    place.end_delays()
    found = place.wait_reason("Stopped")
    assert found["status"].get("tasks", []) == []
    assert place.writes() == ["CreateConnector", "ConnectorState"]


def test_a_state_change_that_is_refused_is_asked_for_again(place: Place) -> None:
    """409 while the cluster rebalances."""
    place.runs()
    fault = place.fault(operation="ConnectorState", status=409, times=2)
    place.apply_until("Paused", state="paused")
    assert place.control.fault_hits(fault) >= 3


def test_config_and_state_at_once(place: Place) -> None:
    """Stopped with another config: it is stopped, and the config waits."""
    place.runs()
    place.apply_until("Stopped", about="waits", state="stopped", config=NEW)
    place.runs(state="running", config=NEW)
    wait_until("the new file", lambda: place.wait_connector()["config"]["file"] == "/dev/zero", TIMEOUT)
