"""Lenses with one Connect cluster: it takes its time, has habits, fails on demand, and accounts for every request."""

# ruff: noqa: ARG002 - the signatures are the client's

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from lenses_operator.lenses import errors
from lenses_operator.lenses.client import Listing, Shown
from lenses_operator.lenses.models import (
    ClusterInfo,
    ConnectorDetails,
    ConnectorListItem,
    ConnectorRequest,
    Plugin,
    StateAction,
    ValidationResult,
)
from lenses_operator.lenses.transport import Precondition
from unit.controllers.fakes import shown
from unit.controllers.virtualtime import now
from unit.model.connect import Connect
from unit.model.faults import Fault, Refusal
from unit.model.hostile import CHANGING
from unit.model.incarnation import Habits, tasks_of
from unit.resources.make import CLASS

T = TypeVar("T")
LATE = 0.5
"""Seconds after which a request whose answer was given up is carried out all the same."""


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
    "get_resource",
)


class Watcher(Protocol):
    """Who is told of the requests: the contract."""

    def asked(self, operation: str, name: str, what: str, config: dict[str, str] | None) -> None: ...
    def answered(self, operation: str, name: str, error: Exception | None) -> None: ...
    def listed(self, names: frozenset[str]) -> None: ...
    async def interrupted(self, *, after: bool) -> None:
        """Does not return where the operator dies at this very request."""


