"""The whole core, with Lenses and the API server in memory, on an event loop whose clock jumps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from doubles.kube import FakeKube, OffsetsKube
from doubles.lenses import Connector
from doubles.scripted import READS, FakeLenses
from harness.lenses.memory_connector import MemoryConnector, Task
from lenses_operator.controllers.clocks import Clocks
from lenses_operator.core import Core
from lenses_operator.domain.policy import Policy
from lenses_operator.kube.errors import KubeError
from lenses_operator.lenses.client import LensesClient
from lenses_operator.resources.base import ObjectKey, Resource
from lenses_operator.resources.connector import ConnectorKey, LensesConnector
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets
from lenses_operator.workqueue.queue import run_workers
from unit.controllers.virtualtime import START, now
from unit.resources.make import NOW

__all__ = [
    "CONNECTOR",
    "KEY",
    "NAME",
    "READS",
    "RUNNING",
    "Connector",
    "Event",
    "FakeKube",
    "FakeLenses",
    "Operator",
    "Task",
    "at_work",
    "operator",
    "steps",
]
Rig = TypeVar("Rig", bound="Operator")
NAME = "orders"
KEY = ObjectKey("LensesConnector", "payments", "orders")
CONNECTOR = ConnectorKey("prod", "connect-eu", "orders")
RUNNING = ("True", "Running", "Owned")
"""As `said` has it of a connector that is as it should be."""


@dataclass(frozen=True)
class Event:
    name: str
    reason: str
    message: str
    warning: bool


class Operator:
    """The core as `app` puts it together, without kopf, HTTP and Kubernetes."""

    def __init__(
        self, lenses: FakeLenses, kube: FakeKube, *, poll: float, drift: float, offsets: OffsetsKube | None = None
    ) -> None:
        self.lenses = lenses
        self.kube = kube
        self.offsets = offsets or OffsetsKube()
        self.events: list[Event] = []
        self.offsets_events: list[Event] = []
        self.passes: list[ObjectKey] = []
        self.errors: list[BaseException] = []
        self.policy = Policy()
        self.core = Core(
            cast("LensesClient", lenses),
            writer=kube,
            offsets_writer=self.offsets,
            references=kube,
            emit=self._emitted,
            policy=lambda: self.policy,
            clocks=Clocks(now, self.wall),
            poll_interval=poll,
            list_rate=10.0,
            drift_interval=drift,
            digest_key=lambda: kube.digest_key,
        )
        self.cache, self.operations = self.core.cache, self.core.operations
        self.queue, self.environments = self.core.queue, self.core.environments
        self.feed, self.offsets_feed = self.core.feed, self.core.offsets_feed
        kube.on_seen, kube.on_gone = self.feed.seen, self.feed.gone
        self.offsets.on_seen, self.offsets.on_gone = self.offsets_feed.seen, self.offsets_feed.gone

    def wall(self) -> datetime:
        return (NOW + timedelta(seconds=now() - START)).replace(microsecond=0)

    def _emitted(self, resource: Resource, reason: str, message: str, *, warning: bool = False) -> None:
        if isinstance(resource, LensesConnector):
            self._emit(resource, reason, message, warning=warning)
        elif isinstance(resource, LensesConnectorOffsets):
            self._emit_offsets(resource, reason, message, warning=warning)

    def _emit_offsets(
        self, resource: LensesConnectorOffsets, reason: str, message: str, *, warning: bool = False
    ) -> None:
        self.offsets_events.append(Event(resource.metadata.name, str(reason), message, warning))

    def _emit(self, resource: LensesConnector, reason: str, message: str, *, warning: bool = False) -> None:
        self.events.append(Event(resource.metadata.name, str(reason), message, warning))

    async def work(self, key: ObjectKey) -> None:
        self.passes.append(key)
        try:
            delay = await self.core.reconcile(key)
        except KubeError:
            delay = 1.0  # as `Worker` has it
        except Exception as error:
            self.errors.append(error)
            raise
        if delay is not None:
            self.queue.add_after(key, delay)

    async def applies(
        self, name: str = "orders", *, seconds: float = 30, namespace: str = "payments", **spec: Any
    ) -> None:
        """A user applies it, and there are so many seconds for what comes of it."""
        self.kube.apply(name, namespace=namespace, **spec)
        await asyncio.sleep(seconds)

    async def runs(self, *, seconds: float = 30, **spec: Any) -> None:
        """A connector that is as its resource asks; what led to it is forgotten."""
        await self.applies(seconds=seconds, **spec)
        assert self.connector is not None
        self.lenses.calls.clear()
        self.events.clear()
        self.kube.statuses.clear()

    async def deletes(self, name: str = "orders", *, seconds: float = 30, namespace: str = "payments") -> None:
        self.kube.delete(name, namespace=namespace)
        await asyncio.sleep(seconds)

    async def recovers(self, *operations: str, seconds: float) -> None:
        """Lenses answers these as it should again, and so much later the connector runs."""
        for operation in operations:
            self.lenses.always(operation, None)
        await asyncio.sleep(seconds)
        assert self.said() == RUNNING

    def reasons(self) -> list[str]:
        return [event.reason for event in self.events]

    def reported(self) -> list[str]:
        """Ready's reason in every status that was written."""
        return [status.ready.reason for status in self.kube.statuses if status.ready]

    def event(self, reason: str) -> Event:
        """The one Event of that reason."""
        [found] = [event for event in self.events if event.reason == reason]
        return found

    def said(self, name: str = "orders", *, namespace: str = "payments") -> tuple[str, str, str]:
        """Ready's status and reason, and who owns the connector."""
        status = self.kube.status(name, namespace=namespace)
        assert status.ready is not None
        return status.ready.status, status.ready.reason, str(status.ownership.state)

    def message(self, name: str = "orders") -> str:
        ready = self.kube.status(name).ready
        assert ready is not None
        return ready.message

    @property
    def held(self) -> MemoryConnector:
        """The connector in Lenses, which is there."""
        return self.lenses.connectors[NAME]

    @property
    def connector(self) -> MemoryConnector | None:
        return self.lenses.connectors.get(NAME)


@asynccontextmanager
async def at_work(rig: Rig) -> AsyncIterator[Rig]:
    """With everything listed, and its workers; given the former Lenses and objects it is the one after a restart."""
    rig.offsets_feed.listed(list(rig.offsets.objects.values()))
    rig.feed.listed(list(rig.kube.objects.values()))
    workers = asyncio.create_task(run_workers(rig.queue, 4, rig.work))
    try:
        yield rig
    finally:
        rig.queue.close()
        await rig.environments.close()
        workers.cancel()
        await asyncio.gather(workers, return_exceptions=True)
    assert not rig.errors, rig.errors


def operator(
    lenses: FakeLenses | None = None, kube: FakeKube | None = None, *, poll: float = 15.0, drift: float = 300.0
) -> AbstractAsyncContextManager[Operator]:
    lenses = lenses or FakeLenses()
    return at_work(Operator(lenses, kube or FakeKube(lenses.calls), poll=poll, drift=drift))


def steps(calls: Sequence[tuple[str, ...]]) -> list[str]:
    """The calls that change something, in short."""
    return [" ".join(call) for call in calls if call[0] not in READS]
