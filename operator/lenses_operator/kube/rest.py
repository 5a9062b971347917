"""Requests to the Kubernetes API as plain mappings, over the connection of the `kubernetes` package.

Its connection has the credentials, the certificates and the time-outs. The calls and models that it generates for each
kind of object are not used: importing the few that are needed would be most of the time and memory of a start.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.exceptions import ApiException

from lenses_operator.kube.connection import last_look
from lenses_operator.kube.errors import KubeError

TIMEOUT = 30.0
"""Seconds for one request; a hung API server must not hold a worker for ever."""
JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
CORE = ("api", "v1")

Path = tuple[str, ...]
Body = Mapping[str, Any] | Sequence[Mapping[str, Any]]


def in_namespace(group: Path, namespace: str | None, *rest: str) -> Path:
    """The path of what `rest` names: in one namespace, or, where that is None, in the whole cluster."""
    return (*group, *(("namespaces", namespace) if namespace is not None else ()), *rest)


class Rest:
    """Raises KubeError, which begins with `what`, and nothing else.

    `at_once`: requests at a time, each on a connection of its own; the others wait, as part of their time-out. None:
    any number.
    """

    def __init__(self, client: ApiClient, at_once: int | None = None) -> None:
        self._client: Any = client  # its calls are not typed
        self._place: AbstractAsyncContextManager[object] = asyncio.Semaphore(at_once) if at_once else nullcontext()
        self.server_time: datetime | None = None
        """By the API server's own clock, as of its last answer."""

    async def request(
        self,
        what: str,
        method: str,
        path: Path,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Body | None = None,
        content_type: str = JSON,
        timeout: float = TIMEOUT,
        gate: Callable[[], None] = lambda: None,
    ) -> dict[str, Any]:
        """The answer, which is always an object.

        `gate` may refuse by not returning: it is called now, and once more as soon as there is a connection.
        """
        gate()
        async with _errors_of(what), asyncio.timeout(timeout), self._place, last_look(gate):
            answer = await self._send(method, path, query or {}, body, content_type, timeout)
            self.server_time = _time(answer.headers.get("Date"))
            await answer.read()
            found = self._client.response_deserialize(answer, {"2XX": "object"}).data
        if not isinstance(found, dict):
            raise KubeError(what, 0, "the answer is not a Kubernetes object")
        return found

    async def find(
        self, what: str, path: Path, *, query: Mapping[str, str | int] | None = None, timeout: float = TIMEOUT
    ) -> dict[str, Any] | None:
        """None where there is no such object, or no such kind."""
        try:
            return await self.request(what, "GET", path, query=query, timeout=timeout)
        except KubeError as error:
            if error.not_found:
                return None
            raise

    @asynccontextmanager
    async def stream(
        self, what: str, path: Path, *, query: Mapping[str, str | int], timeout: float
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a GET while it comes, whatever its status."""
        async with _errors_of(what):
            answer = (await self._send("GET", path, query, None, JSON, timeout, stream=True)).response
            try:
                yield answer
            finally:
                answer.close()

    async def _send(
        self,
        method: str,
        path: Path,
        query: Mapping[str, str | int],
        body: Body | None,
        content_type: str,
        timeout: float,
        *,
        stream: bool = False,
    ) -> Any:
        method, url, headers, *_ = await self._client.param_serialize(
            method,
            "/" + "/".join(quote(part, safe="") for part in path),
            query_params=list(query.items()),
            header_params={"Accept": JSON, "Content-Type": content_type},
            auth_settings=["BearerToken"],
        )
        return await self._client.call_api(
            method, url, headers, body, _request_timeout=timeout, _preload_content=not stream
        )


def _time(date: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(date or "")
    except ValueError:
        return None


@asynccontextmanager
async def _errors_of(what: str) -> AsyncIterator[None]:
    try:
        yield
    except ApiException as error:
        raise KubeError(what, error.status or 0, _reason(error)) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise KubeError(what, 0, f"{type(error).__name__} {error}".strip()) from error
    except ValueError as error:
        raise KubeError(what, 0, "the answer is not JSON") from error


def _reason(error: ApiException) -> str:
    try:
        return str(json.loads(error.body or "")["message"])
    except (TypeError, ValueError, KeyError):
        return str(error.reason or "")
