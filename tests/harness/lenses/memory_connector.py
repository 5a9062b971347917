"""One simulated connector: its state, its tasks, and the changes that are still to come.

As with Connect, an action only says what is wanted. Changes fall due later and are applied when somebody looks, so
thousands of idle connectors cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from harness.lenses.backend import Entry, lrn
from harness.lenses.plugins import Plugin

WORKER = "10.0.0.4:8083"
USUAL_DELAY = 0.05


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


@dataclass(slots=True)
class MemoryConnector:
    environment: str
    cluster: str
    name: str
    config: dict[str, str]
    plugin: Plugin | None
    delays: Delays
    state: str | None = "RUNNING"
    target: str = "running"
    fails: bool = False
    tasks: list[Task] = field(default_factory=list)
    failing: dict[int, str] = field(default_factory=dict)
    visible_from: float = 0.0
    gone_from: float | None = None
    pending: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    starts: int = 0
    _entry: Entry | None = None

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

    def _become(self, state: str) -> Callable[[], None]:
        def change() -> None:
            self.state = state

        return change

    # the life of a connector
    def start(self, now: float) -> None:
        """RUNNING at once, tasks a moment later."""
        self.state, self.target = "RUNNING", "running"
        self._plan(now + self.delays.task, self._start_tasks)

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
        elif action == "restart" and self.target == "running":
            # Connect restarts the instance only; failed tasks stay as they are, a stopped connector ignores it
            self.state = "RESTARTING"
            self._plan(now + self.delays.state, self._restarted)
        self._entry = None

    def restart_task(self, task: Task, now: float) -> None:
        if self.target != "running":
            return
        task.state, task.trace = "RESTARTING", None
        self._plan(now + self.delays.task, lambda: self._run(task))
        self._entry = None

    def replace(self, config: dict[str, str], plugin: Plugin | None, now: float) -> None:
        """A new configuration bounces a running connector, an identical one too."""
        self.config, self.plugin = config, plugin
        if self.target == "running":
            self.tasks = []
            self._plan(now + self.delays.task, self._start_tasks)
        self._entry = None

    def _restarted(self) -> None:
        self.state = "FAILED" if self.fails else "RUNNING"
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
    def _head(self) -> dict[str, Any]:
        head: dict[str, Any] = {
            "name": self.name,
            "lrn": lrn(self.environment, self.cluster, self.name),
            "cluster": self.cluster,
        }
        if self.state is not None:
            head["state"] = self.state
        if self.plugin is not None:
            head |= {"className": self.plugin.name, "type": self.plugin.type}
        return head

    def entry(self) -> Entry:
        """The list entry; the same object until something changes."""
        if self._entry is None:
            tasks = [{"id": task.id, "state": task.state} for task in self.tasks]
            self._entry = Entry(self._head() | {"tasks": tasks})
            self._entry.more = self.details
        return self._entry

    def details(self) -> dict[str, Any]:
        out = self._head() | {"workerId": WORKER, "config": {**self.config, "name": self.name}}
        if self.plugin is not None:
            out["version"] = self.plugin.version
        out["tasks"] = [
            {"id": str(task.id), "state": task.state, "workerId": task.worker}
            | ({"trace": task.trace} if task.trace is not None else {})
            for task in self.tasks
        ]
        return out

    def snapshot(self) -> dict[str, Any]:
        """All there is to know, for tests."""
        return {
            "name": self.name,
            "state": self.state,
            "target": self.target,
            "config": {**self.config, "name": self.name},
            "class": self.plugin.name if self.plugin else None,
            "tasks": [{"id": t.id, "state": t.state, "trace": t.trace} for t in self.tasks],
            "starts": self.starts,
            "deleting": self.gone_from is not None,
        }
