"""The Lenses that nobody hopes for: whatever it says of codes, lists, caches and rights, nothing is lost for it."""

from __future__ import annotations

from typing import Unpack

import pytest

from harness.lenses.control import HostileSwitches
from harness.operator_fixtures import SOURCE, SPEC, Place, message

NEW = {"file": "/dev/zero", "topic": "lines"}
PATIENCE = 100.0
AUTO = {"updateStrategy": "Auto"}


def hostile(place: Place, environment: str = "", **switches: Unpack[HostileSwitches]) -> None:
    place.control.set_persona(environment or place.environment, "hostile", **switches)


def connect(place: Place) -> None:
    """The one that has the endpoint for connectors as code; what is created has started when it is answered."""
    place.control.set_persona(place.environment, "connect")
    place.control.set_delays(place.environment, place.cluster, task_delay=0)


def told(place: Place, name: str = "orders") -> set[str]:
    return {why for why, _ in place.events(name)}


# codes
@pytest.mark.parametrize("status", [400, 500])
def test_a_rebalance_told_by_another_code(place: Place, status: int) -> None:
    """Each create and delete causes one: it passes, whatever it is called, and no configuration is blamed for it."""
    hostile(place, conflict_as=status, rebalance=2.0)
    place.runs()
    place.apply(config=NEW)
    place.wait_event("ConfigUpdated", timeout=PATIENCE)
    place.wait_running(timeout=PATIENCE)
    assert place.wait_connector()["config"]["file"] == "/dev/zero"
    refused = [found for found in place.requests("ValidateConnector", "CreateConnector") if found["status"] == status]
    assert refused
    place.delete()
    place.wait_gone(timeout=PATIENCE)
    assert place.connector() is None
    assert not {"ConfigInvalid", "RolledBack", "NotFound"} & told(place)


# lists
@pytest.mark.parametrize("how", ["fail", "huge", "hang"])
def test_a_changed_spec_and_a_deletion_need_no_list(place: Place, how: str) -> None:
    for name in ("edited", "leaving"):
        place.runs(name)
    hostile(place, lists=how)
    place.apply("edited", config=NEW)
    place.delete("leaving")
    place.apply("new")
    place.wait_event("ConfigUpdated", "edited", timeout=PATIENCE)
    place.wait_gone("leaving", timeout=PATIENCE)
    place.wait_event("Deleted", "leaving")
    for name in ("edited", "new"):
        place.wait_running(name, timeout=PATIENCE)
    assert place.wait_connector("edited")["config"]["file"] == "/dev/zero"
    assert place.connector("leaving") is None


# caches
def test_reads_that_are_seconds_old(place: Place) -> None:
    """What was written does not show yet: waited for, and not written again and again."""
    hostile(place, cached_reads=4.0)
    place.apply()
    place.wait_running(timeout=PATIENCE)
    place.apply(config=NEW)
    place.wait_event("ConfigUpdated", timeout=PATIENCE)
    place.wait_running(timeout=PATIENCE)
    place.delete()
    place.wait_gone(timeout=PATIENCE)
    assert place.connector() is None
    writes = place.writes()
    assert writes.count("CreateConnector") <= 3
    assert writes.count("DeleteConnector") <= 5
    assert set(writes) == {"CreateConnector", "DeleteConnector"}


# rights
def test_deleted_while_the_token_sees_nothing(place: Place) -> None:
    """Three environments, of which the token loses its sight.

    In the first it saw others before: that is a lost right. In the second it did not: the two denials hold, and the
    Event says what was found. In the third it sees again in time.
    """
    others, alone, brief = (f"{place.environment}-{name}" for name in ("others", "alone", "brief"))
    for environment in (others, alone, brief):
        place.control.add_environment(environment, {place.cluster: {"backend": "memory"}})
    where = {"left": others, "beside": others, "only": alone, "seen": brief}
    for name, environment in where.items():
        place.apply(name, environment=environment)
    for name in where:
        place.wait_running(name)
    for environment in (others, alone, brief):
        place.control.wait_requests(
            environment, "ListConnectors", since=place.control.requests(environment)[-1]["seq"], count=2
        )
        hostile(place, environment, blind=True)
    there = place.control.get_connector(others, place.cluster, "beside")
    assert there is not None
    starts = there["starts"]
    for name in ("left", "only", "seen"):
        place.delete(name)
    place.control.wait_requests(brief, "DeleteConnector")
    place.control.set_persona(brief, None)
    place.wait_gone("seen", timeout=PATIENCE)
    place.wait_event("Deleted", "seen")
    place.wait_gone("only", timeout=PATIENCE)
    place.wait_event("NotFound", "only")
    assert "Deleted" not in told(place, "only")
    place.wait_reason("DeletionBlocked", "left", timeout=PATIENCE)
    place.control.set_persona(others, None)
    place.wait_gone("left", timeout=PATIENCE)
    place.wait_event("Deleted", "left")
    assert not {"NotFound"} & told(place, "left")
    assert place.control.get_connector(others, place.cluster, "left") is None
    kept = place.control.get_connector(others, place.cluster, "beside")
    assert kept is not None
    assert kept["starts"] == starts
    for environment in (others, alone, brief):
        place.control.remove_environment(environment)


