"""The API server that fails on demand, loses objects, and keeps what it held a moment ago."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from doubles.kube import FakeKube, OffsetsKube
from lenses_operator.domain.references import RefData, RefKind, RefName
from lenses_operator.kube.api import KubeError
from lenses_operator.resources.base import FINALIZER, RECONCILE, RESTART, ObjectKey
from lenses_operator.resources.connector import ConnectorStatus, LensesConnector, OwnershipState
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets, OffsetsStatus
from unit.controllers.virtualtime import now
from unit.resources.make import SPEC, body

Place = tuple[str, str]
"""Namespace and name of an object."""
KEPT = 5.0
"""Seconds of history."""
REMEMBERED = 5000
"""Objects that are not parsed again."""


@dataclass(frozen=True)
class Snapshot:
    """What the API server and the policy said of one connector from `since` on."""

    since: float
    objects: tuple[LensesConnector, ...]
    allowed: frozenset[str]
    """Namespaces."""


class Watcher(Protocol):
    def wrote_status(self, resource: LensesConnector, status: ConnectorStatus) -> None: ...
    def owned(self, resource: LensesConnector) -> None: ...
    def releasing(self, resource: LensesConnector) -> None: ...
    def released(self, resource: LensesConnector) -> None: ...
    async def interrupted(self, *, after: bool) -> None: ...


class OffsetsWatcher(Protocol):
    def wrote_offsets(self, resource: LensesConnectorOffsets, status: OffsetsStatus) -> None: ...
    async def interrupted(self, *, after: bool) -> None: ...


class Kube(FakeKube):
    def __init__(self, watcher: Watcher) -> None:
        super().__init__([])
        self.faults: dict[str, list[bool]] = {"status": [], "finalizer": []}
        """Queued failures; True: carried out all the same."""
        self.slowness: Callable[[], float] = lambda: 0.001
        self.born: Callable[[], int] = lambda: self._uid
        """Seconds by the API server's clock, for the creation time of a new object."""
        self.history: dict[str, list[Snapshot]] = {}
        """By connector, the last moments of it."""
        self.allowed = frozenset({"payments", "logistics"})
        self.vanishing: dict[Place, float] = {}
        """Removed so many seconds after the finalizer was put."""
        self.vanished: list[LensesConnector] = []
        self.writes: list[tuple[float, Place, dict[str, Any]]] = []
        self.read_values: set[str] = set()
        """Values of Secrets that the present operator process has been given."""
        self.on_reference: Callable[[str, RefKind, dict[str, Any]], None] = lambda *_: None
        self._watcher = watcher
        self._parsed: dict[tuple[str, str], LensesConnector] = {}
        self._places: dict[str, set[Place]] = {}

    # Users.

    def put(self, place: Place, spec: dict[str, Any]) -> None:
        """`kubectl apply`, with a spec that differs or is new."""
        known = self.objects.get(place)
        if known is None:
            self._uid += 1
            uid = f"uid-{self._uid}"
            fresh = body(place[1], namespace=place[0], uid=uid, age=self.born(), finalizers=())
            self.objects[place] = fresh | {"spec": SPEC | spec}
        elif known["spec"] != SPEC | spec:
            self._edit(*place, generation=known["metadata"]["generation"] + 1)
            self.objects[place]["spec"] = SPEC | spec
        else:
            return
        self._changed(*place)

    def annotate(self, place: Place, which: str, value: str) -> None:
        name = {"restart": RESTART, "reconcile": RECONCILE}[which]
        annotations = dict(self.objects[place]["metadata"].get("annotations", {}))
        self._edit(*place, annotations=annotations | {name: value})
        self._changed(*place)

    def strip(self, place: Place) -> None:
        """Somebody takes the finalizer off by hand."""
        self._edit(*place)
        self.objects[place]["metadata"]["finalizers"] = []
        self._changed(*place)
        self._collect(*place)

    def remove_object(self, place: Place, uid: str) -> None:
        """The API server drops an object although it has our finalizer."""
        if place in self.objects and self.objects[place]["metadata"]["uid"] == uid:
            self.vanished.append(self._parse(self.objects[place]))
            self.vanish(place[1], namespace=place[0])
            self.snap(self.vanished[-1].connector.name)

    def set_secret(self, namespace: str, name: str, data: dict[str, str] | None) -> None:
        """None removes it. The same data again is a change of metadata."""
        ref = (namespace, RefName("Secret", name))
        self._version += 1
        if data is None:
            self.references.pop(ref, None)
        else:
            encoded = {key: value.encode() for key, value in data.items()}
            self.references[ref] = RefData(str(self._version), encoded)
        secret = {"metadata": {"namespace": namespace, "name": name}, "data": dict(data or {})}
        event = "DELETED" if data is None else "MODIFIED"
        asyncio.get_running_loop().call_later(self.latency, lambda: self.on_reference(event, "Secret", secret))

    def living(self) -> list[LensesConnector]:
        return [self._parse(body) for body in self.objects.values()]

    def about(self, name: str) -> Snapshot:
        """Those that name this connector, now."""
        places = self._places.get(name, set())
        bodies = [self.objects[place] for place in sorted(places) if place in self.objects]
        return Snapshot(now(), tuple(self._parse(body) for body in bodies), self.allowed)

    def snap(self, name: str) -> None:
        history = self.history.setdefault(name, [])
        history.append(self.about(name))
        while len(history) > 2 and history[1].since < now() - KEPT:
            del history[0]

    def allow(self, namespaces: frozenset[str]) -> None:
        self.allowed = namespaces
        for name in self._places:
            self.snap(name)

    def lately(self, name: str, window: float) -> list[Snapshot]:
        """The present and whatever held within the last `window` seconds."""
        since = now() - window
        found = []
        for snapshot in reversed(self.history.get(name, ())):
            found.append(snapshot)
            if snapshot.since < since:
                break
        return found

    # The operator.

    async def read(self, namespace: str, ref: RefName) -> RefData | None:
        found = await super().read(namespace, ref)
        self.read_values |= {value.decode() for value in found.data.values()} if found else set()
        return found

    async def write_status(self, resource: LensesConnector, status: ConnectorStatus) -> LensesConnector | None:
        self._watcher.wrote_status(resource, status)

        def write(known: dict[str, Any]) -> None:
            known.update(status=status.to_wire())
            if status.ownership.state is OwnershipState.OWNED:
                self._watcher.owned(resource)

        return await self._request("status", resource, write)

    async def add_finalizer(self, resource: LensesConnector) -> LensesConnector | None:
        place = (resource.metadata.namespace, resource.metadata.name)

        def put(known: dict[str, Any]) -> None:
            if FINALIZER not in known["metadata"]["finalizers"]:
                known["metadata"]["finalizers"].append(FINALIZER)
            if place in self.vanishing:
                after, uid = self.vanishing.pop(place), known["metadata"]["uid"]
                asyncio.get_running_loop().call_later(after, self.remove_object, place, uid)

        return await self._request("finalizer", resource, put, unless_deleting=True)

    async def remove_finalizer(self, resource: LensesConnector) -> LensesConnector | None:
        self._watcher.releasing(resource)

        def take(known: dict[str, Any]) -> None:
            known["metadata"]["finalizers"] = [one for one in known["metadata"]["finalizers"] if one != FINALIZER]

        after = await self._request("finalizer", resource, take)
        place = (resource.metadata.namespace, resource.metadata.name)
        return after if place in self.objects else None

    async def _request(
        self,
        kind: str,
        resource: LensesConnector,
        change: Callable[[dict[str, Any]], object],
        *,
        unless_deleting: bool = False,
    ) -> LensesConnector | None:
        await asyncio.sleep(self.slowness())
        await self._watcher.interrupted(after=False)
        fails = bool(self.faults[kind])
        if fails and not self.faults[kind].pop(0):
            raise KubeError(kind, 503, "try again")
        place = (resource.metadata.namespace, resource.metadata.name)
        known = self.objects.get(place)
        if known is None or known["metadata"]["uid"] != resource.metadata.uid:
            return None
        if unless_deleting and known["metadata"].get("deletionTimestamp"):
            return None
        self._edit(*place)
        change(self.objects[place])
        after = self._changed(*place)
        if not self.objects[place]["metadata"]["finalizers"]:
            self._watcher.released(after)
            self._collect(*place)
        await self._watcher.interrupted(after=True)
        if fails:
            raise KubeError(kind, 0, "connection lost")
        return after

    def _changed(self, namespace: str, name: str) -> LensesConnector:  # type: ignore[override]
        super()._changed(namespace, name)
        after = self._parse(self.objects[namespace, name])
        self._places.setdefault(after.connector.name, set()).add((namespace, name))
        self.snap(after.connector.name)
        return after

    def _collect(self, namespace: str, name: str) -> None:
        connector = self._parse(self.objects[namespace, name]).connector.name
        super()._collect(namespace, name)
        self.snap(connector)

    def _parse(self, body: dict[str, Any]) -> LensesConnector:
        version = (body["metadata"]["uid"], body["metadata"]["resourceVersion"])
        if version not in self._parsed:
            if len(self._parsed) > REMEMBERED:
                self._parsed.clear()
            self._parsed[version] = LensesConnector.parse(body)
        return self._parsed[version]


