"""Lenses with one Connect cluster: it takes its time, has habits, fails on demand, and accounts for every request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from doubles.connect import Connect, Watcher, position_in
from doubles.faults import Fault
from doubles.hostile import LATE, Hostile
from doubles.incarnation import Habits, Incarnation
from doubles.lenses import CHANGING, NAMES, Request, read, refusal
from doubles.lenses import Lenses as WithoutTrouble
from harness.lenses.answers import Refused
from lenses_operator.lenses import errors
from lenses_operator.lenses.models import ConnectorDetails, ConnectorListItem, ValidationResult
from unit.controllers.virtualtime import now
from unit.resources.make import CLASS

T = TypeVar("T")
ARRIVES = 0.5
"""Seconds after which a request whose answer was given up is carried out all the same."""


class Lenses(WithoutTrouble):
    """The client's operations. One environment, one cluster. `offered`: a connector can be read as code."""

    connectors: dict[str, Incarnation]  # type: ignore[assignment]

    def __init__(self, habits: dict[str, Habits], watcher: Watcher, *, offered: bool = False) -> None:
        self.connect = Connect(habits, watcher)
        super().__init__(self.connect)
        self.habits = habits
        self.hostile = Hostile()
        self.as_code = offered
        self.faults: dict[str, list[Fault]] = {operation: [] for operation in NAMES}
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
        self.connect.idle_deletes.clear()
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
            words = self.connect.words(name, config)
            fault, failure, done = self._trouble(operation, name, words)
            if fault and fault.seconds:
                await asyncio.sleep(fault.seconds)
        except asyncio.CancelledError:
            arrives = self.survives(f"{operation} {name}") if operation in CHANGING else None
            if arrives is not None:
                asyncio.get_running_loop().call_later(arrives, _quietly, effect)
            raise
        if fault and fault.carried == "late" and fault.may_be_carried_out and operation in CHANGING:
            asyncio.get_running_loop().call_later(ARRIVES, _quietly, effect)
        try:
            result = await self._answer(operation, name, effect, failure, done=done)
        except (errors.LensesError, Refused) as raised:
            error = read(self.hostile.told(raised.answer), operation) if isinstance(raised, Refused) else raised
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
        items = (_as_of(history, until) for history in self.connect.shown.values())
        listed = [item for item in items if item is not None and not self.denied(item.name)]
        return [item for item in listed if now() >= self.omitted_until.get(item.name, 0.0)]

    def _details(self, name: str) -> ConnectorDetails:
        if self.denied(name):
            raise refusal(404, f"Connector {name} not found")
        return super()._details(name)

    def _shown(self, name: str, config: dict[str, str]) -> dict[str, Any]:
        if self.hostile.on("hidden"):
            return {"config": None, "__errors": [{"field": "config"}]}
        habits = self.habits[name]
        hides = habits.password == "hidden" and "password" in config
        return {"config": habits.shown(config), "__errors": [{"field": "password"}] if hides else []}

    def _topics(self) -> list[str]:
        return [] if self.hostile.on("blind") else super()._topics()

    def _validated(self, config: dict[str, str]) -> ValidationResult:
        wrong = [f"topic is bad, password is {config.get('password')}"] if config["topic"] == "bad" else []
        keys = [{"name": "topic", "errors": wrong}, {"name": "password", "errors": wrong}]
        return ValidationResult.model_validate({"class": CLASS, "configuration": keys})

    def _put(self, name: str, config: dict[str, str], state: str) -> None:
        self.connect.judge(name, config)
        match self.hostile.on("put"):
            case "ignored":
                if name in self.connectors:  # what cannot be read of it counts as written: nobody can know better
                    found = self.connectors[name]
                    found.foreign |= {key for key, value in config.items() if found.config.get(key) != value}
            case "late":
                self.connect.versions[name] += 1
                version = self.connect.versions[name]
                asyncio.get_running_loop().call_later(LATE, self._put_late, name, config, state, version)
            case _:
                super()._put(name, config, state)

    def _put_late(self, name: str, config: dict[str, str], state: str, version: int) -> None:
        """Unless another has come since."""
        if self.connect.versions[name] == version:
            super()._put(name, config, state)


def _as_of(history: list[tuple[float, ConnectorListItem | None]], until: float) -> ConnectorListItem | None:
    return next((item for since, item in reversed(history) if since <= until), None)


def _quietly(effect: Callable[[], Any]) -> None:
    try:
        effect()
    except Refused:
        return
