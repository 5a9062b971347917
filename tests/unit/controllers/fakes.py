"""Lenses, the API server and the whole core in memory, on an event loop whose clock jumps."""

# ruff: noqa: ARG002 - the signatures are the client's

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from lenses_operator.controllers.clocks import Clocks
from lenses_operator.controllers.offsets.steps import OffsetsWriter
from lenses_operator.core import Core
from lenses_operator.domain.policy import Policy
from lenses_operator.domain.references import RefData, RefName
from lenses_operator.lenses import errors
from lenses_operator.lenses.client import LensesClient, Listing, Shown
from lenses_operator.lenses.models import (
    ClusterInfo,
    ConnectorDetails,
    ConnectorListItem,
    ConnectorRequest,
    ListedTask,
    Plugin,
    StateAction,
    Task,
    ValidationResult,
)
from lenses_operator.lenses.tokens import TokenSource
from lenses_operator.lenses.transport import Precondition
from lenses_operator.resources.base import FINALIZER, ObjectKey, Resource
from lenses_operator.resources.connector import ConnectorKey, ConnectorStatus, LensesConnector
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets
from lenses_operator.workqueue.queue import run_workers
from unit.controllers.virtualtime import START, now
from unit.resources.make import CLASS, NOW, body

KEY = ObjectKey("LensesConnector", "payments", "orders")
CONNECTOR = ConnectorKey("prod", "connect-eu", "orders")
READS = ("list_connectors", "get_connector", "get_cluster_info", "get_topics", "list_plugins", "get_resource")


@dataclass
class Connector:
    """What a Connect cluster holds."""

    config: dict[str, str]
    state: str = "RUNNING"
    tasks: list[tuple[str, str | None]] = field(default_factory=lambda: [("RUNNING", None)])


