"""The model's Lenses with offsets, and with more ways to mislead: lists that omit, deletes that do nothing."""

# ruff: noqa: ARG002 - the signatures are the client's

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Protocol

from lenses_operator.lenses.models import ConnectorListItem, OffsetsText, offsets_of
from lenses_operator.lenses.transport import Precondition
from unit.controllers.virtualtime import now
from unit.model.faults import Refusal
from unit.model.incarnation import Habits, Incarnation
from unit.model.lenses import Lenses, Watcher, must_hold
from unit.offsets.make import FILE

BEGINNING = 1000


class OffsetsWatcher(Watcher, Protocol):
    def altered(self, name: str, position: int | None) -> None: ...
    def ran(self, name: str) -> None: ...


class StormLenses(Lenses):
    """`positions`: one partition for each connector, kept while it is away as Connect keeps it; None: no offset."""

    def __init__(self, habits: dict[str, Habits], watcher: OffsetsWatcher, *, offered: bool = False) -> None:
        super().__init__(habits, watcher, offered=offered)
        self.faults |= {"get_offsets": [], "alter_offsets": []}
        self.positions: dict[str, int | None] = {}
        self.omitted_until: dict[str, float] = {}
        self.idle_deletes: Counter[str] = Counter()
        """Accepted deletes that will do nothing."""
        self._offsets_watcher = watcher

    def heal(self) -> None:
        super().heal()
        self.omitted_until.clear()
        self.idle_deletes.clear()

    async def get_offsets(self, environment: str, cluster: str, name: str) -> OffsetsText:
        return await self._request("get_offsets", name, lambda: self._read_offsets(name))

    async def alter_offsets(
        self, environment: str, cluster: str, name: str, offsets_json: str, *, precondition: Precondition
    ) -> str:
        must_hold("alter_offsets", precondition)
        [entry] = json.loads(offsets_json)
        position = entry["offset"] and entry["offset"]["position"]
        return await self._request("alter_offsets", name, lambda: self._alter(name, position), what=str(position))

    def turn(self, name: str, found: Incarnation, state: str) -> None:
        if state == "RUNNING":
            self._flow(name)
        super().turn(name, found, state)

    def _create(self, name: str, config: dict[str, str], state: str = "RUNNING") -> None:
        super()._create(name, config, state)
        if state == "RUNNING":
            self._flow(name)

    def _flow(self, name: str) -> None:
        """It runs, so its offset moves on."""
        self.positions[name] = (self._position(name) or 0) + 1
        self._offsets_watcher.ran(name)

    def _position(self, name: str) -> int | None:
        return self.positions.setdefault(name, BEGINNING)

    def _read_offsets(self, name: str) -> OffsetsText:
        self.find(name)
        position = self._position(name)
        entries: list[Any] = [] if position is None else [{"partition": FILE, "offset": {"position": position}}]
        return offsets_of(json.dumps({"offsets": entries}))

    def _alter(self, name: str, position: int | None) -> str:
        found = self.find(name)
        if found.state != "STOPPED" or found.tasks:
            raise Refusal(400, "The connector must be stopped")
        self.positions[name] = position
        self._offsets_watcher.altered(name, position)
        return "The offsets for this connector have been altered successfully"

    def _reset_offsets(self, name: str) -> str:
        said = super()._reset_offsets(name)
        self.positions[name] = None
        self._offsets_watcher.altered(name, None)
        return said

    def _listed(self) -> list[ConnectorListItem]:
        return [item for item in super()._listed() if now() >= self.omitted_until.get(item.name, 0.0)]

    def _delete(self, name: str) -> None:
        if self.idle_deletes[name]:
            self.find(name).idle = True
            self.idle_deletes[name] -= 1
            return
        super()._delete(name)
