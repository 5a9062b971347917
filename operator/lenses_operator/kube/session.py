"""What a command does in a cluster for a person: reads, watches, and writes under a field manager of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from kubernetes.aio.client.api_client import ApiClient

from lenses_operator.kube.access import Access, home_of
from lenses_operator.kube.connection import connect
from lenses_operator.kube.errors import KubeError
from lenses_operator.kube.json_depth import shallow
from lenses_operator.kube.rest import CORE, TIMEOUT, Rest, in_namespace
from lenses_operator.resources.base import GROUP, VERSION

if TYPE_CHECKING:
    from lenses_operator.kube.api import KubeApi

MANAGER = "kubectl-lenses"
"""The field manager of everything that is written here."""
MERGE_PATCH = "application/merge-patch+json"
PAGE = 500
WATCH_SECONDS = 240
"""After which the API server is asked to end a watch; the next one continues from there."""
RETRY = 1.0
"""Seconds between tries to continue a broken watch."""
GONE = 410
OURS = ("apis", GROUP, VERSION)


@dataclass(frozen=True)
class Change:
    """One event of a watch; `kind` as on the wire: ADDED, MODIFIED, DELETED."""

    kind: str
    body: dict[str, Any]


@asynccontextmanager
async def session(access: Access) -> AsyncIterator[Session]:
    """Raises KubeError where there is no way to the cluster."""
    client = await connect(access)
    try:
        yield Session(client, home_of(access))
    finally:
        await client.close()  # type: ignore[no-untyped-call]


class Session:
    """Raises KubeError. `home`: the namespace for what names none."""

    def __init__(self, client: ApiClient, home: str) -> None:
        self.home = home
        self._client = client
        self._rest = Rest(client)

    @property
    def api(self) -> KubeApi:
        """The operator's own calls, over the same connection."""
        from lenses_operator.kube.api import KubeApi

        return KubeApi(self._client)

    async def get(self, plural: str, namespace: str, name: str) -> dict[str, Any] | None:
        """None where there is no such object."""
        return await self._rest.find(f"get {plural} {namespace}/{name}", in_namespace(OURS, namespace, plural, name))

    async def list(self, plural: str, namespace: str | None, selector: str = "") -> list[dict[str, Any]]:
        """Of all namespaces where none is given."""
        found: list[dict[str, Any]] = []
        query = {"limit": str(PAGE), **({"labelSelector": selector} if selector else {})}
        while True:
            page = await self._rest.request(f"list {plural}", "GET", in_namespace(OURS, namespace, plural), query=query)
            found += page["items"]
            token = page["metadata"].get("continue")
            if not token:
                return found
            query["continue"] = token

    async def merge(self, plural: str, namespace: str, name: str, patch: Mapping[str, Any]) -> dict[str, Any]:
        """A merge patch; its metadata.uid keeps it from another object of the same name."""
        what, path = f"patch {plural} {namespace}/{name}", in_namespace(OURS, namespace, plural, name)
        return await self._rest.request(what, "PATCH", path, query=_MANAGED, body=patch, content_type=MERGE_PATCH)

    async def create(
        self, plural: str, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False
    ) -> dict[str, Any]:
        """`dry_run`: it is admitted or refused, and not kept."""
        what, path = f"create {plural} in {namespace}", in_namespace(OURS, namespace, plural)
        return await self._rest.request(what, "POST", path, query=_query(dry_run), body=body)

    async def create_values(self, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False) -> None:
        """A Secret or ConfigMap."""
        kind = body["kind"]
        path = in_namespace(CORE, namespace, f"{kind.lower()}s")
        what = f"create {kind} {namespace}/{body['metadata']['name']}"
        await self._rest.request(what, "POST", path, query=_query(dry_run), body=body)

    async def delete(self, plural: str, namespace: str, name: str) -> None:
        """Nothing happens where there is none."""
        try:
            await self._rest.request(
                f"delete {plural} {namespace}/{name}", "DELETE", in_namespace(OURS, namespace, plural, name)
            )
        except KubeError as error:
            if not error.not_found:
                raise

    async def follow(
        self, plural: str, namespace: str | None, selector: str = "", name: str | None = None
    ) -> AsyncIterator[Sequence[Change]]:
        """First all there are, then each change as it comes, until the caller stops.

        What vanished while no watch was open is reported as DELETED once that is seen. `name`: of one object alone.
        """
        query = {"labelSelector": selector, "fieldSelector": f"metadata.name={name}" if name is not None else ""}
        chosen = {key: value for key, value in query.items() if value}
        known: dict[str, dict[str, Any]] = {}
        first = True
        while True:
            try:
                async for changes in self._round(plural, in_namespace(OURS, namespace, plural), chosen, known):
                    first = False
                    yield changes
            except KubeError as error:
                if first or 400 <= error.status < 500:
                    raise
                await asyncio.sleep(RETRY)

    async def _round(
        self, plural: str, path: tuple[str, ...], query: Mapping[str, str], known: dict[str, dict[str, Any]]
    ) -> AsyncIterator[Sequence[Change]]:
        """One list and the watches that continue from it."""
        page = await self._rest.request(f"list {plural}", "GET", path, query=query)
        now, version = {body["metadata"]["uid"]: body for body in page["items"]}, page["metadata"]["resourceVersion"]
        gone = [Change("DELETED", body) for uid, body in known.items() if uid not in now]
        known.clear()
        known.update(now)
        yield [*gone, *(Change("ADDED", body) for body in now.values())]
        while True:
            async for change in self._watch(plural, path, query, version):
                if change.kind == "ERROR":
                    return
                version = change.body["metadata"]["resourceVersion"]
                if change.kind == "BOOKMARK":
                    continue
                uid = change.body["metadata"]["uid"]
                known.pop(uid, None) if change.kind == "DELETED" else known.update({uid: change.body})
                yield [change]

    async def _watch(
        self, plural: str, path: tuple[str, ...], query: Mapping[str, str], version: str
    ) -> AsyncIterator[Change]:
        """Ends with the watch; an event ERROR says that it cannot continue from this version."""
        options = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(WATCH_SECONDS)}
        what, timeout = f"watch {plural}", WATCH_SECONDS + TIMEOUT
        query = {**query, **options, "resourceVersion": version}
        async with self._rest.stream(what, path, query=query, timeout=timeout) as answer:
            if answer.status == GONE:
                yield Change("ERROR", {})
                return
            if answer.status >= 400:
                raise KubeError(what, answer.status, str(answer.reason or ""))
            async for line in _lines(answer.content):
                event = json.loads(shallow(line))
                yield Change(event["type"], event["object"])


_MANAGED = {"fieldManager": MANAGER}


def _query(dry_run: bool) -> dict[str, str]:
    return {**_MANAGED, "dryRun": "All"} if dry_run else _MANAGED


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """However long: an object may have more than a megabyte."""
    rest = b""
    async for chunk in content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield line
