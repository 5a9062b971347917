"""Many LensesConnectors: made, changed and watched over the API server by the bench itself."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp

from harness.controlplane import ControlPlane

CLASS = "org.apache.kafka.connect.file.FileStreamSourceConnector"
KIND = "LensesConnector"
OFFSETS = "LensesConnectorOffsets"
PATHS = {
    KIND: "/apis/connect.lenses.io/v1alpha1/namespaces/{namespace}/lensesconnectors",
    OFFSETS: "/apis/connect.lenses.io/v1alpha1/namespaces/{namespace}/lensesconnectoroffsets",
    "Secret": "/api/v1/namespaces/{namespace}/secrets",
}
FINALIZER = "connect.lenses.io/connector"
AT_A_TIME = 8
"""Requests of the bench under way, as with a few `kubectl apply` side by side."""


def manifest(
    namespace: str, environment: str, name: str, more: Mapping[str, Any] | None = None, **config: str
) -> dict[str, Any]:
    """A connector with some fifteen keys, as sinks in production have; `more` of its spec."""
    keys = {f"option.{number}": f"value of option {number} for {name}" for number in range(12)}
    config = {"file": f"/data/{name}.txt", "topic": f"topic-{name}", **keys, **config}
    return {
        "apiVersion": "connect.lenses.io/v1alpha1",
        "kind": KIND,
        "metadata": {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/part-of": "bench"}},
        "spec": {"environment": environment, "cluster": "connect", "class": CLASS, "config": config, **(more or {})},
    }


def secret(namespace: str, name: str, **data: str) -> dict[str, Any]:
    """One that the operator may watch."""
    metadata = {"name": name, "namespace": namespace, "labels": {"connect.lenses.io/watch": "true"}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}


def alteration(namespace: str, connector: str, partition: dict[str, Any], offset: dict[str, Any]) -> dict[str, Any]:
    """An offsets operation about a connector, of the same name."""
    return {
        "apiVersion": "connect.lenses.io/v1alpha1",
        "kind": OFFSETS,
        "metadata": {"name": connector, "namespace": namespace},
        "spec": {
            "connectorRef": {"name": connector},
            "action": "Alter",
            "offsets": [{"partition": partition, "offset": offset}],
        },
    }


@dataclass
class _Waiter:
    missing: set[str]
    done: Callable[[str], bool]
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def look(self, name: str) -> None:
        if name in self.missing and self.done(name):
            self.missing.discard(name)
            if not self.missing:
                self.over.set()


@dataclass
class Seen:
    """What the bench's own watch has seen, by name.

    `ready`: when Ready became True for the present generation; `reason`: Ready's, as long as it is about the present
    generation; `applied`: what status says of the last write; `there`: who is there.
    """

    ready: dict[str, float] = field(default_factory=dict)
    reason: dict[str, str] = field(default_factory=dict)
    applied: dict[str, Any] = field(default_factory=dict)
    there: set[str] = field(default_factory=set)
    _waiters: list[_Waiter] = field(default_factory=list)

    def take(self, event: dict[str, Any]) -> None:
        found = event["object"]
        name = found["metadata"]["name"]
        if event["type"] == "DELETED":
            self.there.discard(name)
            self.ready.pop(name, None)
            self.reason.pop(name, None)
        else:
            self.there.add(name)
            status, self.reason[name] = _ready(found)
            self.applied[name] = (found.get("status") or {}).get("appliedConfig")
            if status and name not in self.ready:
                self.ready[name] = time.monotonic()
        for waiter in self._waiters:
            waiter.look(name)

    def replace(self, found: Iterable[dict[str, Any]]) -> None:
        """By what there is: what was deleted meanwhile is not told of any more."""
        items = list(found)
        for name in self.there - {one["metadata"]["name"] for one in items}:
            self.take({"type": "DELETED", "object": {"metadata": {"name": name}}})
        for one in items:
            self.take({"type": "MODIFIED", "object": one})

    async def all_ready(self, names: Iterable[str], timeout: float) -> None:
        await self.until(names, lambda name: name in self.ready, timeout)

    async def none_left(self, timeout: float) -> None:
        await self.until(self.there, lambda name: name not in self.there, timeout)

    async def until(self, names: Iterable[str], done: Callable[[str], bool], timeout: float) -> None:
        """Until each of them has been seen to be so."""
        waiter = _Waiter({name for name in names if not done(name)}, done)
        if not waiter.missing:
            return
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter.over.wait()
        finally:
            self._waiters.remove(waiter)


def _status(ready: str, reason: str, ownership: str) -> dict[str, Any]:
    """Of the size that ours has."""
    at = "2026-01-02T03:04:05Z"
    condition = {"type": "Ready", "status": ready, "reason": reason, "message": "The connector and its task run."}
    return {
        "observedGeneration": 1,
        "conditions": [condition | {"observedGeneration": 1, "lastTransitionTime": at}],
        "ownership": {"state": ownership, "since": at},
        "state": "RUNNING",
        "tasks": [{"id": 0, "state": "RUNNING", "workerId": "127.0.0.1:8083"}],
        "tasksSummary": "1/1",
        "appliedConfig": {"hash": "0" * 64, "time": at},
    }


def _ready(found: dict[str, Any]) -> tuple[bool, str]:
    """Whether it is, and the reason; of an earlier generation neither counts."""
    for condition in (found.get("status") or {}).get("conditions") or []:
        if condition["type"] == "Ready" and condition.get("observedGeneration") == found["metadata"]["generation"]:
            return condition["status"] == "True", condition.get("reason", "")
    return False, ""


def _url(wanted: dict[str, Any], subresource: str = "") -> str:
    metadata = wanted["metadata"]
    return f"{PATHS[wanted['kind']].format(namespace=metadata['namespace'])}/{metadata['name']}{subresource}"


class Objects:
    """The API server as the bench sees it."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    @classmethod
    @asynccontextmanager
    async def connect(cls, plane: ControlPlane) -> AsyncIterator[Self]:
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=plane.ca), limit=AT_A_TIME + 2)
        headers = {"Authorization": f"Bearer {plane.token}"}
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
            yield cls(session, plane.url)

    async def apply(self, wanted: dict[str, Any]) -> float:
        """Server-side apply, as `kubectl apply --server-side` sends it; the monotonic time it was sent."""
        params = {"fieldManager": "bench", "force": "true"}
        headers = {"Content-Type": "application/apply-patch+yaml"}
        body = json.dumps(wanted)
        sent = time.monotonic()
        async with self._session.patch(self._url + _url(wanted), data=body, params=params, headers=headers) as answer:
            answer.raise_for_status()
        return sent

    async def apply_all(self, wanted: list[dict[str, Any]]) -> dict[str, float]:
        """By name, when each was sent."""
        waiting, sent = iter(wanted), {}

        async def worker() -> None:
            for one in waiting:
                sent[one["metadata"]["name"]] = await self.apply(one)

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_A_TIME):
                group.create_task(worker())
        return sent

    async def write_all(self, wanted: list[dict[str, Any]]) -> None:
        """Each applied, and then all that our operator writes about a new one: finalizer, claim, Event, status."""
        waiting = iter(wanted)

        async def worker() -> None:
            for one in waiting:
                await self.apply(one)
                await self._patch(one, {"metadata": {"finalizers": [FINALIZER]}})
                await self._patch(one, {"status": _status("Unknown", "Creating", "Claiming")}, "/status")
                await self._tell(one)
                await self._patch(one, {"status": _status("True", "Running", "Owned")}, "/status")

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_A_TIME):
                group.create_task(worker())

    async def _patch(self, one: dict[str, Any], change: dict[str, Any], subresource: str = "") -> None:
        url = self._url + _url(one, subresource)
        headers = {"Content-Type": "application/merge-patch+json"}
        async with self._session.patch(url, data=json.dumps(change), headers=headers) as answer:
            answer.raise_for_status()

    async def _tell(self, one: dict[str, Any]) -> None:
        namespace, name = one["metadata"]["namespace"], one["metadata"]["name"]
        about = {"apiVersion": one["apiVersion"], "kind": KIND, "namespace": namespace, "name": name}
        body = {"metadata": {"generateName": name}, "involvedObject": about, "reason": "Created", "type": "Normal"}
        async with self._session.post(f"{self._url}/api/v1/namespaces/{namespace}/events", json=body) as answer:
            answer.raise_for_status()

    async def create_namespace(self, name: str) -> None:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        async with self._session.post(f"{self._url}/api/v1/namespaces", json=body) as answer:
            answer.raise_for_status()

    async def delete_namespace(self, name: str) -> None:
        async with self._session.delete(f"{self._url}/api/v1/namespaces/{name}") as answer:
            answer.raise_for_status()

    @asynccontextmanager
    async def watched(self, namespace: str, kind: str = KIND) -> AsyncIterator[Seen]:
        """Everything of the kind in the namespace, from now on and as it is."""
        seen = Seen()
        async with asyncio.TaskGroup() as group:  # what ends the watch ends the measurement
            watching = group.create_task(self._watch(PATHS[kind].format(namespace=namespace), seen))
            yield seen
            watching.cancel()

    async def _watch(self, path: str, seen: Seen) -> None:
        url = self._url + path
        while True:  # from the present state each time the API server ends it, as it does with whoever reads too slowly
            async with self._session.get(url) as answer:
                answer.raise_for_status()
                listed = await answer.json()
            seen.replace(listed["items"])
            with suppress(aiohttp.ClientError):
                await self._follow(url, listed["metadata"]["resourceVersion"], seen)

    async def _follow(self, url: str, version: str, seen: Seen) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_read=None)
        params = {"watch": "1", "resourceVersion": version}
        async with self._session.get(url, params=params, timeout=timeout) as answer:
            rest = b""
            async for part in answer.content.iter_any():
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        return
                    seen.take(event)
