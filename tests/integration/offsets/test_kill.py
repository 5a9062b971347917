"""kill -9 at every request boundary of an operation: it is carried out once, and there is a way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.kube import Object
from harness.lenses.control import Json
from harness.operator_fixtures import KIND, Operators, Place, conditions, reason
from integration.kill_rounds import READY, Flow, Round, Scenario
from integration.offsets.support import BEFORE, Offsets

CONFIG = {"file": "/dev/null", "topic": "lines"}
ASKED = '[{"partition": {"filename": "/dev/null"}, "offset": {"position": 5}}]'
REQUEST = {"alter": "AlterConnectorOffsets", "reset": "ResetConnectorOffsets"}


def _settled(state: str) -> Any:
    def before(place: Place, name: str) -> None:
        place.control.set_offsets(place.environment, place.cluster, name, BEFORE)
        place.apply(name, config=CONFIG, state=state)

    return before


def _operation(action: str) -> Any:
    return lambda place, name: Offsets(place).apply(name, connector=name, action=action)


@dataclass
class OffsetsRound(Round):
    """The object of a scenario is its connector; its operation has the same name."""

    def _finished(self, scenario: Scenario, found: Object | None) -> bool:
        if found is None or reason(found) != READY[scenario.flow.state]:
            return False
        operation = self.place.kube.get("lco", self.place.namespace, scenario.name)
        if operation is None or operation["status"].get("appliedGeneration") != 1 or reason(operation) != "Applied":
            return False
        connector = scenario.own.connector(scenario.name)
        return connector is not None and connector["target"] == scenario.flow.state

    def _check(self, scenario: Scenario) -> None:
        place, name, what = scenario.own, scenario.name, str(scenario)
        (connector,) = place.control.connectors(scenario.environment)
        assert connector["target"] == scenario.flow.state, what
        found = Offsets(place).get(name)
        assert set(conditions(found)) == {"Ready"}, what
        assert found["status"]["before"] == BEFORE, what
        assert Offsets(place).now(name) == ("[]" if scenario.flow.name == "reset" else ASKED), what
        requests = place.requests(since=scenario.since)
        _assert_stopped_only_once_and_asked_in_vain_never(requests, REQUEST[scenario.flow.name], what)
        there = place.kube.get(KIND, place.namespace, name)
        assert there is not None
        assert set(conditions(there)) == {"Ready"}, what


def _assert_stopped_only_once_and_asked_in_vain_never(requests: list[Json], request: str, what: str) -> None:
    """What Lenses has carried out and a live operator has heard of, or could read, is not asked for again."""
    changes = [one for one in requests if one["operation"] in (request, "ConnectorState") and one["processed"]]
    done = [one for one in changes if one["operation"] == request]
    assert len(done) == 1, f"{what}: carried out {len(done)} times"
    resumed = [one for one in changes if one["path"].endswith(("/resume", "/pause"))]
    assert all(one["seq"] > done[0]["seq"] for one in resumed), f"{what}: let go too early"
    assert not {one["operation"] for one in requests} & {"DeleteConnector", "CreateConnector"}, what


def _flow(action: str, state: str) -> Flow:
    held = frozenset({"ConnectorState", "GetConnector", "GetConnectorOffsets", REQUEST[action.lower()]})
    return Flow(action.lower(), held, _settled(state), _operation(action), CONFIG, state)


def test_kill_at_every_boundary(own_place: Place, operators: Operators) -> None:
    OffsetsRound([_flow("Alter", "running"), _flow("Reset", "paused")], own_place, operators).run()
