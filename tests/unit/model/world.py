"""Lenses, the API server and one operator process after another, all watched by the contract."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import Any, cast

from doubles.faults import HANGS
from doubles.incarnation import Habits
from doubles.kube import OffsetsKube
from doubles.lifelike import Lenses
from doubles.lifelike_kube import Kube
from harness.waiting import HANG
from invariants.ending import Ending
from lenses_operator.domain.backoff import TRANSIENT
from lenses_operator.domain.policy import Policy, Rule
from lenses_operator.kube.api import KubeError
from lenses_operator.lenses_state.poller import SHARE
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.workqueue.queue import run_workers
from unit.controllers.fakes import FakeLenses, Operator
from unit.controllers.virtualtime import START, now
from unit.resources.make import NOW

POLL = 15.0
DRIFT = 60.0
PATIENCE = 2000.0
"""Seconds until everything must be as the resources say, the longest back-off included."""


class Process(Operator):
    """The operator, with the retries of `app`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._failures: dict[ObjectKey, int] = {}
        super().__init__(
            cast("FakeLenses", world.lenses), world.kube, poll=POLL, drift=world.drift, offsets=world.offsets
        )
        self.connect()
        self._workers = asyncio.create_task(run_workers(self.queue, world.workers, self.work))

    def connect(self) -> None:
        """Everything is listed before anything is done."""
        kube = self.world.kube
        kube.on_reference = self.feed.reference
        self.allow(kube.allowed)
        self.feed.listed(list(kube.objects.values()))

    def allow(self, namespaces: frozenset[str]) -> None:
        self.policy = Policy((Rule(namespaces=tuple(sorted(namespaces))),))
        for resource in self.cache:
            self.queue.add(resource.key)

    async def work(self, key: ObjectKey) -> None:
        try:
            delay = await self.core.reconcile(key)
        except KubeError:
            self._failures[key] = self._failures.get(key, 0) + 1
            delay = TRANSIENT.delay(self._failures[key], lambda low, high: (low + high) / 2)
        except Exception as error:
            self.world.wrong(f"pass over {key} failed: {error!r}")
            delay = 1.0
        else:
            self._failures.pop(key, None)
        if delay is not None:
            self.queue.add_after(key, delay)

    def _emit(self, resource: LensesConnector, reason: str, message: str, *, warning: bool = False) -> None:
        super()._emit(resource, reason, message, warning=warning)
        self.world.log.append((now(), f"event {resource.key} {reason}"))
        if reason == "Retained":
            self.world.released(resource)
        if reason == "Deleted":
            self.world.deleted(resource.connector.name)
        self.world.disclosed(message, f"Event {reason} of {resource.key}")

    async def end(self, *, gracefully: bool) -> None:
        self.queue.close()
        if gracefully:
            await asyncio.wait([self._workers], timeout=HANG)
        self._workers.cancel()
        await asyncio.gather(self._workers, return_exceptions=True)
        await self.environments.close()


