"""Answers that may mean more than one thing: the operator reads again, and never takes a failure for absence."""

from __future__ import annotations

from typing import Any

import pytest

from harness.operator_fixtures import FOR_EVER, SOURCE, TIMEOUT, Operators, Place, reason


def test_created_but_not_to_be_seen_yet(place: Place) -> None:
    """201, and then details answer 404 for a while although the cluster is well: one create, no more."""
    place.delay(create_delay=FOR_EVER)
    place.apply()
    place.wait_request("CreateConnector")
    mark = place.mark()
    place.wait_request("GetConnector", since=mark, count=3)
    assert reason(place.wait()) == "Progressing"
    place.end_delays()
    place.wait_running()
    assert place.writes() == ["CreateConnector"]


ANSWERS: dict[str, dict[str, Any]] = {
    "500": {"status": 500, "processed": True, "message": "The template variable 'b' has no value"},
    "502": {"status": 502, "shape": "html", "processed": True},
    "409": {"status": 409, "processed": True},
    "dropped": {"drop": "after"},
    "page": {"status": 200, "text": "<html>login</html>", "content_type": "text/html", "processed": True},
}


@pytest.mark.parametrize("fault", ANSWERS.values(), ids=ANSWERS.keys())
def test_create_that_worked(place: Place, fault: dict[str, Any]) -> None:
    """Whatever the answer was, the connector is there and ours."""
    place.fault(operation="CreateConnector", times=1, **fault)
    found = place.runs()
    assert found["status"]["ownership"]["state"] == "Owned"
    place.wait_polls()
    assert place.writes() == ["CreateConnector"]
    place.delete_and_wait()
    assert place.connector() is None


def test_delete_that_worked(place: Place) -> None:
    """It may have, or the token may have lost its sight: denied twice, half a minute apart, it was not there."""
    names = ("500", "dropped")
    place.apply("stays")  # with nothing at all to be seen the token would be blind
    place.wait_running("stays")
    for name in names:
        place.apply(f"c{name}")
    for name in names:
        place.wait_running(f"c{name}")
        place.fault(operation="DeleteConnector", connector=f"c{name}", times=1, **ANSWERS[name])
        place.delete(f"c{name}")
    for name in names:
        place.wait_gone(f"c{name}", timeout=100)
        place.wait_event("NotFound", f"c{name}")
        assert place.connector(f"c{name}") is None
        denied = place.requests("DeleteConnector", connector=f"c{name}")[1:]
        assert [found["status"] for found in denied] == [404, 404]
        assert denied[1]["monotonic"] - denied[0]["monotonic"] >= 30


@pytest.mark.parametrize("fault", [ANSWERS["500"], ANSWERS["dropped"]], ids=["500", "dropped"])
def test_update_that_worked(place: Place, fault: dict[str, Any]) -> None:
    """Never created twice, and deleted again only while Lenses still shows the old one, before the create."""
    place.runs()
    place.fault(operation=["DeleteConnector", "CreateConnector"], times=2, **fault)
    place.runs(config={"file": "/dev/zero", "topic": "lines"})
    assert place.wait_connector()["config"]["file"] == "/dev/zero"
    first, *deletes, last = place.writes()
    assert (first, last) == ("CreateConnector", "CreateConnector")
    assert set(deletes) == {"DeleteConnector"}


def test_a_starting_worker(place: Place) -> None:
    """An HTML 404 to everything: nothing is absent, no plugin is missing, nothing is sent."""
    place.runs("old")
    mark = place.mark()
    fault = place.control.cluster_starting(place.environment, place.cluster)
    place.delete("old")
    place.apply("new")
    place.wait_reason("DeletionBlocked", "old", about="LensesUnavailable")
    place.wait_reason("LensesUnavailable", "new")
    place.wait_polls(4)
    assert place.get("old") is not None
    assert set(place.writes(since=mark)) <= {"DeleteConnector"}
    assert place.connector("old") is not None
    assert "CreateConnector" not in place.writes(since=mark)
    place.control.remove_fault(fault)
    place.wait_gone("old")
    place.wait_running("new")
    assert place.connector("old") is None


