"""What is changed behind the operator's back is put back; what Lenses merely shows otherwise is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from harness.operator_fixtures import Operators, Place

CONFIG = {"file": "/dev/null", "topic": "lines", "db.password": "planted-1", "size": 102400000}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"file": "/dev/zero"}, "changed file"),
        ({"transforms": "x"}, "unwanted transforms"),
        ({"batch.size": None}, "missing batch.size"),
        ({"file": "/dev/zero", "batch.size": None, "x": "y"}, "changed file; missing batch.size; unwanted x"),
    ],
    ids=["changed", "added", "removed", "all"],
)
def test_config(place: Place, change: dict[str, str | None], words: str) -> None:
    config = {"file": "/dev/null", "topic": "lines", "batch.size": 5}
    place.runs(config=config)
    mark = place.mark()
    place.change(config_changes=change)
    text = place.wait_event("DriftRepaired", about=words)
    assert "/dev" not in text
    place.wait_running()
    found = place.wait_connector()["config"]
    assert found == {key: str(value) for key, value in config.items()} | {
        "name": "orders",
        "connector.class": found["connector.class"],
    }
    place.wait_checks()
    assert place.writes(since=mark) == ["DeleteConnector", "CreateConnector"]


@pytest.mark.parametrize(("wanted", "seen"), [("running", "PAUSED"), ("running", "STOPPED"), ("paused", "RUNNING")])
def test_state(place: Place, wanted: str, seen: str) -> None:
    place.apply_until(wanted.title(), state=wanted)
    mark = place.mark()
    place.change(state=seen)
    place.wait_event("DriftRepaired", about=seen)
    place.wait_connector(predicate=lambda found: found["target"] == wanted)
    place.wait_reason(wanted.title())
    place.wait_polls()
    assert place.writes(since=mark) == ["ConnectorState"]


def test_deleted_outside(place: Place) -> None:
    place.runs()
    mark = place.mark()
    place.control.remove_connector(place.environment, place.cluster, "orders")
    place.wait_event("DriftRepaired", about="gone")
    place.wait_running()
    place.wait_polls()
    assert place.writes(since=mark) == ["CreateConnector"]


def test_not_in_the_list_is_not_absent(place: Place) -> None:
    """Lists are filtered by permission; the details decide."""
    place.runs()
    mark = place.mark()
    place.fault(operation="ListConnectors", connector="orders", hide=True)
    place.wait_polls(6)
    found = place.wait_running()
    assert found["status"]["state"] == "RUNNING"
    assert place.writes(since=mark) == []


QUIET: dict[str, dict[str, Any]] = {
    "added": {"add_at_create": {"errors.log.enable": "false", "max.batch.size": "100"}},
    "masked": {"mask": True},
    "rewritten": {"rewrite": {"size": "1.024E8"}},
    "hidden-key": {
        "errors": [{"field": "config.db.password", "reason": "no permission"}],
        "rewrite": {"db.password": None},
    },
    "hidden-config": {"omit_config": True, "errors": [{"field": "config", "reason": "no permission"}]},
    "more-fields": {"extra": {"health": "green"}},
}


@pytest.mark.parametrize("fault", QUIET.values(), ids=QUIET.keys())
def test_notation_is_no_drift(place: Place, fault: dict[str, Any]) -> None:
    place.fault(**fault)
    place.runs(config=CONFIG)
    place.wait_checks(count=4)
    place.wait_polls()
    assert place.writes() == ["CreateConnector"]
    place.wait_running()


@pytest.mark.parametrize(
    "fault", [QUIET["added"], QUIET["masked"], QUIET["rewritten"]], ids=["added", "masked", "rewritten"]
)
def test_drift_beside_notation_is_repaired(place: Place, fault: dict[str, Any]) -> None:
    place.fault(**fault)
    place.runs(config=CONFIG)
    place.wait_checks()
    mark = place.mark()
    place.change(config_changes={"transforms": "x", "topic": "other"})
    place.wait_event("DriftRepaired", about="changed topic; unwanted transforms")
    place.wait_running()
    place.wait_checks(count=3)
    assert place.writes(since=mark) == ["DeleteConnector", "CreateConnector"]
    config = place.wait_connector()["config"]
    assert (config["topic"], config["db.password"]) == ("lines", "planted-1")


@pytest.mark.parametrize(
    "fault", [QUIET["added"], QUIET["masked"], QUIET["rewritten"]], ids=["added", "masked", "rewritten"]
)
def test_notation_is_remembered_over_a_restart(own_place: Place, operators: Operators, fault: dict[str, Any]) -> None:
    place = own_place
    first = operators.start(place.namespace)
    place.fault(**fault)
    place.runs(config=CONFIG)
    place.wait_checks()
    first.kill()
    operators.start(place.namespace)
    place.wait_checks(count=3)
    assert place.writes() == ["CreateConnector"]
    place.change(config_changes={"topic": "other"})
    place.wait_event("DriftRepaired", about="changed topic")
    place.wait_running()


def test_a_masked_value_that_is_wanted_otherwise_is_written(place: Place) -> None:
    place.fault(mask=True)
    place.runs(config=CONFIG)
    place.apply(config={**CONFIG, "db.password": "planted-2"})
    place.wait_event("ConfigUpdated", about="db.password")
    place.wait_running()
    assert place.wait_connector()["config"]["db.password"] == "planted-2"
    place.wait_checks()
    assert place.writes() == ["CreateConnector", "DeleteConnector", "CreateConnector"]


def test_a_masked_value_changed_while_the_operator_was_away(own_place: Place, operators: Operators) -> None:
    place = own_place
    first = operators.start(place.namespace)
    place.fault(mask=True)
    place.runs(config=CONFIG)
    first.kill()
    place.apply(config={**CONFIG, "db.password": "planted-2"})
    operators.start(place.namespace)
    place.wait_running()
    assert place.wait_connector()["config"]["db.password"] == "planted-2"


def test_masking_that_begins_later(place: Place) -> None:
    place.runs(config=CONFIG)
    place.fault(mask=True)
    place.wait_checks(count=4)
    assert place.writes() == ["CreateConnector"]


def test_drift_and_failure_at_once(place: Place) -> None:
    place.runs()
    place.change(config_changes={"file": "/dev/zero"}, tasks=[{"id": 0, "state": "FAILED", "trace": "boom"}])
    place.wait_event("DriftRepaired", about="file")
    place.wait_running()


def test_adopted_with_a_masked_value(place: Place) -> None:
    """What cannot be read counts as equal, and the Event says so."""
    place.change(
        config={"connector.class": place.manifest()["spec"]["class"], **{k: str(v) for k, v in CONFIG.items()}}
    )
    place.fault(mask=True)
    place.runs(config=CONFIG)
    assert "db.password" in place.wait_event("Adopted")
    place.wait_checks(count=3)
    assert place.writes() == []
    place.runs(config={**CONFIG, "db.password": "planted-2"})
    place.wait_connector(predicate=lambda found: found["config"]["db.password"] == "planted-2")