class World(Ending):
    """`crash_in`: requests until the operator dies; `crash_after`: when that one has been carried out."""

    def __init__(self, habits: dict[str, Habits], *, watch: bool, offered: bool = False) -> None:
        super().__init__()
        self.lenses = Lenses(habits, self, offered=offered)
        self.kube = Kube(self)
        self.offsets = OffsetsKube()
        self.process: Process | None = None
        self.crash_in: int | None = None
        self.crash_after = False
        self.drift = DRIFT
        self.workers = 4
        self._watch = watch
        self._doomed = asyncio.Event()
        self._undertaker: asyncio.Task[None] | None = None

    def just_now(self, at: datetime) -> bool:
        return abs((at - NOW).total_seconds() - (now() - START)) <= 2.0

    def start(self) -> None:
        self.lenses.connect.process += 1
        self.kube.read_values.clear()
        self.kube.vanished.clear()
        for account in self.accounts.values():
            account.begin_anew()
        self.seen = frozenset()
        self.told.clear()
        self.log.append((now(), f"--- operator {self.lenses.connect.process}"))
        self.process = self.begin()
        if not self._watch:
            self.kube.on_reference = lambda *_: None
        self._undertaker = asyncio.create_task(self._bury())

    def begin(self) -> Process:
        return Process(self)

    async def stop(self, *, gracefully: bool = True) -> None:
        process, self.process = self.process, None
        if self._undertaker is not None and self._undertaker is not asyncio.current_task():
            self._undertaker.cancel()
        if process is not None:
            await process.end(gracefully=gracefully)
        for one in self.kube.vanished:
            self._lost(one)

    async def restart(self, *, gracefully: bool, away: float) -> None:
        await self.stop(gracefully=gracefully)
        await asyncio.sleep(away)
        self.start()

    async def interrupted(self, *, after: bool) -> None:
        if self.crash_in is None or after != self.crash_after:
            return
        self.crash_in -= 1
        if self.crash_in <= 0:
            self.crash_in = None
            self._doomed.set()
            await asyncio.Event().wait()

    async def _bury(self) -> None:
        await self._doomed.wait()
        self._doomed.clear()
        await self.restart(gracefully=False, away=0.0)

    def _lost(self, resource: LensesConnector) -> None:
        """What an object that vanished owed is known to the process alone."""
        name = resource.connector.name
        self.forsaken[name] = now()
        if name in self.lenses.connectors:
            self.lenses.connectors[name].let_go = True

    def heal(self) -> None:
        self.lenses.heal()
        self.kube.faults["status"].clear()
        self.kube.faults["finalizer"].clear()
        self.kube.vanishing.clear()
        self.crash_in = None

    async def settle(self) -> None:
        """Everything is mended: it must end as the resources say, stay so, and then be quiet."""
        self.heal()
        deadline = now() + PATIENCE
        while self.unsettled() and now() < deadline and not self.violations:
            await asyncio.sleep(10)
        await asyncio.sleep(
            max(self.drift, SHARE * HANGS) + 2 * POLL
        )  # a list that hung is not asked for again so soon
        while self.unsettled() and now() < deadline and not self.violations:
            await asyncio.sleep(10)
        for problem in self.unsettled():
            self.wrong(f"in the end {problem}")
        await self._be_quiet()

    async def _be_quiet(self) -> None:
        begun = now()
        restless = {name for name in self.lenses.habits if self._is_restless(name)}
        statuses = {place: self._lasting(place) for place in self.kube.objects}
        await asyncio.sleep(2 * self.drift + POLL)
        restless |= {name for name in self.lenses.habits if self._is_restless(name)}
        noise = [
            f"{at:.3f} {what}"
            for at, what in self.log
            if at > begun
            and not what.startswith(" ")
            and what.split()[0] in {"create_connector", "delete_connector", "put_resource", "set_state", "restart_task"}
            and what.split()[1] not in restless
        ]
        self.check(not noise, f"not quiet in the end: {noise}")
        for place, before in statuses.items():
            resource = LensesConnector.parse(self.kube.objects[place])
            writes = [wire for at, where, wire in self.kube.writes if at > begun and where == place]
            said = {wire["conditions"][0]["reason"] for wire in writes}
            if resource.connector.name in restless:
                failed = any("Failed" in reason for reason in said)  # and restarted, as its budget allows
                self.check(failed or len(said) <= 1, f"{place} says now {' and now '.join(sorted(said))}")
                continue
            quiet = len(writes) <= 1 and self._lasting(place) == before
            self.check(quiet, f"status of {place} not quiet: {writes}")

    def _is_restless(self, name: str) -> bool:
        """Looked at or tried again for a long time to come: failed with a budget, refused, suspended amid trouble."""
        return any(
            one.connector.name == name
            and one.status.ready is not None
            and one.status.ready.reason
            in {"TaskFailed", "ConnectorFailed", "ConfigInvalid", "UpdateNotSupported", "Suspended"}
            for one in self.kube.living()
        )

    def _lasting(self, place: tuple[str, str]) -> dict[str, Any]:
        """Without what goes by itself: the count of restarts after ten healthy minutes, the mark that a trace may be of
        before at the first look without one."""
        status = {
            key: value for key, value in self.kube.objects[place].get("status", {}).items() if key != "autoRestart"
        }
        applied = status.get("appliedConfig") or {}
        return status | {"appliedConfig": {key: value for key, value in applied.items() if key != "formerTraces"}}


class Ear(logging.Handler):
    """Hears every log line as it would be written."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.DEBUG)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        self._world.disclosed(logging.Formatter().format(record), "log")