def test_a_starting_worker_is_no_missing_class(place: Place) -> None:
    """Only details and plugins answer with the page."""
    fault = place.fault(operation=["ListPlugins", "ValidateConnector"], status=404, shape="html")
    place.apply_until("LensesUnavailable")
    assert place.writes() == []
    place.control.remove_fault(fault)
    place.wait_running()


def test_a_name_that_has_to_be_encoded(place: Place) -> None:
    """Once, in every path; people read the plain name."""
    name = "east-kafka->west-kafka.Mirror Source"
    place.apply(name=name)
    assert place.wait_running()["status"]["lrn"].endswith(name)
    place.apply_until("Paused", name=name, state="paused")
    place.runs(name=name)
    place.apply_until("Conflict", "second", about=name, name=name)
    place.delete_and_wait()
    place.wait_running("second")
    about = [found for found in place.requests() if found["connector"] == name and "/connectors/" in found["path"]]
    assert {found["operation"] for found in about} >= {"GetConnector", "ConnectorState", "DeleteConnector"}
    for found in about:
        assert "east-kafka-%3Ewest-kafka.Mirror%20Source" in found["path"]
    assert name in place.wait_event("Created")


def test_a_stranger_s_connector_appears_during_create(place: Place) -> None:
    """409 to the first create is somebody else's connector, to which the adoption rules apply."""
    point = place.control.add_breakpoint(place.environment, "CreateConnector", when="before")
    place.apply()
    place.control.wait_breakpoint(point, timeout=TIMEOUT)
    place.change(config={"connector.class": SOURCE, "file": "/dev/zero", "topic": "lines"})
    place.control.release_breakpoint(point)
    found = place.wait_reason("NotAdopted", about="file")
    assert found["status"]["ownership"]["state"] == "NotAdopted"
    place.delete_and_wait()
    assert place.wait_connector()["config"]["file"] == "/dev/zero"


def test_edited_while_a_create_is_under_way(place: Place) -> None:
    """The newer wish is carried out next, without anybody waking the operator."""
    point = place.control.add_breakpoint(place.environment, "CreateConnector", when="after")
    place.apply()
    place.control.wait_breakpoint(point, timeout=TIMEOUT)
    place.apply(config={"file": "/dev/zero", "topic": "lines"})
    place.control.release_breakpoint(point)
    place.wait_running()
    assert place.wait_connector()["config"]["file"] == "/dev/zero"


@pytest.mark.parametrize("when", ["before", "after"])
def test_deleted_while_a_create_is_under_way(place: Place, when: str) -> None:
    point = place.control.add_breakpoint(place.environment, "CreateConnector", when=when)
    place.apply()
    place.control.wait_breakpoint(point, timeout=TIMEOUT)
    place.delete()
    place.control.release_breakpoint(point)
    place.wait_gone()
    assert place.connector() is None


def test_sigterm_lets_a_create_end(own_place: Place, operators: Operators) -> None:
    """What is under way, however slow, is finished and written down before the process ends."""
    place = own_place
    operator = operators.start(place.namespace)
    place.fault(operation="CreateConnector", latency=8)
    place.apply()
    place.wait_request_started("CreateConnector")
    assert operator.terminate(timeout=60) == 0
    (created,) = place.requests("CreateConnector")
    assert (created["outcome"], created["status"]) == ("answered", 201)
    assert [why for why, _ in place.events()] == ["Created"]
    place.control.clear_faults(place.environment)
    operators.start(place.namespace)
    place.wait_running()
    assert place.writes() == ["CreateConnector"]


def test_deleted_before_it_is_to_be_seen(place: Place) -> None:
    """A DELETE that is denied is no proof, so that nothing is left behind."""
    place.delay(create_delay=FOR_EVER)
    place.apply()
    place.wait_request("CreateConnector")
    place.delete()
    place.wait_request("DeleteConnector")
    place.end_delays()
    place.wait_gone(timeout=100)
    assert place.connector() is None
    assert place.writes() == ["CreateConnector", "DeleteConnector", "DeleteConnector"]
    assert [found["status"] for found in place.requests("DeleteConnector")][:1] == [404]
    place.wait_event("Deleted")
