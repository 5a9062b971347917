"""Both controllers, Lenses with offsets and both kinds in memory, on an event loop whose clock jumps."""

# ruff: noqa: ARG002 - the signatures are the client's

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from lenses_operator.kube.errors import KubeError
from lenses_operator.lenses import errors
from lenses_operator.lenses.models import OffsetsText, offsets_of
from lenses_operator.lenses.transport import Precondition
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector_offsets import KIND, LensesConnectorOffsets, OffsetsStatus
from lenses_operator.workqueue.queue import run_workers
from unit.controllers.fakes import Event, FakeKube, FakeLenses, Operator
from unit.controllers.virtualtime import now
from unit.offsets.make import BEFORE, body

OFFSETS_CALLS = ("set_state", "get_offsets", "alter_offsets", "reset_offsets")
ALTERED = "The offsets for this connector have been altered successfully"
RESET = "The offsets for this connector have been reset successfully"


class OffsetsLenses(FakeLenses):
    """`offsets`: the text that a GET answers. `stops` False: a stop does nothing; `heeds` False: an Alter does."""

    def __init__(self) -> None:
        super().__init__()
        self.offsets = BEFORE
        self.sent: list[str] = []
        self.stops = True
        self.heeds = True

    async def set_state(
        self, environment: str, cluster: str, name: str, action: Any, *, precondition: Precondition
    ) -> None:
        if action == "stop" and not self.stops:
            await self._gate("set_state", name, action)
            return
        await super().set_state(environment, cluster, name, action, precondition=precondition)

    async def get_offsets(self, environment: str, cluster: str, name: str) -> OffsetsText:
        await self._gate("get_offsets", name)
        self._find(cluster, name)
        return offsets_of(f'{{"offsets": {self.offsets}}}')

    async def alter_offsets(
        self, environment: str, cluster: str, name: str, offsets_json: str, *, precondition: Precondition
    ) -> str:
        await self._turn("alter_offsets", precondition)
        after = await self._gate("alter_offsets", name)
        self._need_stopped(cluster, name)
        self.sent.append(offsets_json)
        if not self.heeds:
            return ALTERED
        merged = {_name_of(entry): entry for entry in json.loads(self.offsets)}
        for entry in json.loads(offsets_json):
            merged.pop(_name_of(entry), None)
            if entry["offset"] is not None:
                merged[_name_of(entry)] = entry
        self.offsets = json.dumps(list(merged.values()))
        if after:
            raise after
        return ALTERED

    async def reset_offsets(self, environment: str, cluster: str, name: str, *, precondition: Precondition) -> str:
        await self._turn("reset_offsets", precondition)
        after = await self._gate("reset_offsets", name)
        self._need_stopped(cluster, name)
        self.offsets = "[]"
        if after:
            raise after
        return RESET

    def _need_stopped(self, cluster: str, name: str) -> None:
        found = self._find(cluster, name)
        assert (found.state, found.tasks) == ("STOPPED", []), "asked of a connector that has not stopped"

    def order(self) -> list[str]:
        """State changes and offsets calls, in short."""
        return [call[-1] if call[0] == "set_state" else call[0] for call in self.calls if call[0] in OFFSETS_CALLS]


def _name_of(entry: dict[str, Any]) -> str:
    return json.dumps(entry["partition"], sort_keys=True)


class ConnectorKube(FakeKube):
    """One that may be told twice to let go."""

    def _collect(self, namespace: str, name: str) -> None:
        if self.there(name, namespace=namespace):
            super()._collect(namespace, name)


