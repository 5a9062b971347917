"""Lenses with one Connect cluster: it takes its time, has habits, fails on demand, and accounts for every request."""

# ruff: noqa: ARG002 - the signatures are the client's

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from lenses_operator.lenses import errors
from lenses_operator.lenses.client import Listing, Shown
from lenses_operator.lenses.models import (
    ClusterInfo,
    ConnectorDetails,
    ConnectorListItem,
    ConnectorRequest,
    ListedTask,
    Plugin,
    StateAction,
    Task,
    ValidationResult,
)
from lenses_operator.lenses.transport import Precondition
from unit.controllers.fakes import shown
from unit.controllers.virtualtime import now
from unit.model.faults import Fault
from unit.resources.make import CLASS

T = TypeVar("T")
LATE = 0.5
"""Seconds after which a request whose answer was given up is carried out all the same."""
LAG = 60.0
"""Seconds that the list may be behind at most."""


@dataclass(frozen=True)
class Habits:
    """How this server shows a connector, and how long it takes."""

    password: Literal["shown", "masked", "hidden"] = "shown"
    rewrites: bool = False
    adds: bool = False
    takes: float = 0.0
    """Seconds until a state change or a deletion has happened."""
    lag: float = 0.0
    """Seconds the list is behind."""
    in_place: bool = True

    def shown(self, config: dict[str, str]) -> dict[str, str]:
        seen = dict(config)
        if "password" in seen and self.password == "masked":
            seen["password"] = "********"
        if "password" in seen and self.password == "hidden":
            del seen["password"]
        if "size" in seen and self.rewrites:
            seen["size"] += ".0"
        return seen | {"name": "whatever"}

    @property
    def unreadable(self) -> set[str]:
        return ({"password"} if self.password != "shown" else set()) | ({"size"} if self.rewrites else set())


@dataclass
class Incarnation:
    """One life of a connector, from a create to a delete."""

    config: dict[str, str]
    born: float
    ours: bool
    """Created by the operator, or owned by a resource at some time."""
    state: str = "RUNNING"
    tasks: list[tuple[str, str | None]] = field(default_factory=lambda: [("RUNNING", None)])
    state_since: float = 0.0
    requests: int = 0
    going: bool = False
    offsets: bool = True
    contested: bool = False
    """Somebody else's, as a create of ours was told."""
    touched: float = 0.0
    """When somebody else has last changed its configuration."""
    let_go: bool = False
    """A resource has let it go: retained, or its finalizer stripped by hand."""
    foreign: set[str] = field(default_factory=set)
    """Keys that somebody else has set since our last write."""
    written_by: int | None = None
    """The operator process whose answered write made the configuration what it is, nobody having touched it since."""

    def move(self, state: str) -> None:
        self.state, self.state_since = state, now()


OPERATIONS = (
    "list_connectors",
    "get_connector",
    "get_cluster_info",
    "get_topics",
    "list_plugins",
    "validate",
    "create_connector",
    "delete_connector",
    "set_state",
    "restart_task",
    "reset_offsets",
    "put_resource",
)


class Watcher(Protocol):
    """Who is told of the requests: the contract."""

    def asked(self, operation: str, name: str, what: str, config: dict[str, str] | None) -> None: ...
    def answered(self, operation: str, name: str, error: Exception | None) -> None: ...
    async def interrupted(self, *, after: bool) -> None:
        """Does not return where the operator dies at this very request."""


