"""What a command does in a cluster for a person: reads, watches, and writes under a field manager of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from kubernetes.aio import config as kube_config
from kubernetes.aio.client import ApiClient, CoreV1Api, CustomObjectsApi
from kubernetes.aio.config import ConfigException
from yaml import YAMLError

from lenses_operator.kube.access import Access
from lenses_operator.kube.api import TIMEOUT, KubeApi, KubeError, errors_of
from lenses_operator.kube.connection import connect
from lenses_operator.kube.inspection import in_pod, own_namespace
from lenses_operator.kube.json_depth import shallow
from lenses_operator.resources.base import GROUP, VERSION

MANAGER = "kubectl-lenses"
"""The field manager of everything that is written here."""
MERGE_PATCH = "application/merge-patch+json"
WATCH_SECONDS = 240
"""After which the API server is asked to end a watch; the next one goes on from there."""
GONE = 410
RETRY = 1.0
"""Seconds between tries to go on where a watch broke."""


@dataclass(frozen=True)
class Change:
    """One event of a watch; `kind` as on the wire: ADDED, MODIFIED, DELETED."""

    kind: str
    body: dict[str, Any]


@asynccontextmanager
async def session(access: Access) -> AsyncIterator[Session]:
    """Raises KubeError where there is no way to the cluster."""
    file = str(access.kubeconfig) if access.kubeconfig else None
    client = await connect(file, access.context)
    try:
        yield Session(client, access.namespace or _home(file, access.context))
    finally:
        await client.close()  # type: ignore[no-untyped-call]


class Session:
    """Raises KubeError."""

    def __init__(self, client: ApiClient, home: str) -> None:
        self.api = KubeApi(client)
        self._home = home
        self._custom: Any = CustomObjectsApi(client)
        self._core: Any = CoreV1Api(client)

    @property
    def home(self) -> str:
        """The namespace for what names none."""
        return self._home

    async def get(self, plural: str, namespace: str, name: str) -> dict[str, Any] | None:
        """None where there is no such object."""
        return await self.api.get(plural, namespace, name)

    async def list(self, plural: str, namespace: str | None, selector: str = "") -> list[dict[str, Any]]:
        """Of all namespaces where none is given."""
        return await self.api.list_all(plural, [namespace] if namespace else [], selector)

    async def merge(self, plural: str, namespace: str, name: str, patch: Mapping[str, Any]) -> dict[str, Any]:
        """A merge patch; its metadata.uid keeps it from another object of the same name."""
        call = self._custom.patch_namespaced_custom_object
        async with errors_of(f"patch {plural} {namespace}/{name}"):
            options = {"_content_type": MERGE_PATCH, "field_manager": MANAGER, "_request_timeout": TIMEOUT}
            return dict(await call(GROUP, VERSION, namespace, plural, name, dict(patch), **options))

    async def create(self, plural: str, namespace: str, body: Mapping[str, Any]) -> dict[str, Any]:
        call = self._custom.create_namespaced_custom_object
        async with errors_of(f"create {plural} in {namespace}"):
            options = {"field_manager": MANAGER, "_request_timeout": TIMEOUT}
            return dict(await call(GROUP, VERSION, namespace, plural, dict(body), **options))

    async def create_values(self, namespace: str, body: Mapping[str, Any]) -> None:
        """A Secret or ConfigMap."""
        kind = body["kind"]
        call = self._core.create_namespaced_secret if kind == "Secret" else self._core.create_namespaced_config_map
        async with errors_of(f"create {kind} {namespace}/{body['metadata']['name']}"):
            await call(namespace, dict(body), field_manager=MANAGER, _request_timeout=TIMEOUT)

    async def delete(self, plural: str, namespace: str, name: str) -> None:
        """Nothing happens where there is none."""
        call = self._custom.delete_namespaced_custom_object
        try:
            async with errors_of(f"delete {plural} {namespace}/{name}"):
                await call(GROUP, VERSION, namespace, plural, name, _request_timeout=TIMEOUT)
        except KubeError as error:
            if not error.not_found:
                raise

    async def follow(
        self, plural: str, namespace: str | None, selector: str = "", name: str | None = None
    ) -> AsyncIterator[Sequence[Change]]:
        """First all there are, then each change as it comes, until the caller stops.

        What vanished while no watch was open is told as DELETED as soon as that is seen. `name`: of one object alone.
        """
        known: dict[str, dict[str, Any]] = {}
        first = True
        while True:
            try:
                async for changes in self._round(plural, namespace, selector, name, known):
                    first = False
                    yield changes
            except KubeError as error:
                if first or 400 <= error.status < 500:
                    raise
                await asyncio.sleep(RETRY)

    async def _round(
        self, plural: str, namespace: str | None, selector: str, name: str | None, known: dict[str, dict[str, Any]]
    ) -> AsyncIterator[Sequence[Change]]:
        """One list and the watches that go on from it."""
        now, version = await self._listed(plural, namespace, selector, name)
        gone = [Change("DELETED", body) for uid, body in known.items() if uid not in now]
        known.clear()
        known.update(now)
        yield [*gone, *(Change("ADDED", body) for body in now.values())]
        while True:
            async for change in self._watch(plural, namespace, selector, name, version):
                if change.kind == "ERROR":
                    return
                version = change.body["metadata"]["resourceVersion"]
                if change.kind == "BOOKMARK":
                    continue
                uid = change.body["metadata"]["uid"]
                known.pop(uid, None) if change.kind == "DELETED" else known.update({uid: change.body})
                yield [change]

    async def _listed(
        self, plural: str, namespace: str | None, selector: str, name: str | None
    ) -> tuple[dict[str, dict[str, Any]], str]:
        async with errors_of(f"list {plural}"):
            page = await self._call(plural, namespace, selector, name, _request_timeout=TIMEOUT)
        return {body["metadata"]["uid"]: body for body in page["items"]}, page["metadata"]["resourceVersion"]

    async def _watch(
        self, plural: str, namespace: str | None, selector: str, name: str | None, version: str
    ) -> AsyncIterator[Change]:
        """Ends with the watch; an event ERROR says that it cannot go on from this version."""
        options: dict[str, Any] = {
            "watch": True,
            "allow_watch_bookmarks": True,
            "resource_version": version,
            "timeout_seconds": WATCH_SECONDS,
            "_request_timeout": WATCH_SECONDS + TIMEOUT,
        }
        async with errors_of(f"watch {plural}"):
            response = await self._call(plural, namespace, selector, name, raw=True, **options)
            try:
                if response.status == GONE:
                    yield Change("ERROR", {})
                    return
                if response.status >= 400:
                    raise KubeError(f"watch {plural}", response.status, str(response.reason or ""))
                async for line in _lines(response.content):
                    event = json.loads(shallow(line))
                    yield Change(event["type"], event["object"])
            finally:
                response.close()

    async def _call(
        self, plural: str, namespace: str | None, selector: str, name: str | None, *, raw: bool = False, **options: Any
    ) -> Any:
        if selector:
            options["label_selector"] = selector
        if name is not None:
            options["field_selector"] = f"metadata.name={name}"
        suffix = "_without_preload_content" if raw else ""
        if namespace is None:
            call = getattr(self._custom, f"list_cluster_custom_object{suffix}")
            return await call(GROUP, VERSION, plural, **options)
        call = getattr(self._custom, f"list_namespaced_custom_object{suffix}")
        return await call(GROUP, VERSION, namespace, plural, **options)


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """However long: an object may have more than a megabyte."""
    rest = b""
    async for chunk in content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield line


def _home(file: str | None, context: str | None) -> str:
    """As the context says, or the pod's own. Raises KubeError for a kubeconfig that cannot be read."""
    if in_pod() and not (file or context):
        return own_namespace()
    try:
        contexts, current = kube_config.list_kube_config_contexts(file)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError, ValueError, YAMLError) as error:
        raise KubeError("Kubernetes access", 0, " ".join(str(error).split())) from error
    chosen = next((one for one in contexts if one["name"] == context), None) if context else current
    return str(((chosen or {}).get("context") or {}).get("namespace") or "default")
