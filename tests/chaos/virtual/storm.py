"""A storm: what may happen, drawn from a seed, in a world of many connectors; then everything is mended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random
from typing import Any, cast

from chaos.virtual.world import SLOWEST, StormWorld
from doubles.faults import DOWN, FAULTS, Fault
from doubles.hostile import SWITCHES
from doubles.incarnation import Habits
from doubles.lifelike_kube import Place
from unit.controllers.virtualtime import now
from unit.model.commands import (
    Annotate,
    Apply,
    Break,
    BreakKube,
    CrashAt,
    Deny,
    Down,
    Fail,
    Lie,
    Meddle,
    Remove,
    Restart,
    SetPolicy,
    SetSecret,
    Strip,
    Vanish,
)
from unit.offsets.make import FILE

NAMESPACES = ("payments", "logistics")
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
FAULTY: tuple[str, ...] = (
    "list_connectors",
    "get_connector",
    "get_cluster_info",
    "validate",
    "create_connector",
    "delete_connector",
)
FAULTY += ("set_state", "restart_task", "reset_offsets", "alter_offsets", "get_offsets", "put_resource", "get_topics")
_password = {"key": "password", "secretKeyRef": {"name": "credentials", "key": "password"}}
FIELDS: dict[str, list[Any]] = {
    "topic": ["a", "b", "c", "a", "b", "bad", "worse"],
    "size": [None, "1", "2"],
    "password": [None, "literal"],
    "configFrom": [[], [_password], [_password]],
    "state": ["running", "running", "paused", "stopped"],
    "suspend": [False, False, True],
    "deletionPolicy": ["Delete", "DeleteWithOffsets", "Retain"],
    "adoptionPolicy": ["IfIdentical", "Always", "Never"],
    "updateStrategy": ["Recreate", "Recreate", "InPlace", "Auto"],
    "autoRestart": [{"enabled": False}, {"enabled": True}, {"enabled": True, "maxRestarts": 2}],
}
LYING = 0.2
"""Share of what befalls a Lenses that misleads."""
MEDDLING = ("delete", "topic", "size", "password", "server.default", "PAUSED", "STOPPED", "RUNNING")


@dataclass(frozen=True)
class SetClock:
    """The operator's wall clock, by so many seconds; what passes by goes on."""

    seconds: float

    async def happen(self, world: StormWorld) -> None:
        world.clock.jump(self.seconds)


@dataclass(frozen=True)
class SkewApi:
    """The API server's clock."""

    seconds: int

    async def happen(self, world: StormWorld) -> None:
        world.skew(self.seconds)


@dataclass(frozen=True)
class Suspend:
    """The machine."""

    seconds: float

    async def happen(self, world: StormWorld) -> None:
        world.suspend(self.seconds)


@dataclass(frozen=True)
class Slow:
    requests: float
    writes: float

    async def happen(self, world: StormWorld) -> None:
        world.slow(self.requests, self.writes)


@dataclass(frozen=True)
class Omit:
    """The list leaves it out."""

    connector: str
    seconds: float

    async def happen(self, world: StormWorld) -> None:
        world.lenses.omitted_until[self.connector] = now() + self.seconds


@dataclass(frozen=True)
class DeleteIdly:
    """The next delete is accepted and comes to nothing."""

    connector: str

    async def happen(self, world: StormWorld) -> None:
        world.lenses.connect.idle_deletes[self.connector] += 1


@dataclass(frozen=True)
class Operate:
    """A new operation, or with `again` one that is there, for another position."""

    place: Place
    action: str
    again: bool

    async def happen(self, world: StormWorld) -> None:
        world.made += 1
        namespace, connector = self.place
        known = sorted(name for name, body in world.offsets.objects.items() if of_place(body) == self.place)
        name = known[-1] if known and self.again else f"operation-{world.made}"
        spec: dict[str, Any] = {"connectorRef": {"name": connector}, "action": self.action}
        if self.action == "Alter":
            spec["offsets"] = asks_for(1_000_000 * world.made)
        world.offsets.apply(name, namespace=namespace, **spec)


