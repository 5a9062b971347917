"""One Connect cluster: what requests do to its connectors, and when. Refusals are in Connect's own words and codes."""

# ruff: noqa: ARG002 - one cluster

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from doubles.hostile import LATE, Hostile
from doubles.incarnation import Habits, Incarnation
from doubles.lenses import ALTERED, RESET, STATES, Lenses, Refusal
from lenses_operator.lenses.models import ConnectorListItem, OffsetsText, StateAction, offsets_of
from unit.controllers.virtualtime import now
from unit.offsets.make import FILE

LAG = 60.0
"""Seconds that the list may be behind at most."""
BEGINNING = 1000
BAD = frozenset({"bad", "worse"})
"""Topics that create refuses; validate refuses the first alone."""


class Connect(Lenses):
    """Connectors by name. `positions`: one partition for each, kept while it is away; None: no offset."""

    def __init__(self, habits: dict[str, Habits]) -> None:
        self.connectors: dict[str, Incarnation] = {}
        self.habits = habits
        self.hostile = Hostile()
        self.process = 0
        """Number of the operator process that is asking."""
        self.shown: dict[str, list[tuple[float, ConnectorListItem | None]]] = {}
        """By connector: what the list shows of it since when."""
        self.positions: dict[str, int | None] = {}
        self.idle_deletes: Counter[str] = Counter()
        """Accepted deletes that will do nothing."""
        self._puts: dict[str, int] = {}

    def altered(self, name: str, position: int | None) -> None:
        """It has happened."""

    def ran(self, name: str) -> None:
        """It runs, so its offset moves on."""
        self.positions[name] = (self._position(name) or 0) + 1

    def words(self, name: str, config: Mapping[str, str] | None) -> str:
        """A server quotes what it was given: with this very request, or else before."""
        found = self.connectors.get(name)
        values = config if config is not None else found.config if found else {}
        return "boom with " + " and ".join(values.values())

    def find(self, name: str) -> Incarnation:
        found = self.connectors.get(name)
        if found is None:
            raise Refusal(404, f"Connector {name} not found")
        return found

    def _create(self, cluster: str, name: str, config: dict[str, str], state: str = "RUNNING") -> None:
        if name in self.connectors:
            raise Refusal(409, f"Connector {name} already exists")
        if config["topic"] in BAD:
            raise Refusal(400, self.words(name, config))
        created = Incarnation(
            self._completed(name, config), born=now(), ours=True, written_at=now(), written_by=self.process
        )
        self.connectors[name] = created
        if state != "RUNNING":
            created.move(state)
            created.rest(state)
        self.changed(name)
        if state == "RUNNING":
            self.ran(name)

    def _completed(self, name: str, config: dict[str, str]) -> dict[str, str]:
        return {**config, **({"server.default": "1"} if self.habits[name].adds else {})}

    def _put(self, cluster: str, name: str, config: dict[str, str], state: str) -> None:
        """Creates it where there is none, and else leaves its state alone."""
        if not self.habits[name].in_place:
            raise Refusal(405, "Method Not Allowed")
        if config["topic"] in BAD:
            raise Refusal(400, self.words(name, config))
        match self.hostile.on("put"):
            case "ignored":
                if name in self.connectors:  # what cannot be read of it counts as written: nobody can know better
                    found = self.connectors[name]
                    found.foreign |= {key for key, value in config.items() if found.config.get(key) != value}
            case "late":
                number = self._puts[name] = self._puts.get(name, 0) + 1
                asyncio.get_running_loop().call_later(LATE, self._put_late, name, config, state, number)
            case _:
                self._put_now(name, config, state)

    def _put_now(self, name: str, config: dict[str, str], state: str) -> None:
        self._puts[name] = self._puts.get(name, 0) + 1
        found = self.connectors.get(name)
        if found is None:
            self._create("", name, config, state)
            return
        found.config, found.foreign, found.written_by = self._completed(name, config), set(), self.process
        found.written_at = now()
        self.changed(name)

    def _put_late(self, name: str, config: dict[str, str], state: str, number: int) -> None:
        """Unless another has come since."""
        if self._puts[name] == number:
            self._put_now(name, config, state)

    def _delete(self, cluster: str, name: str) -> None:
        found = self.find(name)
        if self.idle_deletes[name]:
            found.idle = True
            self.idle_deletes[name] -= 1
        elif not found.going:
            found.going = True
            self._puts[name] = self._puts.get(name, 0) + 1
            self._later(name, lambda: self.remove(name))

    def _set_state(self, cluster: str, name: str, action: StateAction) -> None:
        found = self.find(name)
        found.requests += 1
        request = found.requests
        if action == "restart":
            if found.state == "FAILED":
                found.move("RUNNING")
            self.changed(name)
            return
        state = STATES[action]

        def happen() -> None:
            if found.requests == request:
                self.turn(name, found, state)

        self._later(name, happen)

    def turn(self, name: str, found: Incarnation, state: str) -> None:
        """The connector first, its tasks a moment later: STOPPED with a running task is normal to see."""
        if state == "RUNNING":
            self.ran(name)
        found.move(state)
        self.changed(name)

        def tasks() -> None:
            if found.state == state:
                found.rest(state)
                self.changed(name)

        asyncio.get_running_loop().call_later(0.2, tasks)

    def _restart_task(self, cluster: str, name: str, task: int) -> None:
        found = self.find(name)
        if task >= len(found.tasks):
            raise Refusal(404, "no such task")
        found.tasks[task] = ("RUNNING", None)
        self.changed(name)

    def _position(self, name: str) -> int | None:
        return self.positions.setdefault(name, BEGINNING)

    def _offsets(self, cluster: str, name: str) -> OffsetsText:
        self.find(name)
        position = self._position(name)
        entries: list[Any] = [] if position is None else [{"partition": FILE, "offset": {"position": position}}]
        return offsets_of(json.dumps({"offsets": entries}))

    def _alter_offsets(self, cluster: str, name: str, text: str) -> str:
        self._set_position(name, position_in(text))
        return ALTERED

    def _reset_offsets(self, cluster: str, name: str) -> str:
        self._set_position(name, None)
        self.connectors[name].offsets = False
        return RESET

    def _set_position(self, name: str, position: int | None) -> None:
        if not self.find(name).stopped:
            raise Refusal(400, "The connector must be stopped")
        self.positions[name] = position
        self.altered(name, position)

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
        found, history = self.connectors.get(name), self.shown.setdefault(name, [])
        item = None
        if found is not None:
            item = ConnectorListItem(name=name, cluster="connect-eu", state=found.state, tasks=found.listed())
        history.append((now(), item))
        while len(history) > 2 and history[1][0] < now() - LAG:
            del history[0]


def position_in(text: str) -> int | None:
    """What an Alter asks for."""
    [entry] = json.loads(text)
    return entry["offset"] and int(entry["offset"]["position"])