class Offsets(OffsetsKube):
    def __init__(self, watcher: OffsetsWatcher) -> None:
        super().__init__()
        self.faults: list[bool] = []
        """Queued failures; True: carried out all the same."""
        self.slowness: Callable[[], float] = lambda: 0.001
        self.past: list[tuple[float, LensesConnectorOffsets]] = []
        """What was deleted or edited, and when."""
        self._watcher = watcher

    def living(self) -> list[LensesConnectorOffsets]:
        return [LensesConnectorOffsets.parse(body) for body in self.objects.values()]

    def of(self, connector: ObjectKey) -> list[LensesConnectorOffsets]:
        namespace, name = connector.namespace, connector.name
        return [
            LensesConnectorOffsets.parse(body)
            for body in self.objects.values()
            if (body["metadata"]["namespace"], body["spec"]["connectorRef"]["name"]) == (namespace, name)
        ]

    def apply(self, name: str = "back", **spec: Any) -> None:
        if name in self.objects:
            self._remember(name)
        super().apply(name, **spec)

    def delete(self, name: str = "back") -> None:
        self._remember(name)
        super().delete(name)

    async def write_status(
        self, resource: LensesConnectorOffsets, status: OffsetsStatus
    ) -> LensesConnectorOffsets | None:
        await asyncio.sleep(self.slowness())
        await self._watcher.interrupted(after=False)
        fails = bool(self.faults)
        if fails and not self.faults.pop(0):
            raise KubeError("status", 503, "try again")
        self._watcher.wrote_offsets(resource, status)
        after = await super().write_status(resource, status)
        await self._watcher.interrupted(after=True)
        if fails:
            raise KubeError("status", 0, "connection lost")
        return after

    def _remember(self, name: str) -> None:
        self.past = [(at, one) for at, one in self.past if at > now() - 10 * KEPT]
        self.past.append((now(), LensesConnectorOffsets.parse(self.objects[name])))
