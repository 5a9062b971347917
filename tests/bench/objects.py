"""Many LensesConnectors: made, changed and watched over the API server by the bench itself."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp

from harness.controlplane import ControlPlane

CLASS = "org.apache.kafka.connect.file.FileStreamSourceConnector"
KIND = "LensesConnector"
PATH = "/apis/connect.lenses.io/v1alpha1/namespaces/{namespace}/lensesconnectors"
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


@dataclass
class Seen:
    """What the bench's own watch has seen, by name: when Ready became True for the present generation; who is there."""

    ready: dict[str, float] = field(default_factory=dict)
    there: set[str] = field(default_factory=set)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, event: dict[str, Any]) -> None:
        found = event["object"]
        name = found["metadata"]["name"]
        if event["type"] == "DELETED":
            self.there.discard(name)
            self.ready.pop(name, None)
        else:
            self.there.add(name)
            if name not in self.ready and _ready(found):
                self.ready[name] = time.monotonic()
        async with self.changed:
            self.changed.notify_all()

    async def replace(self, found: Iterable[dict[str, Any]]) -> None:
        """By what there is: what was deleted meanwhile is not told of any more."""
        items = list(found)
        for name in self.there - {one["metadata"]["name"] for one in items}:
            await self.take({"type": "DELETED", "object": {"metadata": {"name": name}}})
        for one in items:
            await self.take({"type": "MODIFIED", "object": one})

    async def all_ready(self, names: Iterable[str], timeout: float) -> None:
        missing = set(names)

        def done() -> bool:
            missing.difference_update(self.ready)
            return not missing

        await self._until(done, timeout)

    async def none_left(self, timeout: float) -> None:
        await self._until(lambda: not self.there, timeout)

    async def _until(self, done: Any, timeout: float) -> None:
        async with asyncio.timeout(timeout), self.changed:
            await self.changed.wait_for(done)


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


def _ready(found: dict[str, Any]) -> bool:
    for condition in (found.get("status") or {}).get("conditions") or []:
        if condition["type"] == "Ready":
            current = condition.get("observedGeneration") == found["metadata"]["generation"]
            return bool(current and condition["status"] == "True")
    return False


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
        metadata = wanted["metadata"]
        path = f"{PATH.format(namespace=metadata['namespace'])}/{metadata['name']}"
        params = {"fieldManager": "bench", "force": "true"}
        headers = {"Content-Type": "application/apply-patch+yaml"}
        body = json.dumps(wanted)
        sent = time.monotonic()
        async with self._session.patch(self._url + path, data=body, params=params, headers=headers) as answer:
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
        metadata = one["metadata"]
        url = f"{self._url}{PATH.format(namespace=metadata['namespace'])}/{metadata['name']}{subresource}"
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
    async def watched(self, namespace: str) -> AsyncIterator[Seen]:
        """Everything in the namespace, from now on and as it is."""
        seen = Seen()
        async with asyncio.TaskGroup() as group:  # what ends the watch ends the measurement
            watching = group.create_task(self._watch(namespace, seen))
            yield seen
            watching.cancel()

    async def _watch(self, namespace: str, seen: Seen) -> None:
        url = self._url + PATH.format(namespace=namespace)
        while True:  # from the present state each time the API server ends it, as it does with whoever reads too slowly
            async with self._session.get(url) as answer:
                answer.raise_for_status()
                listed = await answer.json()
            await seen.replace(listed["items"])
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
                    await seen.take(event)
