"""The API server in memory, for our own kinds: what the controllers write to, with a watch that is a moment behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from lenses_operator.domain.references import RefData, RefName
from lenses_operator.kube.errors import KubeError
from lenses_operator.resources.base import FINALIZER
from lenses_operator.resources.connector import AppliedConfig, ConnectorStatus, LensesConnector
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets, OffsetsStatus
from unit.offsets import make as offsets
from unit.resources.make import body

Body = dict[str, Any]


class Objects:
    """Of one kind, on an API server whose watch is `latency` behind."""

    def __init__(self, version: int) -> None:
        self.latency = 0.01
        self.on_seen: Callable[[Body], None] = lambda _: None
        self.on_gone: Callable[[Body], None] = lambda _: None
        self._version = version
        self._uid = 0

    def _seen(self, changed: Body) -> Body:
        """With its next version."""
        self._version += 1
        made = {**changed, "metadata": {**changed["metadata"], "resourceVersion": str(self._version)}}
        asyncio.get_running_loop().call_later(self.latency, self.on_seen, made)
        return made

    def _gone(self, last: Body, moment: float = 0.0) -> None:
        asyncio.get_running_loop().call_later(self.latency + moment, self.on_gone, last)


class FakeKube(Objects):
    """LensesConnector, and what it refers to: the controllers' StatusWriter."""

    def __init__(self, log: list[tuple[str, ...]]) -> None:
        super().__init__(100)
        self.references: dict[tuple[str, RefName], RefData] = {}
        self._read_as: dict[tuple[str, RefName], str] = {}
        self.digest_key: bytes | None = None
        self.objects: dict[tuple[str, str], Body] = {}
        self.statuses: list[ConnectorStatus] = []
        self.before_write: Callable[[], None] = lambda: None
        self._log = log

    def apply(
        self, name: str = "orders", *, namespace: str = "payments", raw: dict[str, Any] | None = None, **spec: Any
    ) -> None:
        """As `kubectl apply`: a new object, or a new spec for the one there is. `raw`: fields as they are."""
        known = self.objects.get((namespace, name))
        if known is None:
            self._uid += 1
            fresh = body(name, namespace=namespace, uid=f"uid-{self._uid}", age=self._uid, finalizers=(), **spec)
            fresh["spec"] |= raw or {}
            self.objects[namespace, name] = fresh
        else:
            renewed = body(name, namespace=namespace, **spec)["spec"] | (raw or {})
            known = {**known, "spec": renewed, "metadata": dict(known["metadata"])}
            known["metadata"]["generation"] += 1
            self.objects[namespace, name] = known
        self._changed(namespace, name)

    def delete(self, name: str = "orders", *, namespace: str = "payments") -> None:
        self._edit(namespace, name, deletionTimestamp="2026-02-01T00:00:00Z")
        self._changed(namespace, name)
        self._collect(namespace, name)

    def vanish(self, name: str = "orders", *, namespace: str = "payments") -> None:
        """The API server drops the object although it has our finalizer."""
        self._gone(self.objects.pop((namespace, name)))

    def status(self, name: str = "orders", *, namespace: str = "payments") -> ConnectorStatus:
        return LensesConnector.read(self.objects[namespace, name]).status

    def applied(self, name: str = "orders", *, namespace: str = "payments") -> AppliedConfig:
        """What status says of the last write."""
        applied = self.status(name, namespace=namespace).applied_config
        assert applied is not None
        return applied

    def there(self, name: str = "orders", *, namespace: str = "payments") -> bool:
        return (namespace, name) in self.objects

    def finalizers(self, name: str = "orders", *, namespace: str = "payments") -> list[str]:
        return list(self.objects[namespace, name]["metadata"]["finalizers"])

    def version(self, namespace: str, ref: RefName) -> str | None:
        return self._read_as.get((namespace, ref))

    async def read(self, namespace: str, ref: RefName) -> RefData | None:
        """A Secret or ConfigMap."""
        found = self.references.get((namespace, ref))
        if found is not None:
            self._read_as[namespace, ref] = found.resource_version
        return found

    async def write_status(self, resource: LensesConnector, status: ConnectorStatus) -> LensesConnector | None:
        self._log.append(("status", str(status.ready.reason) if status.ready else "", str(status.ownership.state)))
        self.statuses.append(status)
        return await self._write(resource, lambda known: known.update(status=resource.stored(status.to_wire())))

    async def add_finalizer(self, resource: LensesConnector) -> LensesConnector | None:
        self._log.append(("finalizer", "added"))
        if (await self._write(resource, lambda _: None)) is None or self._meta(resource).get("deletionTimestamp"):
            return None
        return await self._write(resource, lambda known: known["metadata"]["finalizers"].append(FINALIZER))

    async def remove_finalizer(self, resource: LensesConnector) -> LensesConnector | None:
        self._log.append(("finalizer", "removed"))
        after = await self._write(resource, lambda known: known["metadata"]["finalizers"].remove(FINALIZER))
        meta = resource.metadata
        self._collect(meta.namespace, meta.name)
        return after if self.there(meta.name, namespace=meta.namespace) else None

    async def current(self, resource: LensesConnector) -> LensesConnector | None:
        known = self.objects.get((resource.metadata.namespace, resource.metadata.name))
        if known is None or known["metadata"]["uid"] != resource.metadata.uid:
            return None
        return LensesConnector.read(known)

    async def _write(self, resource: LensesConnector, change: Callable[[Body], object]) -> LensesConnector | None:
        self.before_write()
        await asyncio.sleep(0.001)
        meta = resource.metadata
        if await self.current(resource) is None:
            return None
        self._edit(meta.namespace, meta.name)
        change(self.objects[meta.namespace, meta.name])
        self._changed(meta.namespace, meta.name)
        return LensesConnector.read(self.objects[meta.namespace, meta.name])

    def _meta(self, resource: LensesConnector) -> Body:
        return dict(self.objects[resource.metadata.namespace, resource.metadata.name]["metadata"])

    def _edit(self, namespace: str, name: str, **metadata: Any) -> None:
        known = self.objects[namespace, name]
        meta = {**known["metadata"], **metadata, "finalizers": list(known["metadata"]["finalizers"])}
        self.objects[namespace, name] = {**known, "metadata": meta}

    def _changed(self, namespace: str, name: str) -> None:
        self._edit(namespace, name)
        self.objects[namespace, name] = self._seen(self.objects[namespace, name])

    def _collect(self, namespace: str, name: str) -> None:
        known = self.objects.get((namespace, name))
        if known and known["metadata"].get("deletionTimestamp") and not known["metadata"]["finalizers"]:
            self._gone(self.objects.pop((namespace, name)))


