"""One simulated connector: its state, its tasks, and the changes that are still to come.

As with Connect, an action only says what is wanted. Changes fall due later and are applied when somebody looks, so
thousands of idle connectors cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from harness.lenses.backend import Entry, lrn
from harness.lenses.plugins import Plugin

WORKER = "10.0.0.4:8083"
USUAL_DELAY = 0.05
TARGETS = {"STOPPED": "stopped", "PAUSED": "paused"}
"""What is wanted of one that is found in this state; of any other: that it runs."""


@dataclass(slots=True)
class Delays:
    """Seconds until changes show: `state` for the state word, `task` for tasks after it, `create` until a created
    connector can be read, `delete` until a deleted one is gone."""

    state: float = USUAL_DELAY
    task: float = USUAL_DELAY
    create: float = 0.0
    delete: float = USUAL_DELAY


@dataclass(slots=True)
class Task:
    id: int
    state: str = "RUNNING"
    trace: str | None = None
    worker: str = WORKER


class Place(NamedTuple):
    environment: str
    cluster: str
    name: str


@dataclass(slots=True)
class MemoryConnector:
    """`target`: what was last asked for; running, unless it is made in another state. Two are equal that look so."""

    config: dict[str, str]
    state: str | None = "RUNNING"
    tasks: list[Task] = field(default_factory=list)
    plugin: Plugin | None = field(default=None, compare=False)
    delays: Delays = field(default_factory=Delays, compare=False)
    target: str = field(default="", compare=False)
    fails: bool = field(default=False, compare=False)
    failing: dict[int, str] = field(default_factory=dict, compare=False)
    visible_from: float = field(default=0.0, compare=False)
    gone_from: float | None = field(default=None, compare=False)
    pending: list[tuple[float, Callable[[], None]]] = field(default_factory=list, compare=False)
    starts: int = field(default=0, compare=False)
    _entry: Entry | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        self.target = self.target or TARGETS.get(self.state or "", "running")

    def settle(self, now: float) -> None:
        """Apply what has fallen due."""
        while self.pending and self.pending[0][0] <= now:
            self.pending.pop(0)[1]()
            self._entry = None

    def come_due(self) -> None:
        """What is still to come falls due now."""
        self.visible_from = 0.0
        self.gone_from = None if self.gone_from is None else 0.0
        self.pending = [(0.0, change) for _, change in self.pending]

    def changed(self) -> None:
        """Something was changed from outside: the cached list entry is stale."""
        self._entry = None

    def _plan(self, due: float, change: Callable[[], None]) -> None:
        self.pending.append((due, change))
        self.pending.sort(key=lambda item: item[0])

    def move(self, state: str) -> None:
        """The state word alone."""
        self.state = state

    def _become(self, state: str) -> Callable[[], None]:
        return lambda: self.move(state)

    # the life of a connector
    def start(self, now: float) -> None:
        """RUNNING at once, tasks a moment later."""
        self.target = "running"
        self.move("RUNNING")
        self._plan(now + self.delays.task, self._start_tasks)
        self.settle(now)

    def rest(self, state: str) -> None:
        """In this state at once, and its tasks as Connect's would be; what was still to come is forgotten."""
        self.pending, target = [], self.target
        self.move(state)
        self.target = TARGETS.get(state, target)
        if state == "STOPPED":
            self.tasks = []
        elif state == "PAUSED":
            self._pause_tasks()
        elif state == "RUNNING" and target != "running":
            self.target = "running"
            self._start_tasks()
        self.changed()

    def act(self, action: str, now: float) -> None:
        self.settle(now)
        if action == "stop" and self.target != "stopped":
            self.target, self.pending = "stopped", []
            self._plan(now + self.delays.state, self._become("STOPPED"))
            self._plan(now + self.delays.state + self.delays.task, self._drop_tasks)
        elif action == "pause" and self.target != "paused":
            self.target, self.pending = "paused", []
            self._plan(now + self.delays.state, self._become("PAUSED"))
            self._plan(now + self.delays.state + self.delays.task, self._pause_tasks)
        elif action in ("resume", "start") and self.target != "running":
            self.target, self.pending = "running", []
            self._plan(now + self.delays.state, self._become("RUNNING"))
            self._plan(now + self.delays.state + self.delays.task, self._start_tasks)
        elif action == "restart" and self.target != "stopped":
            # Connect restarts the instance only; failed tasks stay as they are, a stopped connector ignores it
            self.move("RESTARTING")
            self._plan(now + self.delays.state, self._restarted)
        self.changed()
        self.settle(now)

    def restart_task(self, task: Task, now: float) -> None:
        if self.target != "running":
            return
        task.state, task.trace = "RESTARTING", None
        self._plan(now + self.delays.task, lambda: self._run(task))
        self.changed()
        self.settle(now)

    def replace(self, config: dict[str, str], plugin: Plugin | None, now: float) -> None:
        """A new configuration bounces a running connector, an identical one too."""
        self.config, self.plugin = config, plugin
        if self.target == "running":
            self.tasks = []
            self._plan(now + self.delays.task, self._start_tasks)
        self.changed()
        self.settle(now)

    def _restarted(self) -> None:
        self.move("FAILED" if self.fails else "PAUSED" if self.target == "paused" else "RUNNING")
        self.starts += 1

    def _start_tasks(self) -> None:
        if not self.tasks:
            count = self.plugin.task_count(self.config) if self.plugin else 1
            self.tasks = [Task(number) for number in range(count)]
        for task in self.tasks:
            if task.state != "FAILED":
                self._run(task)
        self.starts += 1

    def _run(self, task: Task) -> None:
        trace = self.failing.get(task.id, self.plugin.task_trace if self.plugin else None)
        task.state, task.trace = ("RUNNING", None) if trace is None else ("FAILED", trace)

    def _pause_tasks(self) -> None:
        for task in self.tasks:
            if task.state != "FAILED":
                task.state = "PAUSED"

    def _drop_tasks(self) -> None:
        self.tasks = []

    # how it reads
    def _head(self, place: Place) -> dict[str, Any]:
        head: dict[str, Any] = {"name": place.name, "lrn": lrn(*place), "cluster": place.cluster}
        if self.state is not None:
            head["state"] = self.state
        if self.plugin is not None:
            head |= {"className": self.plugin.name, "type": self.plugin.type}
        return head

    def entry(self, place: Place) -> Entry:
        """The list entry; the same object until something changes."""
        if self._entry is None:
            tasks = [{"id": task.id, "state": task.state} for task in self.tasks]
            self._entry = Entry(self._head(place) | {"tasks": tasks})
            self._entry.more = lambda: self.details(place)
        return self._entry

    def details(self, place: Place) -> dict[str, Any]:
        out = self._head(place) | {"workerId": WORKER, "config": {**self.config, "name": place.name}}
        if self.plugin is not None:
            out["version"] = self.plugin.version
        out["tasks"] = [
            {"id": str(task.id), "state": task.state, "workerId": task.worker}
            | ({"trace": task.trace} if task.trace is not None else {})
            for task in self.tasks
        ]
        return out

    def snapshot(self, name: str) -> dict[str, Any]:
        """All there is to know, for tests."""
        return {
            "name": name,
            "state": self.state,
            "target": self.target,
            "config": {**self.config, "name": name},
            "class": self.plugin.name if self.plugin else None,
            "tasks": [{"id": t.id, "state": t.state, "trace": t.trace} for t in self.tasks],
            "starts": self.starts,
            "deleting": self.gone_from is not None,
        }