@dataclass(frozen=True)
class Abandon:
    """The oldest operation on it is deleted."""

    place: Place

    async def happen(self, world: StormWorld) -> None:
        for name, body in world.offsets.objects.items():
            if of_place(body) == self.place:
                world.offsets.delete(name)
                return


@dataclass(frozen=True)
class BreakOffsets:
    """The next writes of an operation's status."""

    carried: bool
    times: int

    async def happen(self, world: StormWorld) -> None:
        world.offsets.faults += [self.carried] * self.times


@dataclass(frozen=True)
class DownFor:
    """The whole environment."""

    fault: Fault
    seconds: float

    async def happen(self, world: StormWorld) -> None:
        await Down(self.fault).happen(world)
        asyncio.get_running_loop().call_later(self.seconds, self._back, world)

    def _back(self, world: StormWorld) -> None:
        if world.lenses.down is self.fault:
            world.lenses.down = None


def of_place(body: dict[str, Any]) -> Place:
    return body["metadata"]["namespace"], body["spec"]["connectorRef"]["name"]


class Storm:
    """`seconds` of virtual time; the same seed, the same storm."""

    def __init__(self, seed: int, *, connectors: int, seconds: float, hostile: bool = False) -> None:
        self.seed, self.seconds = seed, seconds
        self._random = Random(seed)
        self._names = [f"c{number:03}" for number in range(connectors)]
        self._pace = self._random.choice([0.3, 1.0, 4.0]) * 40 / connectors
        self._hostile = hostile or self._random.random() < 0.5
        """Lenses misleads, too."""
        self._calm = not self._hostile and self._random.random() < 0.4
        """Mishaps of the operator and of clocks alone: Lenses is well."""

    def world(self) -> StormWorld:
        random, lag = self._random, self._random.choice([0.0, 0.0, 1.5])
        in_place, offered = random.random() < 0.7, random.random() < 0.5
        habits = {
            name: Habits(
                password=random.choice(["shown", "masked", "hidden"]),
                rewrites=random.random() < 0.3,
                adds=random.random() < 0.3,
                takes=random.choice([0.0, 0.3, 2.0]),
                lag=lag,
                in_place=in_place,
            )
            for name in self._names
        }
        latency = random.choice([0.01, 0.01, 0.5])
        return StormWorld(habits, Random(self.seed), watch=random.random() < 0.5, latency=latency, offered=offered)

    async def rage(self, world: StormWorld) -> None:
        """Ends early at the first violation."""
        world.start()
        try:
            await self._begin(world)
            began = now()
            while now() - began - world.suspended < self.seconds and not world.violations:
                command = self._draw()
                world.log.append((now(), f"*** {command}"))
                await command.happen(world)
                await asyncio.sleep(self._random.expovariate(1.0) * self._pace)
            world.log.append((now(), "*** everything is mended"))
            world.clock.jump(0.0)
            if not world.violations:
                await world.settle()
        finally:
            await world.stop(gracefully=False)

    async def _begin(self, world: StormWorld) -> None:
        for namespace in NAMESPACES:
            await SetSecret(namespace, 1).happen(world)
        for name in self._names:
            if self._random.random() < 0.9:
                await Apply(self._place(name), name, self._changes()).happen(world)
            elif self._random.random() < 0.5:
                await Meddle(name, "create").happen(world)

    def _place(self, name: str) -> Place:
        """Mostly its own; now and then somebody else's claim to the name."""
        other = self._random.random() < 0.1
        return self._random.choice(NAMESPACES) if other else NAMESPACES[len(name) % 2], name

    def _changes(self) -> dict[str, Any]:
        fields = self._random.sample(sorted(FIELDS), self._random.randint(0, 3))
        return {field: self._random.choice(FIELDS[field]) for field in fields}

    def _draw(self) -> Any:
        random = self._random
        drawn = random.random()
        if drawn < 0.45:
            return self._of_a_user()
        if drawn < 0.6:
            return self._of_the_operator()
        return self._of_a_user() if self._calm else self._of_lenses()

    def _of_a_user(self) -> Any:
        random, name = self._random, self._random.choice(self._names)
        place = self._place(name)
        kind = random.choices(
            ["apply", "operate", "abandon", "remove", "strip", "annotate", "secret", "policy", "vanish"],
            [12, 6, 1, 3, 0.5, 3, 1, 0.3, 0.5],
        )[0]
        match kind:
            case "apply":
                return Apply(place, name, self._changes())
            case "operate":
                action = random.choice(["Alter", "Alter", "Alter", "Reset", "Observe"])
                return Operate(place, action, random.random() < 0.3)
            case "abandon":
                return Abandon(place)
            case "remove":
                return Remove(place)
            case "strip":
                return Strip(place)
            case "annotate":
                return Annotate(place, random.choice(["restart", "reconcile"]), str(random.randint(1, 9)))
            case "secret":
                return SetSecret(random.choice(NAMESPACES), random.choice([1, 2, 3, None]))
            case "vanish":
                return Vanish(place, random.choice([0.0, 0.0015, 0.0025, 0.02]))
            case _:
                return SetPolicy(frozenset(random.choice([NAMESPACES, NAMESPACES, NAMESPACES[:1], NAMESPACES[1:]])))

    def _of_the_operator(self) -> Any:
        random = self._random
        kind = random.choice(["restart", "crash", "clock", "clock", "api clock", "suspend", "kube", "offsets", "slow"])
        far = random.choice([1.0, -1.0]) * random.choice([1.0, 5.0, MINUTE, 11 * MINUTE, HOUR, DAY, 30 * DAY])
        match kind:
            case "restart":
                return Restart(gracefully=random.random() < 0.3, away=random.choice([0.0, 0.0, 1.0, 20.0, 90.0]))
            case "crash":
                return CrashAt(random.randint(1, 40), random.random() < 0.5)
            case "clock":
                return SetClock(far)
            case "api clock":
                return SkewApi(int(far))
            case "suspend":
                return Suspend(random.choice([1.0, 10.0, MINUTE, 20 * MINUTE]))
            case "kube":
                which = random.choice(["status", "finalizer"])
                return BreakKube(cast("Any", which), random.random() < 0.5, random.randint(1, 6))
            case "offsets":
                return BreakOffsets(random.random() < 0.5, random.randint(1, 4))
            case _:
                limits = [0.002, 0.002, 0.05, SLOWEST]
                return Slow(random.choice(limits), random.choice(limits[:3]))

    def _of_lenses(self) -> Any:
        random, name = self._random, self._random.choice(self._names)
        if self._hostile and random.random() < LYING:
            return self._lie()
        kind = random.choices(
            ["break", "meddle", "stranger", "fail", "down", "deny", "omit", "idle"], [8, 5, 1, 5, 0.4, 1, 1, 1]
        )[0]
        match kind:
            case "break":
                carried = random.choice(["no", "yes", "late"])
                fault = Fault(random.choice(sorted(FAULTS)), cast("Any", carried))
                return Break(random.choice(FAULTY), fault, random.randint(1, 4))
            case "meddle":
                return Meddle(name, cast("Any", random.choice(MEDDLING)))
            case "stranger":
                return Meddle(name, random.choice(["create", "create another"]))
            case "fail":
                return Fail(name, random.random() < 0.3)
            case "down":
                fault = Fault(random.choice(DOWN), random.choice(["no", "yes"]))
                return DownFor(fault, random.choice([3.0, 40.0, 10 * MINUTE]))
            case "deny":
                return Deny(name, random.choice([0.1, 1.5]))
            case "omit":
                return Omit(name, random.choice([1.0, 40.0, 5 * MINUTE]))
            case _:
                return DeleteIdly(name)

    def _lie(self) -> Lie:
        """In one way, mostly."""
        random = self._random
        names = random.sample(sorted(SWITCHES), random.choice([1, 1, 1, 2, 4]))
        ways = tuple((name, random.choice(SWITCHES[name])) for name in names)
        return Lie(ways, random.choice([5.0, 30.0, 50.0, 2 * MINUTE]))


def asks_for(position: int) -> list[dict[str, Any]]:
    return [{"partition": FILE, "offset": {"position": position}}]
