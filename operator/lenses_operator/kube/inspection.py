"""For a look from outside: definitions, leases, and who may do what. It reads, and asks for access reviews."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from kubernetes.aio.client import ApiClient, ApiextensionsV1Api, AuthorizationV1Api, CoordinationV1Api

from lenses_operator.kube.api import TIMEOUT, KubeApi, KubeError, errors_of
from lenses_operator.kube.connection import connect
from lenses_operator.resources.base import GROUP

T = TypeVar("T")
OnResponse = Callable[[str, int | str, float], None]
"""Called once per request with what was asked, the status and seconds."""


@asynccontextmanager
async def inspector(on_response: OnResponse | None = None) -> AsyncIterator[Inspector]:
    """Raises KubeError where there is no access to a cluster."""
    client = await connect()
    try:
        yield Inspector(client, on_response)
    finally:
        await client.close()  # type: ignore[no-untyped-call]


class Inspector:
    """Raises KubeError."""

    def __init__(self, client: ApiClient, on_response: OnResponse | None = None) -> None:
        self._api = KubeApi(client)
        self._definitions: Any = ApiextensionsV1Api(client)
        self._reviews: Any = AuthorizationV1Api(client)
        self._leases: Any = CoordinationV1Api(client)
        self._client: Any = client
        self._on_response = on_response

    async def list_all(self, plural: str, namespaces: Sequence[str], selector: str) -> list[dict[str, Any]]:
        return await self._timed(f"list {plural}", self._api.list_all(plural, namespaces, selector))

    async def definition(self, plural: str) -> dict[str, Any] | None:
        """The kind's CustomResourceDefinition as on the wire; None where there is none."""
        name = f"{plural}.{GROUP}"
        read = self._definitions.read_custom_resource_definition
        try:
            return await self._ask(f"get crd {name}", read(name, _request_timeout=TIMEOUT))
        except KubeError as error:
            if error.not_found:
                return None
            raise

    async def lease(self, namespace: str, name: str) -> dict[str, Any] | None:
        return await self._timed(f"get lease {name}", self._api.get_lease(namespace, name, TIMEOUT))

    async def leases(self, namespace: str) -> list[dict[str, Any]]:
        """Of one namespace, or of all."""
        if namespace:
            answer = self._leases.list_namespaced_lease(namespace, _request_timeout=TIMEOUT)
        else:
            answer = self._leases.list_lease_for_all_namespaces(_request_timeout=TIMEOUT)
        return list((await self._ask("list leases", answer))["items"])

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
        body = {"apiVersion": "authorization.k8s.io/v1", "spec": spec}
        if user:
            spec |= {"user": user, "groups": list(groups)}
            made = self._reviews.create_subject_access_review
            body["kind"] = "SubjectAccessReview"
        else:
            made = self._reviews.create_self_subject_access_review
            body["kind"] = "SelfSubjectAccessReview"
        answer = await self._ask(f"may {verb} {resource}", made(body, _request_timeout=TIMEOUT))
        return bool(answer["status"].get("allowed"))

    async def _ask(self, what: str, answer: Awaitable[Any]) -> dict[str, Any]:
        async def plain() -> dict[str, Any]:
            async with errors_of(what):
                return dict(self._client.sanitize_for_serialization(await answer))

        return await self._timed(what, plain())

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