class FakeLenses:
    """Answers at once. `fail` queues errors for an operation, None for a good answer in between; one that is
    `carried_out` happens all the same."""

    def __init__(self) -> None:
        self.connectors: dict[tuple[str, str], Connector] = {}
        self.calls: list[tuple[str, ...]] = []
        self.clusters = {"connect-eu"}
        self.plugin_list = [Plugin.model_validate({"class": CLASS, "cluster": "connect-eu", "type": "source"})]
        self.invalid: dict[str, list[str]] = {}
        self.passwords: frozenset[str] = frozenset()
        """Keys of Connect's type PASSWORD, whose values validate does not show."""
        self.hidden: frozenset[str] = frozenset()
        self.hides_config = False
        """All of it, as from a token without the right to read configurations."""
        self.shows: Callable[[dict[str, str]], dict[str, str]] = lambda config: config | {"name": "orders"}
        self.topics = ["orders"]
        self.refuses: Callable[[dict[str, str]], bool] = lambda _: False
        """Configurations that create refuses although validate passes them."""
        self.as_code = True
        """Whether it has the resource-as-code endpoint."""
        self.heeds_puts = True
        self.heeds_state = True
        """Whether a state change that is accepted happens."""
        self.turn = 0.0
        """Seconds that what destroys or creates waits for its turn."""
        self._faults: dict[str, list[tuple[errors.LensesError | None, bool]]] = defaultdict(list)
        self._always: dict[str, errors.LensesError] = {}

    def with_tokens(self, tokens: TokenSource) -> FakeLenses:
        """It knows no tokens: everybody sees the same."""
        return self

    def fail(self, operation: str, *faults: errors.LensesError | None, carried_out: bool = False) -> None:
        self._faults[operation] += [(fault, carried_out) for fault in faults]

    def always(self, operation: str, fault: errors.LensesError | None) -> None:
        if fault is None:
            self._always.pop(operation, None)
        else:
            self._always[operation] = fault

    def down(self, fault: errors.LensesError | None) -> None:
        """Not the list alone."""
        for operation in READS:
            self.always(operation, fault)

    def asked(self, *operations: str) -> list[tuple[str, ...]]:
        """Every call of these operations, or of all that change or validate something."""
        return [call for call in self.calls if (call[0] in operations if operations else call[0] not in READS)]

    async def _turn(self, operation: str, precondition: Precondition) -> None:
        """As behind many other requests."""
        if self.turn:
            await asyncio.sleep(self.turn)
        if not precondition():
            raise errors.PreconditionFailed(operation)

    async def _gate(self, operation: str, *what: str) -> errors.LensesError | None:
        """Raises what is not carried out; returns the error to raise after carrying out."""
        self.calls.append((operation, *what))
        await asyncio.sleep(0.001)
        if operation in self._always:
            raise self._always[operation]
        if not self._faults[operation]:
            return None
        fault, carried_out = self._faults[operation].pop(0)
        if fault is not None and not carried_out:
            raise fault
        return fault

    async def poll_connectors(
        self, environment: str, known: Listing | None = None, *, cluster: str | None = None
    ) -> Listing:
        found = tuple(await self.list_connectors(environment))
        digest = repr(found).encode()
        return known if known is not None and known.digest == digest else Listing(found, digest)

    async def list_connectors(self, environment: str) -> list[ConnectorListItem]:
        await self._gate("list_connectors", environment)
        return [
            ConnectorListItem(name=name, cluster=cluster, state=found.state, tasks=_listed(found))
            for (cluster, name), found in self.connectors.items()
        ]

    async def poll_connector(self, environment: str, cluster: str, name: str, known: bytes | None = None) -> Shown:
        await self._gate("get_connector", name)
        return shown(self._details(cluster, name), known)

    def _details(self, cluster: str, name: str) -> ConnectorDetails:
        found = self._find(cluster, name)
        return ConnectorDetails(
            name=name,
            cluster=cluster,
            state=found.state,
            tasks=_tasks(found),
            config=None if self.hides_config else self.shows(dict(found.config)),
            config_hidden=self.hides_config,
            hidden_keys=self.hidden,
            worker_id="w1:8083",
            version="4.3.1",
            type="source",
        )

    async def get_cluster_info(self, environment: str, cluster: str) -> ClusterInfo:
        await self._gate("get_cluster_info", cluster)
        if cluster not in self.clusters:
            raise errors.ConnectorOrClusterNotFound("get_cluster_info", detail="no such cluster")
        return ClusterInfo(name=cluster, version="4.3.1")

    async def get_topics(self, environment: str, cluster: str, name: str) -> list[str]:
        await self._gate("get_topics", name)
        return list(self.topics)

    async def list_plugins(self, environment: str, *, cluster: str | None = None) -> list[Plugin]:
        await self._gate("list_plugins", str(cluster))
        return list(self.plugin_list)

    async def validate(self, environment: str, request: ConnectorRequest) -> ValidationResult:
        await self._gate("validate", request.name)
        fields: list[dict[str, Any]] = [{"name": key, "errors": words} for key, words in self.invalid.items()]
        fields += [
            {"name": key, "value": "[hidden]" if key in self.passwords else value}
            for key, value in request.configuration.items()
            if key not in self.invalid
        ]
        return ValidationResult.model_validate({"class": CLASS, "configuration": fields})

    async def create_connector(
        self, environment: str, request: ConnectorRequest, *, precondition: Precondition
    ) -> None:
        await self._turn("create_connector", precondition)
        after = await self._gate("create_connector", request.name)
        key = (request.cluster, request.name)
        if key in self.connectors:
            raise errors.AlreadyExists("create_connector", detail=f"Connector {request.name} already exists")
        if self.refuses(dict(request.configuration)):
            raise errors.BadRequest("create_connector", detail="topic is bad")
        self.connectors[key] = Connector(dict(request.configuration))
        if after:
            raise after

    async def delete_connector(self, environment: str, cluster: str, name: str, *, precondition: Precondition) -> None:
        await self._turn("delete_connector", precondition)
        after = await self._gate("delete_connector", name)
        self._find(cluster, name)
        del self.connectors[cluster, name]
        if after:
            raise after

    async def set_state(
        self, environment: str, cluster: str, name: str, action: StateAction, *, precondition: Precondition
    ) -> None:
        await self._turn("set_state", precondition)
        after = await self._gate("set_state", name, action)
        found = self._find(cluster, name)
        if self.heeds_state:
            found.state = {"pause": "PAUSED", "stop": "STOPPED", "resume": "RUNNING", "restart": "RUNNING"}[action]
            found.tasks = [] if action == "stop" else [(found.state, None)]
        if after:
            raise after

    async def reset_offsets(self, environment: str, cluster: str, name: str, *, precondition: Precondition) -> str:
        await self._turn("reset_offsets", precondition)
        await self._gate("reset_offsets", name)
        found = self._find(cluster, name)
        if found.state != "STOPPED" or found.tasks:
            raise errors.BadRequest("reset_offsets", detail="the connector must be stopped")
        return "The offsets for this connector have been reset successfully"

    async def get_resource(self, environment: str, cluster: str, name: str) -> str:
        await self._gate("get_resource", name)
        if not self.as_code:
            raise errors.MissingAgentCapability("get_resource", status=404)
        self._find(cluster, name)
        return "kind: KafkaConnector"

    async def put_resource(self, environment: str, document: str, *, precondition: Precondition) -> None:
        await self._turn("put_resource", precondition)
        spec = json.loads(document)["spec"]
        after = await self._gate("put_resource", spec["name"], spec["state"])
        place = (spec["cluster"], spec["name"])
        if self.heeds_puts and place in self.connectors:
            self.connectors[place].config = spec["config"]
        elif self.heeds_puts:
            state = spec["state"]
            self.connectors[place] = Connector(spec["config"], state, [] if state == "STOPPED" else [(state, None)])
        if after:
            raise after

    def _find(self, cluster: str, name: str) -> Connector:
        if (cluster, name) not in self.connectors:
            raise errors.ConnectorOrClusterNotFound("get_connector", detail=f"Connector {name} not found")
        return self.connectors[cluster, name]


