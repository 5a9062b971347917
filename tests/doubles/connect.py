"""One Connect cluster in virtual time: it has habits, tells when something happens, and its list may lag behind."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from doubles.incarnation import Habits, Incarnation
from doubles.lenses import PLUGIN
from harness.lenses import exactjson
from harness.lenses.answers import refuse
from harness.lenses.memory import MemoryCluster
from harness.lenses.memory_connector import Delays
from harness.lenses.plugins import Plugin
from lenses_operator.lenses.models import ConnectorListItem
from unit.controllers.virtualtime import now
from unit.offsets.make import FILE

LAG = 60.0
"""Seconds that the list may be behind at most."""
BEGINNING = 1000
BAD = frozenset({"bad", "worse"})
"""Topics that create refuses; validate refuses the first alone."""
TASKS_TAKE = 0.2
"""Seconds that tasks are behind: STOPPED with a running task is normal to see."""


class Watcher(Protocol):
    """Who is told of the requests, and of what only Connect itself knows: the contract."""

    def asked(self, operation: str, name: str, what: str, config: dict[str, str] | None) -> None: ...
    def answered(self, operation: str, name: str, error: Exception | None) -> None: ...
    def listed(self, names: frozenset[str]) -> None: ...
    def altered(self, name: str, position: int | None) -> None: ...
    def ran(self, name: str) -> None: ...
    async def interrupted(self, *, after: bool) -> None:
        """Does not return where the operator dies at this very request."""


class Connect(MemoryCluster):
    """Each connector has one partition, whose position it keeps while it is away."""

    connectors: dict[str, Incarnation]  # type: ignore[assignment]

    def __init__(self, habits: dict[str, Habits], watcher: Watcher) -> None:
        super().__init__("prod", "connect-eu", {})
        self.clock = now
        self.habits = habits
        self.process = 0
        """Number of the operator process that is asking."""
        self.shown: dict[str, list[tuple[float, ConnectorListItem | None]]] = {}
        """By connector: what the list shows of it since when."""
        self.idle_deletes: Counter[str] = Counter()
        """Accepted deletes that will do nothing."""
        self.versions: Counter[str] = Counter()
        """By connector: how often it was written in place or deleted."""
        self._watcher = watcher
        for name in habits:
            self._move_to(name, BEGINNING)

    def _runs(self, name: str) -> None:
        """So its offset moves on."""
        self._move_to(name, (self._position(name) or 0) + 1)
        self._watcher.ran(name)

    def words(self, name: str, config: Mapping[str, str] | None) -> str:
        """A server quotes what it was given: with this very request, or else before."""
        found = self.connectors.get(name)
        values = config if config is not None else found.config if found else {}
        return "boom with " + " and ".join(values.values())

    # What it makes of the requests.

    def _checked_plugin(self, name: str, config: dict[str, str]) -> Plugin:
        if config["topic"] in BAD:
            raise refuse(400, self.words(name, config))
        return PLUGIN

    def made(self, name: str, config: dict[str, str], plugin: Plugin | None) -> Incarnation:
        delays = Delays(state=self.habits[name].takes, task=TASKS_TAKE, delete=self.habits[name].takes)
        return Incarnation(
            config, tasks=[], plugin=plugin, delays=delays, runs=lambda: self._runs(name), born=now(), ours=True
        )

    async def create(self, name: str, config: dict[str, str]) -> None:
        await super().create(name, self._completed(name, config))
        self._written(name)

    async def update(self, name: str, config: dict[str, str], state: str | None) -> None:
        self.judge(name, config)
        self.versions[name] += 1
        await super().update(name, self._completed(name, config), state)
        self._written(name)

    def judge(self, name: str, config: dict[str, str]) -> None:
        """Refuses what may not be written in place."""
        if not self.habits[name].in_place:
            raise refuse(405, "Method Not Allowed")
        self._checked_plugin(name, config)

    def _completed(self, name: str, config: dict[str, str]) -> dict[str, str]:
        return {**config, **({"server.default": "1"} if self.habits[name].adds else {})}

    def _written(self, name: str) -> None:
        found = self.connectors[name]
        found.foreign, found.written_by, found.written_at = set(), self.process, now()
        self.happened(name)

    async def delete(self, name: str) -> None:
        self.need(name)
        found = self.connectors[name]
        if self.idle_deletes[name]:
            found.idle = True
            self.idle_deletes[name] -= 1
        elif not found.going:
            self.versions[name] += 1
            await super().delete(name)
            self.happened(name)

    async def act(self, name: str, action: str) -> None:
        await super().act(name, action)
        self.happened(name)

    async def restart_task(self, name: str, task: int) -> None:
        await super().restart_task(name, task)
        self.happened(name)

    async def alter_offsets(self, name: str, body: bytes) -> dict[str, Any]:
        answer = await super().alter_offsets(name, body)
        self._watcher.altered(name, self._position(name))
        return answer

    async def reset_offsets(self, name: str) -> dict[str, Any]:
        answer = await super().reset_offsets(name)
        self.connectors[name].offsets = False
        self._watcher.altered(name, None)
        return answer

    # What happens.

    def _position(self, name: str) -> int | None:
        return next((entry["offset"]["position"] for entry in self.stored.read(name)), None)

    def _move_to(self, name: str, position: int) -> None:
        self.stored.write(name, [{"partition": FILE, "offset": {"position": position}}])

    def remove(self, name: str) -> None:
        self.connectors.pop(name, None)
        self.happened(name)

    def happened(self, name: str) -> None:
        """Noted now for the list, and looked for again when more of it falls due."""
        found, history = self.find(name), self.shown.setdefault(name, [])
        item = ConnectorListItem.model_validate(found.details(self._place(name))) if found is not None else None
        history.append((now(), item))
        while len(history) > 2 and history[1][0] < now() - LAG:
            del history[0]
        later = [] if found is None else [due for due in (*(due for due, _ in found.pending), found.gone_from) if due]
        if later:
            asyncio.get_running_loop().call_at(min(later) + 0.001, self.happened, name)


def position_in(text: str) -> int | None:
    """What an Alter asks for."""
    [entry] = exactjson.loads(text)
    return entry["offset"] and int(entry["offset"]["position"])
