"""kill -9 at every request boundary of a flow, and what a restarted operator makes of it.

One operator serves a whole round: every scenario has an environment of its own, with a breakpoint at its own boundary.
When every flow is either held there or finished, the operator is killed, the requests are let go, and another operator
starts. Rounds go on until the flow finishes before the boundary everywhere: then there is no further one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from harness.kube import Object
from harness.lenses.control import Json
from harness.operator_fixtures import KIND, Operators, Place, conditions, in_parallel, reason
from harness.waiting import wait_until

# When the request is held, and what becomes of it once its client is dead.
WAYS = (("before", "drop"), ("before", "process"), ("after", "drop"))
BOUNDARIES = 10
"""Tried in one round."""
# Lists that come by the clock, and not because of the flow, are few.
SETTINGS: Mapping[str, Any] = {"POLL_INTERVAL": 4, "DRIFT_INTERVAL": 60}
OLD, NEW = {"file": "/dev/null", "topic": "lines"}, {"file": "/dev/zero", "topic": "lines"}


@dataclass(frozen=True)
class Flow:
    """`before` leads to where it begins, `act` begins it; in the end there is a connector like this, or none."""

    before: Callable[[Place, str], object] | None
    act: Callable[[Place, str], object]
    wanted: dict[str, str] | None
    state: str = "running"


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
READY = {"running": "Running", "paused": "Paused", "stopped": "Stopped"}


@dataclass
class Scenario:
    """One object in an environment of its own, held at the nth request from the beginning of the flow."""

    place: Place
    environment: str
    name: str
    nth: int
    when: str
    action: str
    point: int = 0
    since: int = 0
    hit: Json | None = None

    @property
    def own(self) -> Place:
        """The same namespace with this scenario's environment."""
        old = self.place
        return Place(old.kube, old.control, old.namespace, self.environment, old.labels, old.cluster)

    def __str__(self) -> str:
        at = f"{self.hit['operation']} (request {self.nth})" if self.hit else f"request {self.nth}, not reached"
        return f"{self.name}: killed at {at}, held {self.when}, {self.action}"


@dataclass
class Round:
    flow: Flow
    place: Place
    operators: Operators
    scenarios: list[Scenario]

    def run(self) -> list[Scenario]:
        """Those whose boundary was reached before the flow had finished."""
        first = self.operators.start(self.place.namespace, **SETTINGS)
        if self.flow.before:
            self._each(lambda s: self._begin(s, self.flow.before))
            self._wait("every flow's beginning", lambda _, found: found is not None and reason(found) in READY.values())
        self._each(self._arm)
        self._each(lambda s: self._begin(s, self.flow.act))
        self._wait("every flow to be held or finished", self._stands)
        first.kill()
        self._each(lambda s: s.place.control.release_breakpoint(s.point, s.action))
        second = self.operators.start(self.place.namespace, **SETTINGS)
        self._wait("every flow to be finished", lambda _, found: self._finished(found))
        self._each(self._check)
        second.kill()
        return [scenario for scenario in self.scenarios if scenario.hit]

    def _each(self, call: Callable[[Scenario], object]) -> None:
        by_name = {scenario.name: scenario for scenario in self.scenarios}
        in_parallel(lambda name: call(by_name[name]), list(by_name))

    def _begin(self, scenario: Scenario, act: Callable[[Place, str], object] | None) -> None:
        assert act is not None
        act(scenario.own, scenario.name)

    def _wait(self, what: str, holds: Callable[[Scenario, Object | None], bool]) -> None:
        """Until it has held once for every scenario and its object."""
        waiting = list(self.scenarios)

        def check() -> bool:
            place = self.place
            found = {each["metadata"]["name"]: each for each in place.kube.list(KIND, place.namespace)}
            waiting[:] = [scenario for scenario in waiting if not holds(scenario, found.get(scenario.name))]
            return not waiting

        try:
            wait_until(what, check, 60, interval=0.2)
        except TimeoutError as error:
            raise AssertionError(f"{error}: {'; '.join(map(str, waiting))}") from None

    def _arm(self, scenario: Scenario) -> None:
        scenario.since = scenario.own.mark()
        scenario.point = scenario.place.control.add_breakpoint(
            scenario.environment, nth=scenario.nth, when=scenario.when
        )

    def _stands(self, scenario: Scenario, found: Object | None) -> bool:
        """Held at its boundary, or finished before that."""
        if self._finished(found):
            return True
        try:
            scenario.hit = scenario.place.control.wait_breakpoint(scenario.point, timeout=0.001)
        except TimeoutError:
            return False
        return True

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


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS.keys())
def test_kill_at_every_boundary(flow: Flow, own_place: Place, operators: Operators) -> None:
    hits: list[Scenario] = []
    nth = 1
    while True:
        last = nth + BOUNDARIES
        scenarios = [_scenario(own_place, number, *way) for number in range(nth, last) for way in WAYS]
        reached = Round(flow, own_place, operators, scenarios).run()
        hits += reached
        for scenario in scenarios:
            own_place.control.remove_environment(scenario.environment)
        if max((scenario.nth for scenario in reached), default=0) < last - 1:
            break
        nth = last
    held = {str(scenario.hit["operation"]) for scenario in hits if scenario.hit}
    assert held >= ({"CreateConnector"} if flow.before is None else set())
    assert held >= ({"DeleteConnector"} if flow.wanted is None else set())
    assert held >= ({"DeleteConnector", "CreateConnector", "ValidateConnector"} if flow.wanted == NEW else set())


def _scenario(place: Place, nth: int, when: str, action: str) -> Scenario:
    name = f"n{nth}-{when}-{action}"
    environment = f"{place.environment}-{name}"
    place.control.add_environment(environment, {place.cluster: {"backend": "memory"}})
    return Scenario(place, environment, name, nth, when, action)