class OffsetsKube:
    """LensesConnectorOffsets on an API server whose watch is a moment behind."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.statuses: list[OffsetsStatus] = []
        self.before_write: Callable[[OffsetsStatus], None] = lambda _: None
        self.latency = 0.01
        self.on_seen: Callable[[dict[str, Any]], None] = lambda _: None
        self.on_gone: Callable[[dict[str, Any]], None] = lambda _: None
        self.slow_answer: asyncio.Event | None = None
        self._read: dict[str, tuple[dict[str, Any], OffsetsStatus]] = {}
        self._version = 1000
        self._made = 0

    def apply(self, name: str = "back", **spec: Any) -> None:
        known = self.objects.get(name)
        if known is None:
            self._made += 1
            self._put(body(name, uid=f"off-{self._made}", age=self._made, **spec))
        else:
            generation = known["metadata"]["generation"] + 1
            renewed = {**known["metadata"], "generation": generation}
            self._put({**known, "metadata": renewed, "spec": body(name, **spec)["spec"]})

    def delete(self, name: str = "back") -> None:
        gone = self.objects.pop(name)
        # An instant after the last change, as every watch has it; two timers of one instant have no order.
        asyncio.get_running_loop().call_later(self.latency + 0.001, self.on_gone, gone)

    def status(self, name: str = "back") -> OffsetsStatus:
        """Read once for each state of the object: tests ask every few milliseconds for minutes."""
        found = self.objects[name]
        read = self._read.get(name)
        if read is None or read[0] is not found:
            read = self._read[name] = (found, LensesConnectorOffsets.read(found).status)
        return read[1]

    async def write_status(
        self, resource: LensesConnectorOffsets, status: OffsetsStatus
    ) -> LensesConnectorOffsets | None:
        self.before_write(status)
        self.statuses.append(status)
        await asyncio.sleep(0.001)
        known = self.objects.get(resource.metadata.name)
        if known is None or known["metadata"]["uid"] != resource.metadata.uid:
            return None
        there = known.get("status") or {}
        if any(there.get(name) != value for name, value in resource.pinned.items()):
            raise KubeError("status", 422, "the test failed")
        if self.slow_answer:
            made = self._put({**known, "status": json.loads(json.dumps(resource.stored(status.to_wire())))})
            await self.slow_answer.wait()
            return LensesConnectorOffsets.read(made)
        return LensesConnectorOffsets.read(
            self._put({**known, "status": json.loads(json.dumps(resource.stored(status.to_wire())))})
        )

    def _put(self, wanted: dict[str, Any]) -> dict[str, Any]:
        self._version += 1
        name = wanted["metadata"]["name"]
        made = {**wanted, "metadata": {**wanted["metadata"], "resourceVersion": str(self._version)}}
        self.objects[name] = made
        asyncio.get_running_loop().call_later(self.latency, self.on_seen, made)
        return made


class OffsetsOperator(Operator):
    """The core with both controllers, as `app` puts it together."""

    lenses: OffsetsLenses

    def __init__(
        self, lenses: OffsetsLenses, kube: FakeKube, offsets: OffsetsKube, *, poll: float, drift: float
    ) -> None:
        super().__init__(lenses, kube, poll=poll, drift=drift, offsets=offsets)
        self.offsets = offsets
        self.offsets_events: list[Event] = []
        offsets.on_seen, offsets.on_gone = self.offsets_intake.seen, self.offsets_intake.gone
        kube.on_gone = self._gone

    def _gone(self, last: dict[str, Any]) -> None:
        asyncio.get_running_loop().call_later(0.001, self.intake.gone, last)

    def _emit_offsets(
        self, resource: LensesConnectorOffsets, reason: str, message: str, *, warning: bool = False
    ) -> None:
        self.offsets_events.append(Event(resource.metadata.name, str(reason), message, warning))

    async def work(self, key: ObjectKey) -> None:
        if key.kind != KIND:
            await super().work(key)
            return
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

    def how(self, name: str = "back") -> tuple[str | None, str, str]:
        """Phase, and Ready's status and reason."""
        status = self.offsets.status(name)
        assert status.ready is not None
        return status.phase, status.ready.status, status.ready.reason

    def words(self, name: str = "back") -> str:
        ready = self.offsets.status(name).ready
        assert ready is not None
        return ready.message

    async def until(self, holds: Callable[[], object], bound: float = 600.0) -> float:
        """The seconds it took."""
        began = now()
        while not holds():
            assert now() < began + bound, (self.offsets.objects, self.lenses.calls[-20:])
            await asyncio.sleep(0.005)
        return now() - began

    async def until_reason(self, reason: str, name: str = "back", bound: float = 600.0) -> float:
        def holds() -> bool:
            found = self.offsets.status(name)
            current = self.offsets.objects[name]["metadata"]["generation"]
            return found.ready is not None and (found.ready.reason, found.observed_generation) == (reason, current)

        return await self.until(holds, bound)

    async def until_state(self, state: str, bound: float = 600.0) -> float:
        return await self.until(lambda: self.connector is not None and self.connector.state == state, bound)

    async def runs(self, **spec: Any) -> None:
        """A connector that is as it should be; what led to it is forgotten."""
        self.kube.apply(**spec)
        await asyncio.sleep(30)
        assert self.connector is not None
        self.lenses.calls.clear()
        self.events.clear()


@asynccontextmanager
async def offsets_operator(
    lenses: OffsetsLenses | None = None,
    kube: FakeKube | None = None,
    offsets: OffsetsKube | None = None,
    *,
    poll: float = 15.0,
    drift: float = 300.0,
) -> AsyncIterator[OffsetsOperator]:
    """Running. Given the former Lenses and objects it is the operator after a kill."""
    lenses = lenses or OffsetsLenses()
    rig = OffsetsOperator(lenses, kube or ConnectorKube(lenses.calls), offsets or OffsetsKube(), poll=poll, drift=drift)
    rig.offsets_intake.listed(list(rig.offsets.objects.values()))
    rig.intake.listed(list(rig.kube.objects.values()))
    workers = asyncio.create_task(run_workers(rig.queue, 4, rig.work))
    try:
        yield rig
    finally:
        rig.queue.close()
        await rig.environments.close()
        workers.cancel()
        await asyncio.gather(workers, return_exceptions=True)
    assert not rig.errors, rig.errors


UNREACHABLE = errors.LensesUnreachable("alter_offsets", "timed out", reason="timeout")
