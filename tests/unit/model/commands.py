"""What may happen, in any order and at any moment, as values that hypothesis can draw and shrink."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import strategies as st

from doubles.faults import DOWN, FAULTS, Fault
from doubles.incarnation import Habits
from doubles.lenses import NAMES, PLUGIN
from doubles.lifelike_kube import Place
from harness.lenses.memory_connector import Task
from lenses_operator.resources.base import RESTART
from unit.controllers.virtualtime import now
from unit.model.draws import CONNECTORS, all_habits, lies
from unit.model.world import World
from unit.resources.make import CLASS

PLACES: tuple[Place, ...] = (("payments", "one"), ("payments", "two"), ("logistics", "one"), ("logistics", "two"))
SECRET = "credentials"
OPERATIONS = tuple(name for name in NAMES if name not in {"get_offsets", "alter_offsets"})


@dataclass(frozen=True)
class Apply:
    """Creates the resource, or edits the fields that are given."""

    place: Place
    connector: str
    changes: dict[str, Any]

    async def happen(self, world: World) -> None:
        known = world.kube.objects.get(self.place)
        spec: dict[str, Any] = dict(known["spec"]) if known else {"name": self.connector, "config": {"topic": "a"}}
        for field, value in self.changes.items():
            if field in {"topic", "size", "password"}:
                config = {key: one for key, one in spec["config"].items() if key != field}
                spec["config"] = config if value is None else {**config, field: value}
            else:
                spec[field] = value
        world.kube.put(self.place, spec)


@dataclass(frozen=True)
class Remove:
    place: Place

    async def happen(self, world: World) -> None:
        known = world.kube.objects.get(self.place)
        if known is not None and not known["metadata"].get("deletionTimestamp"):
            world.kube.delete(self.place[1], namespace=self.place[0])


@dataclass(frozen=True)
class Strip:
    """The finalizer, by hand, of an object that is being deleted."""

    place: Place

    async def happen(self, world: World) -> None:
        known = world.kube.objects.get(self.place)
        if known is not None and known["metadata"].get("deletionTimestamp"):
            found = world.lenses.connectors.get(known["spec"]["name"])
            if found is not None:
                found.let_go = True
            world.kube.strip(self.place)


@dataclass(frozen=True)
class Vanish:
    """The next time its finalizer is put, the API server drops the object."""

    place: Place
    after: float

    async def happen(self, world: World) -> None:
        world.kube.vanishing[self.place] = self.after


@dataclass(frozen=True)
class Annotate:
    place: Place
    which: Literal["restart", "reconcile"]
    value: str

    async def happen(self, world: World) -> None:
        if self.place in world.kube.objects:
            known = world.kube.objects[self.place]
            if known["metadata"].get("annotations", {}).get(RESTART) != self.value:  # a new wish, though an old word
                world.accounts[known["spec"]["name"]].restarts.clear()
            world.kube.annotate(self.place, self.which, self.value)


@dataclass(frozen=True)
class SetSecret:
    """`number` None removes it; the same one again changes metadata alone."""

    namespace: str
    number: int | None

    async def happen(self, world: World) -> None:
        value = f'{self.namespace}/pass"w&rd-{self.number}'
        world.secrets.add(value)
        world.kube.set_secret(self.namespace, SECRET, None if self.number is None else {"password": value})


@dataclass(frozen=True)
class SetPolicy:
    allowed: frozenset[str]

    async def happen(self, world: World) -> None:
        world.kube.allow(self.allowed)
        if world.process is not None:
            world.process.allow(self.allowed)


@dataclass(frozen=True)
class Meddle:
    """Somebody else's hand in Lenses; a connector that is not there is created."""

    connector: str
    what: Literal[
        "topic",
        "size",
        "password",
        "server.default",
        "PAUSED",
        "STOPPED",
        "RUNNING",
        "delete",
        "create",
        "create another",
    ]

    async def happen(self, world: World) -> None:
        connect = world.lenses.connect
        found = connect.connectors.get(self.connector)
        match self.what:
            case "create" | "create another":
                if found is None:
                    config = {"topic": "a" if self.what == "create" else "other", "connector.class": CLASS}
                    stranger = connect.connectors[self.connector] = connect.made(self.connector, config, PLUGIN)
                    stranger.tasks, stranger.ours = [Task(0)], False
                    stranger.foreign = {*config, "password", "size"}
            case "delete":
                connect.remove(self.connector)
            case "PAUSED" | "STOPPED" | "RUNNING":
                if found is not None:
                    found.rest(self.what)
            case key if found is not None:
                found.config = {**found.config, key: "by-hand"}
                found.foreign = found.foreign | {key}
                found.written_by = None
                found.touched = now()
        connect.happened(self.connector)