def shown(details: ConnectorDetails, known: bytes | None) -> Shown:
    digest = details.model_dump_json().encode()
    return Shown(None if digest == known else details, digest)


def _listed(found: Connector) -> tuple[ListedTask, ...]:
    return tuple(ListedTask(id=number, state=state) for number, (state, _) in enumerate(found.tasks))


def _tasks(found: Connector) -> tuple[Task, ...]:
    return tuple(
        Task(id=number, state=state, worker_id="w1:8083", trace=trace)
        for number, (state, trace) in enumerate(found.tasks)
    )


class FakeKube:
    """Our own kind on an API server: the controllers' StatusWriter, with a watch that is `latency` behind."""

    def __init__(self, log: list[tuple[str, ...]]) -> None:
        self.references: dict[tuple[str, RefName], RefData] = {}
        self.digest_key: bytes | None = None
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.statuses: list[ConnectorStatus] = []
        self.latency = 0.01
        self.on_seen: Callable[[dict[str, Any]], None] = lambda _: None
        self.on_gone: Callable[[dict[str, Any]], None] = lambda _: None
        self.before_write: Callable[[], None] = lambda: None
        self._log = log
        self._version = 100
        self._uid = 0

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
        gone = self.objects.pop((namespace, name))
        asyncio.get_running_loop().call_later(self.latency, self.on_gone, gone)

    def status(self, name: str = "orders", *, namespace: str = "payments") -> ConnectorStatus:
        return LensesConnector.read(self.objects[namespace, name]).status

    def there(self, name: str = "orders", *, namespace: str = "payments") -> bool:
        return (namespace, name) in self.objects

    def finalizers(self, name: str = "orders", *, namespace: str = "payments") -> list[str]:
        return list(self.objects[namespace, name]["metadata"]["finalizers"])

    async def read(self, namespace: str, ref: RefName) -> RefData | None:
        """A Secret or ConfigMap."""
        return self.references.get((namespace, ref))

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

    async def _write(
        self, resource: LensesConnector, change: Callable[[dict[str, Any]], object]
    ) -> LensesConnector | None:
        self.before_write()
        await asyncio.sleep(0.001)
        meta = resource.metadata
        if await self.current(resource) is None:
            return None
        self._edit(meta.namespace, meta.name)
        change(self.objects[meta.namespace, meta.name])
        self._changed(meta.namespace, meta.name)
        return LensesConnector.read(self.objects[meta.namespace, meta.name])

    def _meta(self, resource: LensesConnector) -> dict[str, Any]:
        return dict(self.objects[resource.metadata.namespace, resource.metadata.name]["metadata"])

    def _edit(self, namespace: str, name: str, **metadata: Any) -> None:
        known = self.objects[namespace, name]
        meta = {**known["metadata"], **metadata, "finalizers": list(known["metadata"]["finalizers"])}
        self.objects[namespace, name] = {**known, "metadata": meta}

    def _changed(self, namespace: str, name: str) -> None:
        self._version += 1
        self._edit(namespace, name, resourceVersion=str(self._version))
        asyncio.get_running_loop().call_later(self.latency, self.on_seen, self.objects[namespace, name])

    def _collect(self, namespace: str, name: str) -> None:
        known = self.objects.get((namespace, name))
        if known and known["metadata"].get("deletionTimestamp") and not known["metadata"]["finalizers"]:
            gone = self.objects.pop((namespace, name))
            asyncio.get_running_loop().call_later(self.latency, self.on_gone, gone)


