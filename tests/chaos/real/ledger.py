"""The Lenses server's complete record: every request, and every change that really happened, whatever was answered."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from chaos.real.cast import CLUSTER, ENVIRONMENTS
from harness.lenses import exactjson
from harness.lenses.memory import MemoryCluster
from harness.lenses.memory_connector import MemoryConnector
from harness.lenses.record import Request, RequestLog
from harness.lenses.running import RunningLenses
from invariants.history import Effect

T = TypeVar("T")
READ = "GetConnector"
LOOKS = 16
"""Looks at one connector that are remembered: those at the end may all have failed."""


class CompleteLog(RequestLog):
    """Forgets nothing, and knows the request that a task is about."""

    def __init__(self) -> None:
        super().__init__(size=10**9)
        self._by_task: WeakKeyDictionary[asyncio.Task[Any], Request] = WeakKeyDictionary()
        self._reads: dict[tuple[str | None, str | None], deque[Request]] = defaultdict(lambda: deque(maxlen=LOOKS))

    def add(self, **fields: Any) -> Request:
        request = super().add(**fields)
        if request.operation == READ:
            self._reads[request.environment, request.connector].append(request)
        task = asyncio.current_task()
        if task is not None:
            self._by_task[task] = request
        return request

    def current(self) -> Request | None:
        task = asyncio.current_task()
        return self._by_task.get(task) if task is not None else None

    def looked_at(self, environment: str, connector: str) -> float:
        """When the last look at a connector arrived that has shown it, or that there is none; 0.0: never."""
        reads = self._reads[environment, connector]
        return max((read.wall for read in reads if read.status in (200, 404)), default=0.0)


class RecordingCluster(MemoryCluster):
    """Notes each change once it has happened."""

    def __init__(self, environment: str, effects: list[Effect], log: CompleteLog) -> None:
        super().__init__(environment, CLUSTER, {})
        self._effects, self._log = effects, log

    def _config(self, name: str) -> dict[str, str] | None:
        found = self.find(name, hidden=True)
        return dict(found.config) if found is not None and found.gone_from is None else None

    def _note(self, op: str, name: str, before: dict[str, str] | None, **more: Any) -> None:
        now = time.time()
        request = None if more.get("outside") else self._log.current()
        arrived = request.wall if request else now
        seq = request.seq if request else 0
        key = (self.environment, self.name, name)
        gone_at = now + self.delays.delete if op == "delete" and not more.get("outside") else now
        after = self._config(name)
        looked = self._log.looked_at(self.environment, name) if request else 0.0
        self._effects.append(
            Effect(now, arrived, op, key, before, after, gone_at=gone_at, seq=seq, looked=looked, **more)
        )

    # by the API
    async def create(self, name: str, config: dict[str, str]) -> None:
        await super().create(name, config)
        self._note("create", name, None)

    async def update(self, name: str, config: dict[str, str], state: str | None) -> None:
        before = self._config(name)
        await super().update(name, config, state)
        self._note("put" if before is not None else "create", name, before)

    async def delete(self, name: str) -> None:
        before = self._config(name)
        await super().delete(name)
        if before is not None:
            self._note("delete", name, before)

    async def act(self, name: str, action: str) -> None:
        await super().act(name, action)
        self._note("state", name, self._config(name), detail=action)

    async def restart_task(self, name: str, task: int) -> None:
        await super().restart_task(name, task)
        self._note("task", name, self._config(name), detail=task)

    async def alter_offsets(self, name: str, body: bytes) -> dict[str, Any]:
        answer = await super().alter_offsets(name, body)
        self._note("alter", name, self._config(name), detail=exactjson.loads(body).get("offsets"))
        return answer

    async def reset_offsets(self, name: str) -> dict[str, Any]:
        before = self.stored.read(name)
        answer = await super().reset_offsets(name)
        self._note("reset", name, self._config(name), detail=before)
        return answer

    # by hand
    def put(self, name: str, changes: dict[str, Any]) -> MemoryConnector:
        before = self._config(name)
        made = super().put(name, changes)
        if before is None or self._config(name) != before:
            self._note("create" if before is None else "config", name, before, outside=True)
        return made

    def take_away(self, name: str) -> None:
        before = self._config(name)
        self.connectors.pop(name, None)
        if before is not None:
            self._note("delete", name, before, outside=True)


class Ledger:
    """The server with its record; `effects` grows in the order in which things happened."""

    def __init__(self, effects: list[Effect]) -> None:
        self.lenses = RunningLenses.start({"check": False})
        self._world = self.lenses._server.world
        self.log = CompleteLog()
        self._world.log = self.log
        self.clusters: dict[str, RecordingCluster] = {}
        for name in ENVIRONMENTS:
            self.lenses.control.add_environment(name, {})
            made = RecordingCluster(name, effects, self.log)
            self.clusters[name] = made
            self._world.environments[name].clusters[CLUSTER] = made

    def inside(self, call: Callable[[], T]) -> T:
        """Called by the server's own thread, between two requests."""

        async def run() -> T:
            return call()

        return asyncio.run_coroutine_threadsafe(run(), self.lenses._loop).result(30)

    def stop(self) -> None:
        self.lenses.stop()