class Lenses:
    """The client's operations. One environment, one cluster; connectors by name."""

    def __init__(self, habits: dict[str, Habits], watcher: Watcher) -> None:
        self.connectors: dict[str, Incarnation] = {}
        self.habits = habits
        self.faults: dict[str, list[Fault]] = {operation: [] for operation in OPERATIONS}
        self.down: Fault | None = None
        self.denied_until: dict[str, float] = {}
        self.latency: Callable[[], float] = lambda: 0.001
        self.survives: Callable[[str], float | None] = lambda _: None
        """Seconds after which a request reaches the server though its sender has died meanwhile; None: it does not."""
        self.process = 0
        """Number of the operator process that is asking."""
        self._watcher = watcher
        self._shown: dict[str, list[tuple[float, ConnectorListItem | None]]] = {}
        """By connector: what the list shows of it since when."""

    def heal(self) -> None:
        self.down = None
        self.denied_until.clear()
        for queued in self.faults.values():
            queued.clear()

    # What the operator asks.

    async def poll_connectors(
        self, environment: str, known: Listing | None = None, *, cluster: str | None = None
    ) -> Listing:
        found = tuple(await self._request("list_connectors", "", self._listed))
        digest = repr(found).encode()
        return known if known is not None and known.digest == digest else Listing(found, digest)

    async def poll_connector(self, environment: str, cluster: str, name: str, known: bytes | None = None) -> Shown:
        return shown(await self._request("get_connector", name, lambda: self._details(name)), known)

    async def get_cluster_info(self, environment: str, cluster: str) -> ClusterInfo:
        return await self._request("get_cluster_info", "", lambda: ClusterInfo(name=cluster, version="4.3.1"))

    async def get_topics(self, environment: str, cluster: str, name: str) -> list[str]:
        return await self._request("get_topics", name, lambda: ["orders"])

    async def list_plugins(self, environment: str, *, cluster: str | None = None) -> list[Plugin]:
        plugin = Plugin.model_validate({"class": CLASS, "cluster": "connect-eu", "type": "source"})
        return await self._request("list_plugins", "", lambda: [plugin])

    async def validate(self, environment: str, request: ConnectorRequest) -> ValidationResult:
        config = dict(request.configuration)
        wrong = [f"topic is bad, password is {config.get('password')}"] if config["topic"] == "bad" else []
        keys = [{"name": "topic", "errors": wrong}, {"name": "password", "errors": wrong}]
        result = ValidationResult.model_validate({"class": CLASS, "configuration": keys})
        return await self._request("validate", request.name, lambda: result, config=config)

    async def create_connector(
        self, environment: str, request: ConnectorRequest, *, precondition: Precondition
    ) -> None:
        _must_hold("create_connector", precondition)
        config = dict(request.configuration)
        await self._request("create_connector", request.name, lambda: self._create(request.name, config), config=config)

    async def delete_connector(self, environment: str, cluster: str, name: str, *, precondition: Precondition) -> None:
        _must_hold("delete_connector", precondition)
        await self._request("delete_connector", name, lambda: self._delete(name))

    async def set_state(
        self, environment: str, cluster: str, name: str, action: StateAction, *, precondition: Precondition
    ) -> None:
        _must_hold("set_state", precondition)
        await self._request("set_state", name, lambda: self._set_state(name, action), what=action)

    async def restart_task(
        self, environment: str, cluster: str, name: str, task_id: int, *, precondition: Precondition
    ) -> None:
        _must_hold("restart_task", precondition)
        await self._request("restart_task", name, lambda: self._restart_task(name, task_id), what=str(task_id))

    async def reset_offsets(self, environment: str, cluster: str, name: str, *, precondition: Precondition) -> str:
        _must_hold("reset_offsets", precondition)
        return await self._request("reset_offsets", name, lambda: self._reset_offsets(name))

    async def put_resource(self, environment: str, document: str, *, precondition: Precondition) -> None:
        _must_hold("put_resource", precondition)
        spec = json.loads(document)["spec"]
        name, config = spec["name"], spec["config"]
        await self._request("put_resource", name, lambda: self._put(name, config), config=config)

    # How it comes about.

    async def _request(
        self,
        operation: str,
        name: str,
        effect: Callable[[], T],
        *,
        what: str = "",
        config: dict[str, str] | None = None,
    ) -> T:
        self._watcher.asked(operation, name, what, config)
        try:
            await asyncio.sleep(self.latency())
            await self._watcher.interrupted(after=False)
            fault = self.down or (self.faults[operation].pop(0) if self.faults[operation] else None)
            if fault and fault.seconds:
                await asyncio.sleep(fault.seconds)
        except asyncio.CancelledError:
            arrives = None if operation in _READS else self.survives(f"{operation} {name}")
            if arrives is not None:
                asyncio.get_running_loop().call_later(arrives, _quietly, effect)
            raise
        carried = fault.carried if fault and fault.may_be_carried_out and operation not in _READS else "no"
        error = fault.error(operation, self._words(name, config)) if fault else None
        if error and carried == "late":
            asyncio.get_running_loop().call_later(LATE, _quietly, effect)
        try:
            if error and carried != "yes":
                raise error
            result = effect()
            await self._watcher.interrupted(after=True)
            if error:
                raise error
        except errors.LensesError as failure:
            self._watcher.answered(operation, name, failure)
            raise
        self._watcher.answered(operation, name, None)
        return result

    def _words(self, name: str, config: dict[str, str] | None) -> str:
        """A server quotes what it was given."""
        found = self.connectors.get(name)
        values = [*(found.config.values() if found else ()), *(config or {}).values()]
        return "boom with " + " and ".join(values)

    def _find(self, name: str, operation: str) -> Incarnation:
        found = self.connectors.get(name)
        if found is None:
            raise errors.ConnectorOrClusterNotFound(operation, detail=f"Connector {name} not found")
        return found

    def denied(self, name: str) -> bool:
        return now() < self.denied_until.get(name, 0.0)

    def _listed(self) -> list[ConnectorListItem]:
        until = now() - max(habits.lag for habits in self.habits.values())
        items = (_shown(history, until) for history in self._shown.values())
        return [item for item in items if item is not None and not self.denied(item.name)]

    def _details(self, name: str) -> ConnectorDetails:
        found = self._find(name, "get_connector")
        if self.denied(name):
            raise errors.ConnectorOrClusterNotFound("get_connector", detail=f"Connector {name} not found")
        habits = self.habits[name]
        return ConnectorDetails(
            name=name,
            cluster="connect-eu",
            state=found.state,
            tasks=_tasks(found),
            config=habits.shown(found.config),
            hidden_keys=frozenset({"password"} & found.config.keys()) if habits.password == "hidden" else frozenset(),
            worker_id="w1:8083",
            version="4.3.1",
            type="source",
        )

    def _create(self, name: str, config: dict[str, str]) -> None:
        if name in self.connectors:
            raise errors.Conflict("create_connector", detail=f"Connector {name} already exists")
        if config["topic"] in {"bad", "worse"}:
            raise errors.BadRequest("create_connector", detail=self._words(name, config))
        added = {"server.default": "1"} if self.habits[name].adds else {}
        self.connectors[name] = Incarnation({**config, **added}, now(), ours=True, written_by=self.process)
        self.changed(name)

    def _put(self, name: str, config: dict[str, str]) -> None:
        if not self.habits[name].in_place:
            raise errors.MissingAgentCapability("put_resource")
        found = self.connectors.get(name)
        if found is None:
            self._create(name, config)
            return
        if config["topic"] in {"bad", "worse"}:
            raise errors.BadRequest("put_resource", detail=self._words(name, config))
        added = {"server.default": "1"} if self.habits[name].adds else {}
        found.config, found.foreign, found.written_by = {**config, **added}, set(), self.process
        self.changed(name)

    def _delete(self, name: str) -> None:
        found = self._find(name, "delete_connector")
        if not found.going:
            found.going = True
            self._later(name, lambda: self.remove(name))

    def _set_state(self, name: str, action: StateAction) -> None:
        found = self._find(name, "set_state")
        found.requests += 1
        request = found.requests
        if action == "restart":
            if found.state == "FAILED":
                found.move("RUNNING")
            self.changed(name)
            return
        state = {"pause": "PAUSED", "stop": "STOPPED", "resume": "RUNNING"}[action]

        def happen() -> None:
            if found.requests == request:
                self.turn(name, found, state)

        self._later(name, happen)

    def turn(self, name: str, found: Incarnation, state: str) -> None:
        """The connector first, its tasks a moment later: STOPPED with a running task is normal to see."""
        found.move(state)
        self.changed(name)

        def tasks() -> None:
            if found.state == state:
                found.tasks = [] if state == "STOPPED" else [(state, None)]
                self.changed(name)

        asyncio.get_running_loop().call_later(0.2, tasks)

    def _restart_task(self, name: str, task_id: int) -> None:
        found = self._find(name, "restart_task")
        if task_id >= len(found.tasks):
            raise errors.ConnectorOrClusterNotFound("restart_task", detail="no such task")
        found.tasks[task_id] = ("RUNNING", None)
        self.changed(name)

    def _reset_offsets(self, name: str) -> str:
        found = self._find(name, "reset_offsets")
        if found.state != "STOPPED" or found.tasks:
            raise errors.BadRequest("reset_offsets", detail="The connector must be stopped")
        found.offsets = False
        return "done"

    def remove(self, name: str) -> None:
        self.connectors.pop(name, None)
        self.changed(name)

    def _later(self, name: str, happen: Callable[[], None]) -> None:
        takes, found = self.habits[name].takes, self.connectors[name]

        def guarded() -> None:
            if self.connectors.get(name) is found:
                happen()

        if takes:
            asyncio.get_running_loop().call_later(takes, guarded)
        else:
            guarded()

    def changed(self, name: str) -> None:
        """What the list shows, from now on or a little later."""
        found, history = self.connectors.get(name), self._shown.setdefault(name, [])
        item = None
        if found is not None:
            tasks = tuple(ListedTask(id=task.id, state=task.state) for task in _tasks(found))
            item = ConnectorListItem(name=name, cluster="connect-eu", state=found.state, tasks=tasks)
        history.append((now(), item))
        while len(history) > 2 and history[1][0] < now() - LAG:
            del history[0]


_READS = {"list_connectors", "get_connector", "get_cluster_info", "get_topics", "list_plugins", "validate"}


def _shown(history: list[tuple[float, ConnectorListItem | None]], until: float) -> ConnectorListItem | None:
    return next((item for since, item in reversed(history) if since <= until), None)


def _must_hold(operation: str, precondition: Precondition) -> None:
    if not precondition():
        raise errors.PreconditionFailed(operation)


def _quietly(effect: Callable[[], Any]) -> None:
    try:
        effect()
    except errors.LensesError:
        return


def _tasks(found: Incarnation) -> tuple[Task, ...]:
    return tuple(
        Task(id=number, state=state, worker_id="w1:8083", trace=trace)
        for number, (state, trace) in enumerate(found.tasks)
    )