@dataclass(frozen=True)
class Event:
    name: str
    reason: str
    message: str
    warning: bool


class Operator:
    """The core as `app` puts it together, without kopf, HTTP and Kubernetes."""

    def __init__(
        self, lenses: FakeLenses, kube: FakeKube, *, poll: float, drift: float, offsets: OffsetsWriter | None = None
    ) -> None:
        """`offsets`: the API server for the other kind, where a test has objects of it."""
        self.lenses = lenses
        self.kube = kube
        self.events: list[Event] = []
        self.passes: list[ObjectKey] = []
        self.errors: list[BaseException] = []
        self.policy = Policy()
        self.core = Core(
            cast("LensesClient", lenses),
            writer=kube,
            offsets_writer=cast("OffsetsWriter", offsets),
            references=kube,
            emit=self._emitted,
            policy=lambda: self.policy,
            clocks=Clocks(now, self.wall),
            poll_interval=poll,
            list_rate=10.0,
            drift_interval=drift,
            digest_key=lambda: kube.digest_key,
        )
        self.store, self.operations = self.core.store, self.core.operations
        self.queue, self.environments = self.core.queue, self.core.environments
        self.intake, self.offsets_intake = self.core.intake, self.core.offsets_intake
        kube.on_seen, kube.on_gone = self.intake.seen, self.intake.gone

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
        raise AssertionError("no objects of this kind")

    def _emit(self, resource: LensesConnector, reason: str, message: str, *, warning: bool = False) -> None:
        self.events.append(Event(resource.metadata.name, str(reason), message, warning))

    async def work(self, key: ObjectKey) -> None:
        self.passes.append(key)
        try:
            delay = await self.core.reconcile(key)
        except Exception as error:
            self.errors.append(error)
            raise
        if delay is not None:
            self.queue.add_after(key, delay)

    def reasons(self) -> list[str]:
        return [event.reason for event in self.events]

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
    def connector(self) -> Connector | None:
        return self.lenses.connectors.get(("connect-eu", "orders"))


@asynccontextmanager
async def operator(
    lenses: FakeLenses | None = None, kube: FakeKube | None = None, *, poll: float = 15.0, drift: float = 300.0
) -> AsyncIterator[Operator]:
    """Running. Given the former Lenses and API server it is the operator after a restart."""
    lenses = lenses or FakeLenses()
    rig = Operator(lenses, kube or FakeKube(lenses.calls), poll=poll, drift=drift)
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


def steps(calls: Sequence[tuple[str, ...]]) -> list[str]:
    """The calls that change something, in short."""
    return [" ".join(call) for call in calls if call[0] not in READS]
