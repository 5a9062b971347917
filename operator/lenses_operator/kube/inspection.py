"""For inspection from outside: definitions, leases, and permissions. It reads, and asks for access reviews."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from kubernetes.aio.client.api_client import ApiClient

from lenses_operator.kube.access import Access
from lenses_operator.kube.api import LEASES, KubeApi, Page
from lenses_operator.kube.connection import connect
from lenses_operator.kube.errors import KubeError
from lenses_operator.kube.rest import TIMEOUT, Rest, in_namespace
from lenses_operator.resources.base import GROUP

PAGE = 25
T = TypeVar("T")
OnResponse = Callable[[str, int | str, float], None]
"""Called once per request with what was asked, the status and seconds."""


@asynccontextmanager
async def inspector(access: Access, on_response: OnResponse | None = None) -> AsyncIterator[Inspector]:
    """Raises KubeError where there is no access to a cluster."""
    client = await connect(access)
    try:
        yield Inspector(client, on_response)
    finally:
        await client.close()  # type: ignore[no-untyped-call]


class Inspector:
    """Raises KubeError."""

    def __init__(self, client: ApiClient, on_response: OnResponse | None = None) -> None:
        self._api = KubeApi(client)
        self._rest = Rest(client)
        self._on_response = on_response

    async def pages(self, plural: str, namespaces: Sequence[str], selector: str) -> AsyncIterator[Page]:
        """Small ones: this may run in the operator's own container, below its limit."""
        pages = self._api.pages(plural, namespaces, selector, size=PAGE)
        while (page := await self._timed(f"list {plural}", anext(pages, None))) is not None:
            yield page

    async def definition(self, plural: str) -> dict[str, Any] | None:
        """The kind's CustomResourceDefinition as on the wire; None where there is none."""
        what = f"get crd {plural}.{GROUP}"
        path = ("apis", "apiextensions.k8s.io", "v1", "customresourcedefinitions", f"{plural}.{GROUP}")
        return await self._timed(what, self._rest.find(what, path))

    async def lease(self, namespace: str, name: str) -> dict[str, Any] | None:
        return await self._timed(f"get lease {name}", self._api.get_lease(namespace, name, TIMEOUT))

    async def leases(self, namespace: str) -> list[dict[str, Any]]:
        """Of one namespace, or of all."""
        asked = self._rest.request("list leases", "GET", in_namespace(LEASES, namespace or None, "leases"))
        return list((await self._timed("list leases", asked))["items"])

    async def may(
        self,
        verb: str,
        resource: str,
        *,
        namespace: str,
        group: str,
        subresource: str,
        name: str = "",
        user: str = "",
        groups: Sequence[str] = (),
    ) -> bool:
        """Whether the user may, or, where none is given, this process' own account."""
        attributes = {"verb": verb, "resource": resource, "namespace": namespace, "group": group}
        spec: dict[str, Any] = {"resourceAttributes": attributes | {"subresource": subresource, "name": name}}
        kind = "SelfSubjectAccessReview"
        if user:
            spec |= {"user": user, "groups": list(groups)}
            kind = "SubjectAccessReview"
        what = f"may {verb} {resource}"
        path = ("apis", "authorization.k8s.io", "v1", f"{kind.lower()}s")
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
        answer = await self._timed(what, self._rest.request(what, "POST", path, body=body))
        return bool(answer["status"].get("allowed"))

    async def _timed(self, what: str, answer: Awaitable[T]) -> T:
        started = time.monotonic()
        outcome: int | str = "cancelled"
        try:
            found = await answer
            outcome = "ok"
        except KubeError as error:
            outcome = error.status or "no answer"
            raise
        finally:
            if self._on_response is not None:
                self._on_response(what, outcome, time.monotonic() - started)
        return found
