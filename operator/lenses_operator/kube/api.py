"""The few Kubernetes calls the operator makes, over the asynchronous client of the `kubernetes` package."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from kubernetes.aio.client import ApiClient, CoordinationV1Api, CoreV1Api, CustomObjectsApi
from kubernetes.aio.client.exceptions import ApiException

from lenses_operator.kube.connection import connect
from lenses_operator.kube.errors import KubeError as KubeError
from lenses_operator.resources.base import GROUP, VERSION

PAGE = 500
TIMEOUT = 30.0
"""Seconds for one request; a hung API server must not hold a worker for ever."""
JSON_PATCH = "application/json-patch+json"

PatchOperation = Mapping[str, Any]


async def one_object(plural: str, namespace: str, name: str) -> dict[str, Any] | None:
    """For commands that need a single look; None where there is no such object."""
    client = await connect()
    try:
        return await KubeApi(client).get(plural, namespace, name)
    finally:
        await client.close()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def errors_of(what: str) -> AsyncIterator[None]:
    try:
        yield
    except ApiException as error:
        raise KubeError(what, error.status or 0, _reason(error)) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise KubeError(what, 0, f"{type(error).__name__} {error}".strip()) from error


def _reason(error: ApiException) -> str:
    try:
        return str(json.loads(error.body or "")["message"])
    except (TypeError, ValueError, KeyError):
        return str(error.reason or "")


class KubeApi:
    """Objects of our own kinds as plain mappings, Events and Leases. Raises KubeError.

    `gate` is called, and may refuse by not returning, before every write but those to the Lease.
    """

    def __init__(self, client: ApiClient, gate: Callable[[], None] = lambda: None) -> None:
        self._gate = gate
        # Typed as the generated client is not: bodies are plain mappings, and so are the answers.
        self._custom: Any = CustomObjectsApi(client)
        self._core: Any = CoreV1Api(client)
        self._leases: Any = CoordinationV1Api(client)

    async def get(self, plural: str, namespace: str, name: str) -> dict[str, Any] | None:
        """None where there is no such object."""
        try:
            async with errors_of(f"get {plural} {namespace}/{name}"):
                found: dict[str, Any] = await self._custom.get_namespaced_custom_object(
                    GROUP, VERSION, namespace, plural, name, _request_timeout=TIMEOUT
                )
                return found
        except KubeError as error:
            if error.not_found:
                return None
            raise

    async def list_all(self, plural: str, namespaces: Sequence[str], selector: str) -> list[dict[str, Any]]:
        """All that `pages` gives."""
        return [item async for page in self.pages(plural, namespaces, selector) for item in page]

    async def pages(
        self, plural: str, namespaces: Sequence[str], selector: str
    ) -> AsyncIterator[Sequence[dict[str, Any]]]:
        """Every object, page by page, of the given namespaces, or of all where none is given."""
        scopes: list[str | None] = [*namespaces] or [None]
        for namespace in scopes:
            token: str | None = None
            while True:
                async with errors_of(f"list {plural}"):
                    page = await self._page(plural, namespace, selector, token)
                yield page["items"]
                token = page["metadata"].get("continue")
                if not token:
                    break

    async def _page(self, plural: str, namespace: str | None, selector: str, token: str | None) -> dict[str, Any]:
        options: dict[str, Any] = {"limit": PAGE, "_request_timeout": TIMEOUT}
        if selector:
            options["label_selector"] = selector
        if token:
            options["_continue"] = token
        if namespace is None:
            page = await self._custom.list_cluster_custom_object(GROUP, VERSION, plural, **options)
        else:
            page = await self._custom.list_namespaced_custom_object(GROUP, VERSION, namespace, plural, **options)
        return dict(page)

    async def patch(
        self, plural: str, namespace: str, name: str, operations: Sequence[PatchOperation], *, status: bool = False
    ) -> dict[str, Any]:
        """A JSON patch: unlike a merge patch it keeps nulls inside lists, and `test` makes it conditional."""
        call = (
            self._custom.patch_namespaced_custom_object_status
            if status
            else self._custom.patch_namespaced_custom_object
        )
        self._gate()
        async with errors_of(f"patch {plural} {namespace}/{name}"):
            return dict(
                await call(
                    GROUP,
                    VERSION,
                    namespace,
                    plural,
                    name,
                    [dict(operation) for operation in operations],
                    _content_type=JSON_PATCH,
                    _request_timeout=TIMEOUT,
                )
            )

    async def get_reference(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        """A Secret or ConfigMap, its data as on the wire; None where there is none."""
        read = self._core.read_namespaced_secret if kind == "Secret" else self._core.read_namespaced_config_map
        try:
            async with errors_of(f"get {kind} {namespace}/{name}"):
                found = await read(name, namespace, _request_timeout=TIMEOUT)
        except KubeError as error:
            if error.not_found:
                return None
            raise
        return self._plain(found) | {"kind": kind}

    async def create_secret(self, namespace: str, body: Mapping[str, Any]) -> None:
        """The operator's own; nobody else's is ever written."""
        self._gate()
        async with errors_of(f"create Secret in {namespace}"):
            await self._core.create_namespaced_secret(namespace, dict(body), _request_timeout=TIMEOUT)

    async def patch_secret(self, namespace: str, name: str, operations: Sequence[PatchOperation]) -> None:
        self._gate()
        async with errors_of(f"patch Secret {namespace}/{name}"):
            await self._core.patch_namespaced_secret(
                name,
                namespace,
                [dict(operation) for operation in operations],
                _content_type=JSON_PATCH,
                _request_timeout=TIMEOUT,
            )

    async def create_event(self, namespace: str, body: Mapping[str, Any]) -> str:
        """The name of the new core/v1 Event."""
        self._gate()
        async with errors_of("create event"):
            created = await self._core.create_namespaced_event(namespace, dict(body), _request_timeout=TIMEOUT)
            return str(created.metadata.name)

    async def patch_event(self, namespace: str, name: str, operations: Sequence[PatchOperation]) -> None:
        self._gate()
        async with errors_of("patch event"):
            await self._core.patch_namespaced_event(
                name,
                namespace,
                [dict(operation) for operation in operations],
                _content_type=JSON_PATCH,
                _request_timeout=TIMEOUT,
            )

    async def get_lease(self, namespace: str, name: str, timeout: float) -> dict[str, Any] | None:
        try:
            async with errors_of("get lease"):
                lease = await self._leases.read_namespaced_lease(name, namespace, _request_timeout=timeout)
        except KubeError as error:
            if error.not_found:
                return None
            raise
        return self._plain(lease)

    async def create_lease(self, namespace: str, body: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        async with errors_of("create lease"):
            return self._plain(
                await self._leases.create_namespaced_lease(namespace, dict(body), _request_timeout=timeout)
            )

    async def replace_lease(self, namespace: str, name: str, body: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """Fails as outdated where somebody else wrote since: the body carries the resourceVersion that was read."""
        async with errors_of("update lease"):
            return self._plain(
                await self._leases.replace_namespaced_lease(name, namespace, dict(body), _request_timeout=timeout)
            )

    def _plain(self, model: Any) -> dict[str, Any]:
        plain = self._leases.api_client.sanitize_for_serialization(model)
        return dict(plain)
