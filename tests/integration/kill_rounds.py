"""kill -9 at every request boundary of flows, and what a restarted operator makes of it.

A boundary is the nth request of one operation from the beginning of the flow. Polls come by the clock, so how many of
them come before a request of the flow is a matter of the machine: no boundary is counted over several operations.

One operator serves a whole round. Each flow runs undisturbed first, in an environment of its own, and shows which
requests it sends; then every boundary of it is tried in an environment of its own. When everything is either held there
or finished, the operator is killed, the requests are let go, and another operator starts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.kube import Object
from harness.lenses.control import Json
from harness.lenses.operations import CHANGING
from harness.operator_fixtures import KIND, Operators, Place, in_parallel, reason
from harness.waiting import wait_until

WAYS = (("before", "drop"), ("before", "process"), ("after", "drop"))
"""When the request is held, and what becomes of it once its client is dead."""
POLLS = frozenset({"ListConnectors", "GetClusterInfo", "ListPlugins", "ListEnvironments", "GetEnvironment"})
"""Sent by the clock as well: only the first is a boundary, and it need not be reached."""
ALIKE = 4
"""Reads of one operation that are boundaries: while it is waited for that something shows, each is like the one before.
"""
PATIENCE = 240
"""Seconds for all flows of a round; says when to give up, never how fast the operator has to be."""
SETTINGS: Mapping[str, Any] = {"POLL_INTERVAL": 4, "DRIFT_INTERVAL": 60}
READY = {"running": "Running", "paused": "Paused", "stopped": "Stopped"}


@dataclass(frozen=True)
class Flow:
    """`before` leads to where it begins, `act` begins it; in the end there is a connector like this, or none.

    `held`: the operations that are boundaries of it for certain; the others are those that it shows undisturbed.
    """

    name: str
    held: frozenset[str]
    before: Callable[[Place, str], object] | None
    act: Callable[[Place, str], object]
    wanted: dict[str, str] | None
    state: str = "running"


@dataclass
class Scenario:
    """One object in an environment of its own; undisturbed where `nth` is 0."""

    place: Place
    flow: Flow
    operation: str = ""
    nth: int = 0
    when: str = ""
    action: str = ""
    point: int = 0
    since: int = 0
    held: bool = False

    @property
    def name(self) -> str:
        where = f"{self.operation.lower()}-{self.nth}-{self.when}-{self.action}" if self.nth else "undisturbed"
        return f"{self.flow.name}-{where}"

    @property
    def environment(self) -> str:
        return self.own.environment

    @property
    def own(self) -> Place:
        """The same namespace with this scenario's environment."""
        old = self.place
        return Place(old.kube, old.control, old.namespace, f"{old.environment}-{self.name}", old.labels, old.cluster)

    def __str__(self) -> str:
        if not self.nth:
            return f"{self.name}: undisturbed"
        reached = "" if self.held else ", not reached"
        return f"{self.flow.name}: killed at {self.operation} {self.nth}{reached}, held {self.when}, {self.action}"


@dataclass
class Round:
    """Subclasses say when an object is finished, and what has to be the case then."""

    flows: Sequence[Flow]
    place: Place
    operators: Operators
    scenarios: list[Scenario] = field(default_factory=list)

    def run(self) -> None:
        first = self.operators.start(self.place.namespace, **SETTINGS)
        patterns = [Scenario(self.place, flow) for flow in self.flows]
        self._begin(patterns)
        self._wait("the undisturbed flows to be finished", patterns, self._finished)
        self._each(patterns, self._check)
        tried = [one for pattern in patterns for one in _boundaries(pattern)]
        self._begin(tried)
        self._wait("every flow to be held or finished", tried, self._stands)
        first.kill()
        self._each(tried, lambda s: s.place.control.release_breakpoint(s.point, s.action))
        second = self.operators.start(self.place.namespace, **SETTINGS)
        self._wait("every flow to be finished", self.scenarios, self._finished)
        self._each(self.scenarios, self._check)
        second.kill()
        self._each(self.scenarios, lambda s: s.place.control.remove_environment(s.environment))
        for flow in self.flows:
            assert {one.operation for one in tried if one.flow is flow and one.held} >= flow.held, flow.name

    def _finished(self, scenario: Scenario, found: Object | None) -> bool:
        raise NotImplementedError

    def _check(self, scenario: Scenario) -> None:
        raise NotImplementedError

    def _begin(self, scenarios: list[Scenario]) -> None:
        self.scenarios += scenarios
        for scenario in scenarios:
            scenario.place.control.add_environment(
                scenario.environment, {scenario.place.cluster: {"backend": "memory"}}
            )
        prepared = [scenario for scenario in scenarios if scenario.flow.before]
        self._each(prepared, lambda s: s.flow.before and s.flow.before(s.own, s.name))
        self._wait("every flow's beginning", prepared, lambda _, found: _ready(found))
        self._each(scenarios, _arm)
        self._each(scenarios, lambda s: s.flow.act(s.own, s.name))

    def _each(self, scenarios: list[Scenario], call: Callable[[Scenario], object]) -> None:
        by_name = {scenario.name: scenario for scenario in scenarios}
        in_parallel(lambda name: call(by_name[name]), list(by_name))

    def _wait(self, what: str, scenarios: list[Scenario], holds: Callable[[Scenario, Object | None], bool]) -> None:
        """Until it has held once for every one of these scenarios and its object."""
        waiting = list(scenarios)

        def check() -> bool:
            place = self.place
            found = {each["metadata"]["name"]: each for each in place.kube.list(KIND, place.namespace)}
            waiting[:] = [scenario for scenario in waiting if not holds(scenario, found.get(scenario.name))]
            return not waiting

        try:
            wait_until(what, check, PATIENCE, interval=0.2)
        except TimeoutError as error:
            raise AssertionError(f"{error}: {'; '.join(map(str, waiting))}") from None

    def _stands(self, scenario: Scenario, found: Object | None) -> bool:
        """Held at its boundary, or finished before that."""
        if self._finished(scenario, found):
            return True
        try:
            scenario.place.control.wait_breakpoint(scenario.point, timeout=0.001)
        except TimeoutError:
            return False
        scenario.held = True
        return True


def _ready(found: Object | None) -> bool:
    return found is not None and reason(found) in READY.values()


def _arm(scenario: Scenario) -> None:
    scenario.since = scenario.own.mark()
    if scenario.nth:
        scenario.point = scenario.place.control.add_breakpoint(
            scenario.environment, scenario.operation, nth=scenario.nth, when=scenario.when
        )


def _boundaries(pattern: Scenario) -> list[Scenario]:
    """One to be held at each request that the undisturbed flow has sent, in each way."""
    asked: list[Json] = pattern.own.requests(since=pattern.since)
    counts = Counter(request["operation"] for request in asked) | Counter(["ListConnectors"])
    return [
        Scenario(pattern.place, pattern.flow, operation, nth, when, action)
        for operation, count in sorted(counts.items())
        for nth in range(1, 1 + _tried(operation, count))
        for when, action in WAYS
    ]


def _tried(operation: str, count: int) -> int:
    if operation in POLLS:
        return 1
    return count if operation in CHANGING else min(count, ALIKE)
