"""kill -9 at every request boundary of a connector's flow: see `integration.kill_rounds`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.kube import Object
from harness.lenses.control import Json
from harness.operator_fixtures import Operators, Place, conditions, reason
from integration.kill_rounds import READY, Flow, Round, Scenario

OLD, NEW = {"file": "/dev/null", "topic": "lines"}, {"file": "/dev/zero", "topic": "lines"}


def _apply(config: dict[str, str], state: str = "running") -> Callable[[Place, str], object]:
    return lambda place, name: place.kube.apply({**place.manifest(name, config=config, state=state)})


def _delete(place: Place, name: str) -> None:
    place.delete(name)


CREATE = frozenset({"ValidateConnector", "CreateConnector"})
UPDATE = CREATE | {"DeleteConnector"}
FLOWS = (
    Flow("create", CREATE, None, _apply(OLD), OLD),
    Flow("create-paused", CREATE, None, _apply(OLD, "paused"), OLD, "paused"),
    Flow("update", UPDATE, _apply(OLD), _apply(NEW), NEW),
    Flow("stop", frozenset({"ConnectorState"}), _apply(OLD), _apply(OLD, "stopped"), OLD, "stopped"),
    Flow("update-and-resume", UPDATE, _apply(OLD, "stopped"), _apply(NEW), NEW),
    Flow("delete", frozenset({"DeleteConnector"}), _apply(OLD), _delete, None),
)


@dataclass
class ConnectorRound(Round):
    def _finished(self, scenario: Scenario, found: Object | None) -> bool:
        if scenario.flow.wanted is None:
            return found is None
        return found is not None and reason(found) == READY[scenario.flow.state]

    def _check(self, scenario: Scenario) -> None:
        place, flow = scenario.own, scenario.flow
        there = place.control.connectors(scenario.environment)
        if flow.wanted is None:
            assert there == [], str(scenario)
        else:
            (connector,) = there
            assert connector["target"] == flow.state, str(scenario)
            assert flow.wanted.items() <= connector["config"].items(), str(scenario)
            found = place.get(scenario.name)
            assert found is not None
            _assert_settled(found, str(scenario))
        _assert_no_needless_write(place.requests(), flow, str(scenario))


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


def test_kill_at_every_boundary(own_place: Place, operators: Operators) -> None:
    ConnectorRound(FLOWS, own_place, operators).run()