class OffsetsKube(Objects):
    """LensesConnectorOffsets, each name once in all namespaces."""

    def __init__(self) -> None:
        super().__init__(1000)
        self.objects: dict[str, Body] = {}
        self.statuses: list[OffsetsStatus] = []
        self.before_write: Callable[[OffsetsStatus], None] = lambda _: None
        self.slow_answer: asyncio.Event | None = None
        self._read: dict[str, tuple[Body, OffsetsStatus]] = {}

    def apply(self, name: str = "back", **spec: Any) -> None:
        known = self.objects.get(name)
        if known is None:
            self._uid += 1
            self._put(offsets.body(name, uid=f"off-{self._uid}", age=self._uid, **spec))
        else:
            generation = known["metadata"]["generation"] + 1
            renewed = {**known["metadata"], "generation": generation}
            self._put({**known, "metadata": renewed, "spec": offsets.body(name, **spec)["spec"]})

    def delete(self, name: str = "back") -> None:
        # An instant after the last change, as every watch has it; two timers of one instant have no order.
        self._gone(self.objects.pop(name), 0.001)

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
        made = self._put({**known, "status": json.loads(json.dumps(resource.stored(status.to_wire())))})
        if self.slow_answer:
            await self.slow_answer.wait()
        return LensesConnectorOffsets.read(made)

    def _put(self, wanted: Body) -> Body:
        made = self.objects[wanted["metadata"]["name"]] = self._seen(wanted)
        return made