@dataclass(frozen=True)
class Fail:
    """A task, or the connector itself; the trace quotes what the connector was given."""

    connector: str
    whole: bool

    async def happen(self, world: World) -> None:
        found = world.lenses.connectors.get(self.connector)
        if found is None or found.state != "RUNNING":
            return
        trace = f"ConnectException: login with {found.config.get('password')}\n\tat x\nCaused by: {found.config}"
        if self.whole:
            found.move("FAILED")
        else:
            found.tasks = [Task(0, "FAILED", trace)]
        world.lenses.connect.happened(self.connector)


@dataclass(frozen=True)
class Break:
    """The next requests of this operation fail."""

    operation: str
    fault: Fault
    times: int

    async def happen(self, world: World) -> None:
        world.lenses.faults[self.operation] += [self.fault] * self.times


@dataclass(frozen=True)
class BreakKube:
    what: Literal["status", "finalizer"]
    carried: bool
    times: int

    async def happen(self, world: World) -> None:
        world.kube.faults[self.what] += [self.carried] * self.times


@dataclass(frozen=True)
class Down:
    """The whole environment; None: it is back."""

    fault: Fault | None

    async def happen(self, world: World) -> None:
        world.lenses.down = self.fault


@dataclass(frozen=True)
class Deny:
    """A cluster that restarts denies what it holds for a moment."""

    connector: str
    seconds: float

    async def happen(self, world: World) -> None:
        world.lenses.denied_until[self.connector] = now() + self.seconds


@dataclass(frozen=True)
class Lie:
    """Lenses misleads for a while, in one way or in several."""

    ways: tuple[tuple[str, Any], ...]
    seconds: float

    async def happen(self, world: World) -> None:
        for name, value in self.ways:
            world.lenses.hostile.switch(name, value, self.seconds)


@dataclass(frozen=True)
class Restart:
    gracefully: bool
    away: float

    async def happen(self, world: World) -> None:
        await world.restart(gracefully=self.gracefully, away=self.away)


@dataclass(frozen=True)
class CrashAt:
    """At the request so many from now."""

    requests: int
    after: bool

    async def happen(self, world: World) -> None:
        world.crash_in, world.crash_after = self.requests, self.after


Command = (
    Apply
    | Remove
    | Strip
    | Vanish
    | Annotate
    | SetSecret
    | SetPolicy
    | Meddle
    | Fail
    | Break
    | BreakKube
    | Down
    | Deny
    | Lie
    | Restart
    | CrashAt
)


@dataclass(frozen=True)
class Step:
    command: Command
    wait: float


@dataclass(frozen=True)
class Story:
    """`secrets`: whether both namespaces have their Secret from the start."""

    habits: dict[str, Habits]
    watch: bool
    secrets: bool
    steps: tuple[Step, ...]
    offered: bool = False

    async def tell(self, world: World) -> None:
        world.start()
        for namespace in ("payments", "logistics") if self.secrets else ():
            await SetSecret(namespace, 1).happen(world)
        try:
            for step in self.steps:
                world.log.append((now(), f"*** {step.command}"))
                await step.command.happen(world)
                await asyncio.sleep(step.wait)
                if world.violations:
                    return
            await world.settle()
        finally:
            await world.stop(gracefully=False)