class Lenses(Connect):
    """The client's operations. One environment, one cluster. `offered`: a connector can be read as code."""

    def __init__(self, habits: dict[str, Habits], watcher: Watcher, *, offered: bool = False) -> None:
        super().__init__(habits)
        self.offered = offered
        self.faults: dict[str, list[Fault]] = {operation: [] for operation in OPERATIONS}
        self.down: Fault | None = None
        self.denied_until: dict[str, float] = {}
        self.latency: Callable[[], float] = lambda: 0.001
        self.survives: Callable[[str], float | None] = lambda _: None
        """Seconds after which a request reaches the server though its sender has died meanwhile; None: it does not."""
        self._watcher = watcher

    def heal(self) -> None:
        self.down = None
        self.hostile.heal()
        self.denied_until.clear()
        for queued in self.faults.values():
            queued.clear()

    # What the operator asks.

    async def poll_connectors(
        self, environment: str, known: Listing | None = None, *, cluster: str | None = None
    ) -> Listing:
        found = tuple(await self._request("list_connectors", "", self._listed))
        self._watcher.listed(frozenset(item.name for item in found))
        digest = repr(found).encode()
        return known if known is not None and known.digest == digest else Listing(found, digest)

    async def poll_connector(self, environment: str, cluster: str, name: str, known: bytes | None = None) -> Shown:
        return shown(await self._request("get_connector", name, lambda: self._details(name)), known)

    async def get_cluster_info(self, environment: str, cluster: str) -> ClusterInfo:
        return await self._request("get_cluster_info", "", lambda: ClusterInfo(name=cluster, version="4.3.1"))

    async def get_topics(self, environment: str, cluster: str, name: str) -> list[str]:
        return await self._request("get_topics", name, lambda: [] if self.hostile.on("blind") else ["orders"])

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
        must_hold("create_connector", precondition)
        config = dict(request.configuration)
        await self._request("create_connector", request.name, lambda: self._create(request.name, config), config=config)

    async def delete_connector(self, environment: str, cluster: str, name: str, *, precondition: Precondition) -> None:
        must_hold("delete_connector", precondition)
        await self._request("delete_connector", name, lambda: self._delete(name))

    async def set_state(
        self, environment: str, cluster: str, name: str, action: StateAction, *, precondition: Precondition
    ) -> None:
        must_hold("set_state", precondition)
        await self._request("set_state", name, lambda: self._set_state(name, action), what=action)

    async def restart_task(
        self, environment: str, cluster: str, name: str, task_id: int, *, precondition: Precondition
    ) -> None:
        must_hold("restart_task", precondition)
        await self._request("restart_task", name, lambda: self._restart_task(name, task_id), what=str(task_id))

    async def reset_offsets(self, environment: str, cluster: str, name: str, *, precondition: Precondition) -> str:
        must_hold("reset_offsets", precondition)
        return await self._request("reset_offsets", name, lambda: self._reset_offsets(name))

    async def put_resource(self, environment: str, document: str, *, precondition: Precondition) -> None:
        must_hold("put_resource", precondition)
        spec = json.loads(document)["spec"]
        name, config, state = spec["name"], spec["config"], spec["state"]
        await self._request("put_resource", name, lambda: self._put(name, config, state), what=state, config=config)

    async def get_resource(self, environment: str, cluster: str, name: str) -> str:
        return await self._request("get_resource", name, lambda: self._as_code(name))

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
            words = self.words(name, config)
            fault, failure, done = self._trouble(operation, name, words)
            if fault and fault.seconds:
                await asyncio.sleep(fault.seconds)
        except asyncio.CancelledError:
            arrives = self.survives(f"{operation} {name}") if operation in CHANGING else None
            if arrives is not None:
                asyncio.get_running_loop().call_later(arrives, _quietly, effect)
            raise
        if fault and fault.carried == "late" and fault.may_be_carried_out and operation in CHANGING:
            asyncio.get_running_loop().call_later(LATE, _quietly, effect)
        try:
            result = await self._answer(operation, name, effect, failure, done=done)
        except (errors.LensesError, Refusal) as raised:
            error = self.hostile.told(raised).read(operation) if isinstance(raised, Refusal) else raised
            self._watcher.answered(operation, name, error)
            raise error from None
        self._watcher.answered(operation, name, None)
        return result

    def _trouble(self, operation: str, name: str, words: str) -> tuple[Fault | None, Exception | None, bool]:
        """What is answered in place of the real answer, if anything is, and whether it is carried out."""
        fault = self.down or (self.faults[operation].pop(0) if self.faults[operation] else None)
        if fault is None:
            return self.hostile.instead(operation, name, words)
        done = fault.may_be_carried_out and fault.carried == "yes" and operation in CHANGING
        return fault, fault.raised(operation, words), done

    async def _answer(
        self, operation: str, name: str, effect: Callable[[], T], failure: Exception | None, *, done: bool
    ) -> T:
        if failure is not None and not done:
            raise failure
        result = self.hostile.remembered(operation, name, effect)()
        self.hostile.carried_out(operation)
        await self._watcher.interrupted(after=True)
        if failure is not None:
            raise failure
        return result

    def denied(self, name: str) -> bool:
        return now() < self.denied_until.get(name, 0.0)

    def _listed(self) -> list[ConnectorListItem]:
        if self.hostile.lists_nothing:
            return []
        until = now() - max(habits.lag for habits in self.habits.values())
        items = (_shown(history, until) for history in self.shown.values())
        return [item for item in items if item is not None and not self.denied(item.name)]

    def _details(self, name: str) -> ConnectorDetails:
        found = self.find(name)
        if self.denied(name):
            raise Refusal(404, f"Connector {name} not found")
        habits, config = self.habits[name], self.habits[name].shown(found.config)
        hides = habits.password == "hidden" and "password" in found.config
        withheld = [{"field": "config"}] if self.hostile.on("hidden") else [{"field": "password"}] if hides else []
        answer = {
            "name": name,
            "cluster": "connect-eu",
            "state": found.state,
            "tasks": tasks_of(found),
            "worker_id": "w1:8083",
            "version": "4.3.1",
            "type": "source",
            "__errors": withheld,
        }
        shown = {} if self.hostile.on("hidden") else {"config": config}
        return ConnectorDetails.model_validate(answer | shown)

    def _as_code(self, name: str) -> str:
        if not self.offered:
            raise Refusal(404, "Not Found", "page")
        self.find(name)
        return "kind: KafkaConnector"


def _shown(history: list[tuple[float, ConnectorListItem | None]], until: float) -> ConnectorListItem | None:
    return next((item for since, item in reversed(history) if since <= until), None)


def must_hold(operation: str, precondition: Precondition) -> None:
    if not precondition():
        raise errors.PreconditionFailed(operation)


def _quietly(effect: Callable[[], Any]) -> None:
    try:
        effect()
    except Refusal:
        return
