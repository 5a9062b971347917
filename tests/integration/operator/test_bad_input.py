"""Bad input leaves a connector that runs as it is, says what is wrong, and is forgotten once it is mended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from harness.operator_fixtures import SPEC, Place, conditions

GOOD: Mapping[str, Any] = SPEC["config"]


@dataclass(frozen=True)
class Bad:
    spec: Mapping[str, Any]
    reason: str
    about: str


BAD = {
    "reserved-tasks-max": Bad({"config": {**GOOD, "tasks.max": 2}}, "ConfigInvalid", "'tasks.max'"),
    "reserved-name": Bad({"config": {**GOOD, "name": "x"}}, "ConfigInvalid", "'name'"),
    "reserved-class": Bad({"config": {**GOOD, "connector.class": "x"}}, "ConfigInvalid", "'connector.class'"),
    "class": Bad({"class": "org.example.NoSuchSink"}, "PluginNotFound", "'org.example.NoSuchSink'"),
    "value": Bad({"config": {**GOOD, "batch.size": "1e+06"}}, "ConfigInvalid", "batch.size: Invalid value 1e+06"),
    "missing": Bad({"config": {"file": "/dev/null"}}, "ConfigInvalid", 'topic: Missing required configuration "topic"'),
}


@pytest.mark.parametrize("state", ["running", "stopped"])
@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_bad_edit(place: Place, case: Bad, state: str) -> None:
    place.apply_until(state.title(), state=state)
    before, mark = place.wait_connector(), place.mark()
    found = place.apply_until(case.reason, about=case.about, **{"state": state, **case.spec})
    assert set(conditions(found)) == {"Ready", "Stalled"}
    assert conditions(found)["Ready"]["status"] == "False"
    assert found["status"]["state"] == state.upper()
    place.wait_polls()
    place.wait_event(case.reason)
    assert place.writes(since=mark) == []
    assert place.connector() == before
    found = place.apply_until(state.title(), state=state, config={**GOOD, "batch.size": 5})
    assert set(conditions(found)) == {"Ready"}
    if state == "running":
        assert place.wait_connector()["config"]["batch.size"] == "5"


def test_back_to_what_it_was(place: Place) -> None:
    """The correction is the old spec: nothing is left to be done in Lenses."""
    place.runs()
    place.apply_until("ConfigInvalid", config={**GOOD, "batch.size": "many"})
    place.runs()
    assert place.writes() == ["CreateConnector"]


@pytest.mark.parametrize(("field", "reason"), [("environment", "EnvironmentNotFound"), ("cluster", "ClusterNotFound")])
def test_a_wrong_place_disturbs_nobody(place: Place, persona: str, field: str, reason: str) -> None:
    if persona == "documented":
        reason = "ClusterNotFound"  # by its file both are the same 404
    place.runs()
    before, mark = place.connector(), place.mark()
    place.apply("wrong", **{"name": "orders", field: "nowhere"})
    place.wait_reason(reason, "wrong", about="" if persona == "documented" else "nowhere")
    place.delete_and_wait("wrong")
    place.wait_polls()
    assert place.writes(since=mark) == []
    assert place.connector() == before


def test_deleted_while_invalid(place: Place) -> None:
    place.runs()
    place.apply_until("ConfigInvalid", config={**GOOD, "tasks.max": 2})
    place.delete_and_wait()
    assert place.connector() is None


def test_never_valid_is_never_created(place: Place) -> None:
    place.apply_until("ConfigInvalid", config={**GOOD, "tasks.max": 2})
    place.delete_and_wait()
    assert place.writes() == []