@pytest.mark.parametrize("hidden", ["missing", "null"])
def test_a_configuration_that_is_hidden_is_no_reason_to_adopt(place: Place, hidden: str) -> None:
    """It may be the very same, or a stranger's; only `Always` takes it, and writes it once, as nothing is known."""
    place.change(config={"connector.class": SOURCE, **SPEC["config"]})
    hostile(place, hide_config=hidden)
    found = place.apply_until("NotAdopted")
    assert found["status"]["ownership"]["state"] == "NotAdopted"
    assert "configuration" in message(found)
    place.wait_polls()
    assert place.writes() == []
    place.apply(adoptionPolicy="Always")
    place.wait_event("Adopted")
    place.wait_running()
    place.wait_checks(count=4)
    assert place.writes() == ["DeleteConnector", "CreateConnector"]


@pytest.mark.persona("observed", "it answers 415 to what does not come as JSON")
def test_every_request_says_that_it_is_json(place: Place) -> None:
    place.runs()
    place.apply_until("Paused", state="paused")
    place.runs(config=NEW)
    place.change(tasks=[{"id": 0, "state": "FAILED", "trace": "x"}])
    place.wait_reason("TaskFailed")
    restart = {"metadata": {"annotations": {"connect.lenses.io/restart": "1"}}}
    place.kube.patch("lc", place.namespace, "orders", restart)
    place.wait_event("TaskRestarted")
    place.wait_running()
    place.runs(deletionPolicy="DeleteWithOffsets", config=NEW)
    place.delete_and_wait()
    asked = place.requests()
    assert {found["content_type"] for found in asked} == {"application/json"}
    assert 415 not in {found["status"] for found in asked}
    assert {"ConnectorState", "ConnectorTaskRestart", "ResetConnectorOffsets", "DeleteConnector"} <= {
        found["operation"] for found in asked
    }


# connectors as code
def test_auto_creates_a_paused_one_that_never_runs(place: Place) -> None:
    """By a document with its state, where something of the cluster is to be seen."""
    connect(place)
    place.runs("witness", **AUTO)
    place.wait_polls()
    for state in ("paused", "stopped"):
        place.apply(state, **AUTO, state=state)
    for state in ("paused", "stopped"):
        place.wait_reason(state.title(), state)
        assert place.writes(state) == ["PutResource"]
        assert place.wait_connector(state)["starts"] == 0
        assert "RanBriefly" not in told(place, state)
    place.runs("paused", **AUTO)
    place.apply("paused", **AUTO, config=NEW)
    place.wait_event("ConfigUpdated", "paused")
    assert place.writes("paused") == ["PutResource", "ConnectorState", "PutResource"]


def test_auto_without_the_endpoint_runs_it_for_a_moment(place: Place) -> None:
    connect(place)
    place.control.set_resource_as_code(place.environment, 404)
    place.runs("witness", **AUTO)
    place.wait_polls()
    place.apply_until("Paused", "paused", **AUTO, state="paused")
    place.wait_event("RanBriefly", "paused")
    assert place.writes("paused") == ["CreateConnector", "ConnectorState"]
    assert place.wait_connector("paused")["starts"] == 1
    place.apply("witness", **AUTO, config=NEW)
    place.wait_event("ConfigUpdated", "witness")
    assert place.writes("witness") == ["CreateConnector", "DeleteConnector", "CreateConnector"]


def test_a_write_in_place_that_does_nothing(place: Place) -> None:
    """Accepted and not carried out: said after half a minute, and nothing is deleted in its place."""
    connect(place)
    place.runs(updateStrategy="InPlace")
    place.control.set_resource_as_code(place.environment, None, put_ignored=True)
    place.apply(updateStrategy="InPlace", config=NEW)
    place.wait_reason("UpdateNotApplied", timeout=PATIENCE)
    assert place.writes() == ["CreateConnector", "PutResource"]
    place.control.set_resource_as_code(place.environment, None)
    place.runs(updateStrategy="InPlace", config={**NEW, "batch.size": 5})
    assert place.wait_connector()["config"]["batch.size"] == "5"
    assert "DeleteConnector" not in place.writes()
