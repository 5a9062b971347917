"""The few Kubernetes calls the operator makes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubernetes.aio.client.api_client import ApiClient

from lenses_operator.kube.connection import connect
from lenses_operator.kube.errors import KubeError as KubeError
from lenses_operator.kube.list_versions import Place
from lenses_operator.kube.rest import CORE, JSON_PATCH, Rest, in_namespace
from lenses_operator.resources.base import GROUP, VERSION

PAGE = 200
"""Objects of a list at a time. A page is read in one go: 500 held the event loop for some 30 ms, and are megabytes."""
AT_ONCE = 16
"""Requests at a time, besides those for the Lease, which must not wait for them as they would for a place in the
client's pool. Each has a connection of its own, and that a buffer of 128 KiB."""
OURS = ("apis", GROUP, VERSION)
LEASES = ("apis", "coordination.k8s.io", "v1")

PatchOperation = Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """Some of a list's objects. `version`: of the whole list, the same on each page; empty where it has none."""

    place: Place
    bodies: Sequence[dict[str, Any]]
    version: str


async def one_object(plural: str, namespace: str, name: str) -> dict[str, Any] | None:
    """For commands that need a single look; None where there is no such object."""
    client = await connect()
    try:
        return await KubeApi(client).get(plural, namespace, name)
    finally:
        await client.close()  # type: ignore[no-untyped-call]


class KubeApi:
    """Objects of our own kinds as plain mappings, Events and Leases. Raises KubeError.

    `gate` is called, and may refuse by not returning, before every write but those to the Lease: at once, and again
    when there is a connection, for which it may have waited.
    """

    def __init__(self, client: ApiClient, gate: Callable[[], None] = lambda: None) -> None:
        self._gate = gate
        self._rest = Rest(client, AT_ONCE)
        self._leases = Rest(client)  # waits for nobody

    async def get(self, plural: str, namespace: str, name: str) -> dict[str, Any] | None:
        """None where there is no such object."""
        return await self._rest.find(f"get {plural} {namespace}/{name}", in_namespace(OURS, namespace, plural, name))

    async def serves(self, plural: str, namespaces: Sequence[str]) -> bool:
        """Whether there is this kind: asked by a list, for which the operator has the rights anyway."""
        path = in_namespace(OURS, namespaces[0] if namespaces else None, plural)
        return await self._rest.find(f"list {plural}", path, query={"limit": "1"}) is not None

    async def pages(
        self, plural: str, namespaces: Sequence[str], selector: str, *, size: int = PAGE
    ) -> AsyncGenerator[Page, None]:
        """Every object, page by page, of the given namespaces, or of all where none is given."""
        scopes: list[str | None] = [*namespaces] or [None]
        for namespace in scopes:
            token: str | None = None
            while True:
                query = {"limit": str(size), "labelSelector": selector, "continue": token}
                page = await self._rest.request(
                    f"list {plural}",
                    "GET",
                    in_namespace(OURS, namespace, plural),
                    query={key: value for key, value in query.items() if value},
                )
                metadata = page["metadata"]
                yield Page(Place(plural, namespace), page["items"], metadata.get("resourceVersion", ""))
                token = metadata.get("continue")
                if not token:
                    break

    async def patch(
        self, plural: str, namespace: str, name: str, operations: Sequence[PatchOperation], *, status: bool = False
    ) -> dict[str, Any]:
        """A JSON patch: unlike a merge patch it keeps nulls inside lists, and `test` makes it conditional."""
        path = in_namespace(OURS, namespace, plural, name, *(["status"] if status else []))
        return await self._rest.request(
            f"patch {plural} {namespace}/{name}",
            "PATCH",
            path,
            body=_plain(operations),
            content_type=JSON_PATCH,
            gate=self._gate,
        )

    async def get_reference(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        """A Secret or ConfigMap, its data as on the wire; None where there is none."""
        plural = "secrets" if kind == "Secret" else "configmaps"
        found = await self._rest.find(f"get {kind} {namespace}/{name}", in_namespace(CORE, namespace, plural, name))
        return None if found is None else found | {"kind": kind}

    async def create_secret(self, namespace: str, body: Mapping[str, Any]) -> None:
        """The operator's own; no other is ever written."""
        path = in_namespace(CORE, namespace, "secrets")
        await self._rest.request(f"create Secret in {namespace}", "POST", path, body=body, gate=self._gate)

    async def patch_secret(self, namespace: str, name: str, operations: Sequence[PatchOperation]) -> None:
        path = in_namespace(CORE, namespace, "secrets", name)
        await self._rest.request(
            f"patch Secret {namespace}/{name}",
            "PATCH",
            path,
            body=_plain(operations),
            content_type=JSON_PATCH,
            gate=self._gate,
        )

    async def create_event(self, namespace: str, body: Mapping[str, Any]) -> str:
        """The name of the new core/v1 Event."""
        path = in_namespace(CORE, namespace, "events")
        created = await self._rest.request("create event", "POST", path, body=body, gate=self._gate)
        return str(created["metadata"]["name"])

    async def patch_event(self, namespace: str, name: str, operations: Sequence[PatchOperation]) -> None:
        path = in_namespace(CORE, namespace, "events", name)
        await self._rest.request(
            "patch event", "PATCH", path, body=_plain(operations), content_type=JSON_PATCH, gate=self._gate
        )

    @property
    def server_time(self) -> datetime | None:
        """By the API server's own clock, as of its last answer about a Lease."""
        return self._leases.server_time

    async def get_lease(self, namespace: str, name: str, timeout: float) -> dict[str, Any] | None:
        return await self._leases.find("get lease", in_namespace(LEASES, namespace, "leases", name), timeout=timeout)

    async def create_lease(self, namespace: str, body: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        path = in_namespace(LEASES, namespace, "leases")
        return await self._leases.request("create lease", "POST", path, body=body, timeout=timeout)

    async def replace_lease(self, namespace: str, name: str, body: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """Fails as outdated where it was written since: the body carries the resourceVersion that was read."""
        path = in_namespace(LEASES, namespace, "leases", name)
        return await self._leases.request("update lease", "PUT", path, body=body, timeout=timeout)


def _plain(operations: Sequence[PatchOperation]) -> list[dict[str, Any]]:
    return [dict(operation) for operation in operations]
