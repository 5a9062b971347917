"""kill -9 at every request boundary of a connector's flow: see `integration.kill_rounds`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from harness.kube import Object
from harness.lenses.control import Json
from harness.operator_fixtures import Operators, Place, conditions, reason
from integration.kill_rounds import READY, Flow, Round, Scenario

OLD, NEW = {"file": "/dev/null", "topic": "lines"}, {"file": "/dev/zero", "topic": "lines"}


def _apply(config: dict[str, str], state: str = "running") -> Callable[[Place, str], object]:
    return lambda place, name: place.kube.apply({**place.manifest(name, config=config, state=state)})


def _delete(place: Place, name: str) -> None:
    place.delete(name)


FLOWS = {
    "create": Flow(None, _apply(OLD), OLD),
    "create-paused": Flow(None, _apply(OLD, "paused"), OLD, "paused"),
    "update": Flow(_apply(OLD), _apply(NEW), NEW),
    "stop": Flow(_apply(OLD), _apply(OLD, "stopped"), OLD, "stopped"),
    "update-and-resume": Flow(_apply(OLD, "stopped"), _apply(NEW), NEW),
    "delete": Flow(_apply(OLD), _delete, None),
}
HELD = {
    "create": {"CreateConnector", "ValidateConnector"},
    "create-paused": {"CreateConnector", "ValidateConnector"},
    "update": {"DeleteConnector", "CreateConnector", "ValidateConnector"},
    "stop": {"ConnectorState"},
    "update-and-resume": {"DeleteConnector", "CreateConnector", "ValidateConnector"},
    "delete": {"DeleteConnector"},
}
"""Boundaries that every flow of the kind has; the others are those that the undisturbed flow shows."""


@dataclass
class ConnectorRound(Round):
    def _finished(self, found: Object | None) -> bool:
        if self.flow.wanted is None:
            return found is None
        return found is not None and reason(found) == READY[self.flow.state]

    def _check(self, scenario: Scenario) -> None:
        place, wanted = scenario.own, self.flow.wanted
        there = place.control.connectors(scenario.environment)
        if wanted is None:
            assert there == [], str(scenario)
        else:
            (connector,) = there
            assert connector["target"] == self.flow.state, str(scenario)
            assert wanted.items() <= connector["config"].items(), str(scenario)
            found = place.get(scenario.name)
            assert found is not None
            _assert_settled(found, str(scenario))
        _assert_no_needless_write(place.requests(), self.flow, str(scenario))


def _assert_settled(found: Object, what: str) -> None:
    assert set(conditions(found)) == {"Ready"}, what
    assert found["status"]["ownership"]["state"] == "Owned", what


def _assert_no_needless_write(requests: Sequence[Json], flow: Flow, what: str) -> None:
    """A create only where there is no connector, a delete only where there is one; an unprocessed request is none."""
    there = False
    creates = 0
    for request in requests:
        if request["operation"] == "CreateConnector":
            assert not there, f"{what}: created again in vain"
            there = request["processed"]
            creates += request["processed"]
        if request["operation"] == "DeleteConnector" and request["processed"]:
            there = False
    begun_otherwise = flow.before is not None and flow.wanted == NEW
    assert creates == (2 if begun_otherwise else 1), what


@pytest.mark.parametrize("name", FLOWS)
def test_kill_at_every_boundary(name: str, own_place: Place, operators: Operators) -> None:
    assert ConnectorRound(FLOWS[name], own_place, operators).run() >= HELD[name]
