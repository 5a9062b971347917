"""Lenses with one Connect cluster: it takes its time, has habits, fails on demand, and accounts for every request."""

# ruff: noqa: ARG002 - one cluster, and the signatures are the client's

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from doubles.connect import Connect, position_in
from doubles.faults import Fault
from doubles.incarnation import Habits
from doubles.lenses import CHANGING, Refusal, Request
from lenses_operator.lenses import errors
from lenses_operator.lenses.models import ConnectorDetails, ConnectorListItem, ValidationResult
from unit.controllers.virtualtime import now
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
ON_OFFSETS = ("get_offsets", "alter_offsets")


class Watcher(Protocol):
    """Who is told of the requests: the contract."""

    def asked(self, operation: str, name: str, what: str, config: dict[str, str] | None) -> None: ...
    def answered(self, operation: str, name: str, error: Exception | None) -> None: ...
    def listed(self, names: frozenset[str]) -> None: ...
    def altered(self, name: str, position: int | None) -> None: ...
    def ran(self, name: str) -> None: ...
    async def interrupted(self, *, after: bool) -> None:
        """Does not return where the operator dies at this very request."""


class Lenses(Connect):
    """The client's operations. One environment, one cluster. `offered`: a connector can be read as code."""

    def __init__(self, habits: dict[str, Habits], watcher: Watcher, *, offered: bool = False) -> None:
        super().__init__(habits)
        self.offered = offered
        self.faults: dict[str, list[Fault]] = {operation: [] for operation in (*OPERATIONS, *ON_OFFSETS)}
        self.down: Fault | None = None
        self.denied_until: dict[str, float] = {}
        self.omitted_until: dict[str, float] = {}
        """From lists."""
        self.latency: Callable[[], float] = lambda: 0.001
        self.survives: Callable[[str], float | None] = lambda _: None
        """Seconds after which a request reaches the server though its sender has died meanwhile; None: it does not."""
        self._watcher = watcher

    def heal(self) -> None:
        self.down = None
        self.hostile.heal()
        self.denied_until.clear()
        self.omitted_until.clear()
        self.idle_deletes.clear()
        for queued in self.faults.values():
            queued.clear()

    # How it comes about.

    async def list_connectors(self, environment: str) -> list[ConnectorListItem]:
        found = await super().list_connectors(environment)
        self._watcher.listed(frozenset(item.name for item in found))
        return found

    async def request(self, asked: Request, effect: Callable[[], T]) -> T:
        operation, name, body = asked.operation, asked.name, asked.body
        if not asked.precondition():
            raise errors.PreconditionFailed(operation)
        what = str(position_in(body)) if operation == "alter_offsets" else asked.what
        config = body if isinstance(body, dict) else None
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
        listed = [item for item in items if item is not None and not self.denied(item.name)]
        return [item for item in listed if now() >= self.omitted_until.get(item.name, 0.0)]

    def _details(self, cluster: str, name: str) -> ConnectorDetails:
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
            "tasks": found.told(),
            "worker_id": "w1:8083",
            "version": "4.3.1",
            "type": "source",
            "__errors": withheld,
        }
        shown = {} if self.hostile.on("hidden") else {"config": config}
        return ConnectorDetails.model_validate(answer | shown)

    def _topics(self) -> list[str]:
        return [] if self.hostile.on("blind") else super()._topics()

    def _validated(self, config: dict[str, str]) -> ValidationResult:
        wrong = [f"topic is bad, password is {config.get('password')}"] if config["topic"] == "bad" else []
        keys = [{"name": "topic", "errors": wrong}, {"name": "password", "errors": wrong}]
        return ValidationResult.model_validate({"class": CLASS, "configuration": keys})

    def altered(self, name: str, position: int | None) -> None:
        self._watcher.altered(name, position)

    def ran(self, name: str) -> None:
        super().ran(name)
        self._watcher.ran(name)

    def _as_code(self, cluster: str, name: str) -> str:
        if not self.offered:
            raise Refusal(404, "Not Found", "page")
        self.find(name)
        return "kind: KafkaConnector"


def _shown(history: list[tuple[float, ConnectorListItem | None]], until: float) -> ConnectorListItem | None:
    return next((item for since, item in reversed(history) if since <= until), None)


def _quietly(effect: Callable[[], Any]) -> None:
    try:
        effect()
    except Refusal:
        return