_password = {
    "key": "password",
    "secretKeyRef": {"name": SECRET, "key": "password"},
}
field_of = st.one_of(
    st.tuples(st.just("topic"), st.sampled_from(["a", "b", "c", "a", "b", "bad", "worse"])),
    st.tuples(st.just("size"), st.sampled_from([None, "1", "2"])),
    st.tuples(st.just("password"), st.sampled_from([None, "literal"])),
    st.tuples(
        st.just("configFrom"),
        st.sampled_from(
            [
                [],
                [_password],
                [_password],
                [{**_password, "secretKeyRef": {"name": SECRET, "key": "password", "optional": True}}],
            ]
        ),
    ),
    st.tuples(st.just("state"), st.sampled_from(["running", "paused", "stopped"])),
    st.tuples(st.just("suspend"), st.booleans()),
    st.tuples(st.just("deletionPolicy"), st.sampled_from(["Delete", "DeleteWithOffsets", "Retain"])),
    st.tuples(st.just("adoptionPolicy"), st.sampled_from(["IfIdentical", "Always", "Never"])),
    st.tuples(st.just("updateStrategy"), st.sampled_from(["Recreate", "InPlace", "Auto"])),
    st.tuples(
        st.just("autoRestart"),
        st.sampled_from([{"enabled": False}, {"enabled": True}, {"enabled": True, "maxRestarts": 1}]),
    ),
)
_fault = st.builds(Fault, st.sampled_from(sorted(FAULTS)), st.sampled_from(["no", "yes", "late"]))
_policies = [frozenset({"payments", "logistics"}), frozenset({"payments"}), frozenset({"logistics"})]
_meddling = ["delete", "topic", "size", "password", "server.default", "PAUSED", "STOPPED", "RUNNING"]


def _commands(place: st.SearchStrategy[Place], connector: st.SearchStrategy[str]) -> dict[str, Any]:
    """By what they are about, so that a history can be about few things and those often."""
    namespace = st.sampled_from(["payments", "payments", "logistics"])
    return {
        "remove": st.builds(Remove, place),
        "strip": st.builds(Strip, place),
        "vanish": st.builds(Vanish, place, st.sampled_from([0.0, 0.0015, 0.0025, 0.0035, 0.02])),
        "annotate": st.builds(Annotate, place, st.sampled_from(["restart", "reconcile"]), st.sampled_from(["1", "2"])),
        "secret": st.builds(SetSecret, namespace, st.sampled_from([1, 2, 2, None])),
        "policy": st.builds(SetPolicy, st.sampled_from(_policies)),
        "meddle": st.builds(Meddle, connector, st.sampled_from(_meddling)),
        "stranger": st.builds(Meddle, connector, st.sampled_from(["create", "create another", "delete"])),
        "fail": st.builds(Fail, connector, st.booleans()),
        "break": st.builds(Break, st.sampled_from(OPERATIONS), _fault, st.integers(1, 4)),
        "kube": st.builds(BreakKube, st.sampled_from(["status", "finalizer"]), st.booleans(), st.integers(1, 2)),
        "down": st.builds(
            Down,
            st.one_of(
                st.none(),
                st.just(Fault("404-environment")),
                st.builds(Fault, st.sampled_from(DOWN), st.sampled_from(["no", "yes"])),
            ),
        ),
        "deny": st.builds(Deny, connector, st.sampled_from([0.1, 1.5])),
        "lie": st.builds(Lie, lies, st.sampled_from([3.0, 20.0, 50.0, 120.0])),
        "restart": st.builds(Restart, st.booleans(), st.sampled_from([0.0, 20.0])),
        "crash": st.builds(CrashAt, st.integers(1, 12), st.booleans()),
    }


_wait = st.sampled_from([0.0, 0.0, 0.005, 0.05, 1.0, 5.0, 20.0, 20.0, 90.0])


@st.composite
def stories(draw: st.DrawFn) -> Story:
    place = st.sampled_from(PLACES[: draw(st.sampled_from([1, 2, 4]))])
    connector = st.sampled_from(CONNECTORS[: draw(st.sampled_from([1, 1, 2]))])
    commands = _commands(place, connector)
    about = draw(st.lists(st.sampled_from(sorted(commands)), min_size=2, max_size=8, unique=True))
    apply = st.builds(Apply, place, connector, st.lists(field_of, max_size=6).map(dict))
    command = st.one_of(apply, apply, commands["remove"], *(commands[one] for one in about))
    some = st.lists(st.builds(Step, command, _wait), max_size=10)
    steps = draw(some) + draw(some)  # long, though hypothesis likes lists short
    secrets = draw(st.sampled_from([True, True, False]))
    return Story(all_habits(draw), draw(st.booleans()), secrets, tuple(steps), offered=draw(st.booleans()))
