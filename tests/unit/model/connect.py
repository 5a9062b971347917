"""One Connect cluster: what requests do to its connectors, and when. Refusals are in Connect's own words and codes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from lenses_operator.lenses.models import ConnectorListItem, StateAction
from unit.controllers.virtualtime import now
from unit.model.faults import Refusal
from unit.model.hostile import LATE, Hostile
from unit.model.incarnation import Habits, Incarnation, listed_tasks

LAG = 60.0
"""Seconds that the list may be behind at most."""
BAD = frozenset({"bad", "worse"})
"""Topics that create refuses; validate refuses the first alone."""


class Connect:
    """Connectors by name."""

    def __init__(self, habits: dict[str, Habits]) -> None:
        self.connectors: dict[str, Incarnation] = {}
        self.habits = habits
        self.hostile = Hostile()
        self.process = 0
        """Number of the operator process that is asking."""
        self.shown: dict[str, list[tuple[float, ConnectorListItem | None]]] = {}
        """By connector: what the list shows of it since when."""
        self._puts: dict[str, int] = {}

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

    def _create(self, name: str, config: dict[str, str], state: str = "RUNNING") -> None:
        if name in self.connectors:
            raise Refusal(409, f"Connector {name} already exists")
        if config["topic"] in BAD:
            raise Refusal(400, self.words(name, config))
        created = Incarnation(
            self._completed(name, config), now(), ours=True, written_at=now(), written_by=self.process
        )
        self.connectors[name] = created
        if state != "RUNNING":
            created.move(state)
            created.tasks = [] if state == "STOPPED" else [(state, None)]
        self.changed(name)

    def _completed(self, name: str, config: dict[str, str]) -> dict[str, str]:
        return {**config, **({"server.default": "1"} if self.habits[name].adds else {})}

    def _put(self, name: str, config: dict[str, str], state: str) -> None:
        """Creates it where there is none, and else leaves its state alone."""
        if not self.habits[name].in_place:
            raise Refusal(405, "Method Not Allowed")
        if config["topic"] in BAD:
            raise Refusal(400, self.words(name, config))
        match self.hostile.on("put"):
            case "ignored":
                return
            case "late":
                number = self._puts[name] = self._puts.get(name, 0) + 1
                asyncio.get_running_loop().call_later(LATE, self._put_late, name, config, state, number)
            case _:
                self._put_now(name, config, state)

    def _put_now(self, name: str, config: dict[str, str], state: str) -> None:
        self._puts[name] = self._puts.get(name, 0) + 1
        found = self.connectors.get(name)
        if found is None:
            self._create(name, config, state)
            return
        found.config, found.foreign, found.written_by = self._completed(name, config), set(), self.process
        found.written_at = now()
        self.changed(name)

    def _put_late(self, name: str, config: dict[str, str], state: str, number: int) -> None:
        """Unless another has come since."""
        if self._puts[name] == number:
            self._put_now(name, config, state)

    def _delete(self, name: str) -> None:
        found = self.find(name)
        if not found.going:
            found.going = True
            self._puts[name] = self._puts.get(name, 0) + 1
            self._later(name, lambda: self.remove(name))

    def _set_state(self, name: str, action: StateAction) -> None:
        found = self.find(name)
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
        found = self.find(name)
        if task_id >= len(found.tasks):
            raise Refusal(404, "no such task")
        found.tasks[task_id] = ("RUNNING", None)
        self.changed(name)

    def _reset_offsets(self, name: str) -> str:
        found = self.find(name)
        if found.state != "STOPPED" or found.tasks:
            raise Refusal(400, "The connector must be stopped")
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
        found, history = self.connectors.get(name), self.shown.setdefault(name, [])
        item = None
        if found is not None:
            tasks = listed_tasks(found)
            item = ConnectorListItem(name=name, cluster="connect-eu", state=found.state, tasks=tasks)
        history.append((now(), item))
        while len(history) > 2 and history[1][0] < now() - LAG:
            del history[0]
