"""The few calls of KubeApi, in memory."""

# ruff: noqa: ARG002 - the signatures are the API's

from __future__ import annotations

import asyncio
import copy
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from lenses_operator.kube.api import KubeApi, KubeError, Page
from lenses_operator.kube.list_versions import Place

OUTDATED = KubeError("patch", 422, "the server rejected our request")
REFUSED = KubeError("create event", 403, "namespace is terminating")
GONE = KubeError("patch", 404, "not found")
EXISTS = KubeError("create Secret", 409, "exists already")
SILENT = KubeError("get lease", 0, "no answer")


class FakeApi:
    """Objects by (namespace, name), one Lease, every Event. `fail` queues errors for a call, None for a good one."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.patches: list[tuple[list[dict[str, Any]], bool]] = []
        self.secrets: dict[tuple[str, str], dict[str, Any]] = {}
        self.events: dict[str, dict[str, Any]] = {}
        self.event_calls: list[str] = []
        self.lease: dict[str, Any] | None = None
        self.lease_calls: list[str] = []
        self.before_patch: Callable[[], None] = lambda: None
        self.page = 1
        self._faults: dict[str, list[KubeError | None]] = defaultdict(list)
        self._always: dict[str, KubeError] = {}
        self._lost: set[str] = set()
        self.slept: list[float] = []
        self.server_time: datetime | None = None
        self._version = 100

    def fail(self, call: str, *faults: KubeError | None) -> None:
        self._faults[call] += faults

    def lose_answer(self, call: str) -> None:
        """It is carried out once more, but no answer comes."""
        self._lost.add(call)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def always(self, call: str, fault: KubeError | None) -> None:
        if fault is None:
            self._always.pop(call, None)
        else:
            self._always[call] = fault

    def as_api(self) -> KubeApi:
        return cast("KubeApi", self)

    def hold(self, body: dict[str, Any]) -> None:
        self.objects[body["metadata"]["namespace"], body["metadata"]["name"]] = body

    async def _gate(self, call: str) -> None:
        await asyncio.sleep(0)
        if call in self._always:
            raise self._always[call]
        fault = self._faults[call].pop(0) if self._faults[call] else None
        if fault is not None:
            raise fault

    async def get(self, plural: str, namespace: str, name: str) -> dict[str, Any] | None:
        assert plural == "lensesconnectors"
        await self._gate("get")
        return copy.deepcopy(self.objects.get((namespace, name)))

    async def pages(self, plural: str, namespaces: Sequence[str], selector: str) -> AsyncGenerator[Page, None]:
        """`page` objects at a time."""
        assert (list(namespaces), selector) == (["payments"], "team=a")
        if plural == "lensesconnectors":
            await self._gate("list")
            bodies = [copy.deepcopy(body) for body in self.objects.values() if not body.get("unlisted")]
            for first in range(0, len(bodies), self.page):
                yield Page(Place(plural, namespaces[0]), bodies[first : first + self.page], str(self._version))

    async def patch(
        self, plural: str, namespace: str, name: str, operations: Sequence[Mapping[str, Any]], *, status: bool = False
    ) -> dict[str, Any]:
        assert plural == "lensesconnectors"
        self.before_patch()
        self.patches.append(([dict(operation) for operation in operations], status))
        await self._gate("patch")
        body = self.objects.get((namespace, name))
        if body is None:
            raise GONE
        body = copy.deepcopy(body)
        for operation in operations:
            *path, last = operation["path"].strip("/").split("/")
            at = body
            for part in path:
                at = at[part]
            if operation["op"] == "test":
                if at.get(last) != operation["value"]:
                    raise OUTDATED
            else:
                assert operation["op"] == "add"
                at[last] = operation["value"]
        self._version += 1
        body["metadata"]["resourceVersion"] = str(self._version)
        self.objects[namespace, name] = body
        return copy.deepcopy(body)

    async def get_reference(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        assert kind == "Secret"
        await self._gate("get secret")
        return copy.deepcopy(self.secrets.get((namespace, name)))

    async def create_secret(self, namespace: str, body: Mapping[str, Any]) -> None:
        await self._gate("create secret")
        place = (namespace, body["metadata"]["name"])
        if place in self.secrets:
            raise EXISTS
        self.secrets[place] = {**body, "metadata": {**body["metadata"], "resourceVersion": "1"}}
        if "create secret" in self._lost:
            self._lost.remove("create secret")
            raise SILENT

    async def patch_secret(self, namespace: str, name: str, operations: Sequence[Mapping[str, Any]]) -> None:
        await self._gate("patch secret")
        found, (test, add) = self.secrets[namespace, name], operations
        if found["metadata"]["resourceVersion"] != test["value"]:
            raise OUTDATED
        assert (test["op"], add["op"], add["path"]) == ("test", "add", "/data")
        renewed = {**found["metadata"], "resourceVersion": found["metadata"]["resourceVersion"] + "1"}
        self.secrets[namespace, name] = {**found, "data": add["value"], "metadata": renewed}

    async def create_event(self, namespace: str, body: Mapping[str, Any]) -> str:
        self.event_calls.append("create")
        await self._gate("create_event")
        assert body["metadata"]["namespace"] == namespace
        name = str(body["metadata"]["name"])
        if name in self.events:
            raise KubeError("create event", 409, "exists")
        self.events[name] = copy.deepcopy(dict(body))
        if "create_event" in self._lost:
            self._lost.discard("create_event")
            raise KubeError("create event", 0, "no answer")
        return name

    async def patch_event(self, namespace: str, name: str, operations: Sequence[Mapping[str, Any]]) -> None:
        self.event_calls.append("patch")
        await self._gate("patch_event")
        for operation in operations:
            self.events[name][operation["path"].strip("/")] = operation["value"]

    async def get_lease(self, namespace: str, name: str, timeout: float) -> dict[str, Any] | None:
        self.lease_calls.append("get")
        assert (namespace, name) == ("ops", "lenses-operator")
        await self._gate("get_lease")
        return copy.deepcopy(self.lease)

    async def create_lease(self, namespace: str, body: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        self.lease_calls.append("create")
        await self._gate("create_lease")
        if self.lease is not None:
            raise KubeError("create lease", 409, "exists")
        return self._cache(body)

    async def replace_lease(self, namespace: str, name: str, body: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        self.lease_calls.append("replace")
        await self._gate("replace_lease")
        assert self.lease is not None
        if body["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
            raise KubeError("update lease", 409, "outdated")
        return self._cache(body)

    def _cache(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self._version += 1
        self.lease = copy.deepcopy(dict(body))
        self.lease["metadata"]["resourceVersion"] = str(self._version)
        return copy.deepcopy(self.lease)
