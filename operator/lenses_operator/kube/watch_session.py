"""What the watches read of the API server: objects of any depth, and those alone that are not known as they are.

kopf takes most of a millisecond for an object. Many that it would be shown are known by then: those of our own first
list, from whose version its watches go on, and the events of our own writes whose answers have been taken.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, ClassVar, Self

from aiohttp import (
    ClientHandlerType,
    ClientMiddlewareType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    TCPConnector,
)

from lenses_operator.kube.json_depth import loads, shallow
from lenses_operator.kube.list_versions import ListVersions, Place
from lenses_operator.lenses.user_agent import user_agent

WATCHES = "(watches)"
"""Ends their User-Agent, so that an audit log tells them from the operator's other requests."""
SHOWS = (b'{"type":"MODIFIED"', b'{"type":"ADDED"')
"""How an event begins that shows an object as it is. One that is written otherwise goes to kopf, whatever it tells."""

IsNews = Callable[[Mapping[str, Any]], bool]
"""Whether an object is not held as it is. Asked from the thread of the watches: a look into a dict and no more."""


@dataclass(frozen=True)
class Known:
    """What the watches need not show. `news`: for each plural; of others everything is news. `versions`: of the lists
    that need not be made once more."""

    news: Mapping[str, IsNews]
    versions: ListVersions


class _Lines:
    """A body whose lines are JSON, as a watch's are; everything but its chunks is the body's own."""

    def __init__(self, body: Any, is_news: IsNews) -> None:
        self._body = body
        self._is_news = is_news

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Whole lines, each of them shallow."""
        rest = b""
        async for chunk in self._body.iter_chunked(size):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield _event(shallow(line), self._is_news) + b"\n"
        if rest:
            yield shallow(rest)


def _event(line: bytes, is_news: IsNews) -> bytes:
    """A bookmark in its place where the object is known: kopf goes on from its version, and does nothing else."""
    if not line.startswith(SHOWS):
        return line
    body = json.loads(line)["object"]
    if is_news(body):
        return line
    version = body["metadata"]["resourceVersion"]
    return json.dumps({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": version}}}).encode()


class _Response(ClientResponse):
    known: ClassVar[Known]
    listed: str | None = None
    """The version of the list that it stands for, which has been made already."""

    async def start(self, connection: Any) -> Self:
        await super().start(connection)
        self.content = _Lines(self.content, self._is_news)  # type: ignore[assignment]
        return self

    async def json(
        self,
        *,
        encoding: str | None = None,
        loads: Callable[[str], Any] = loads,
        content_type: str | None = "application/json",
    ) -> Any:
        found = await super().json(encoding=encoding, loads=loads, content_type=content_type)
        if not isinstance(found, dict) or not isinstance(items := found.get("items"), list):
            return found
        if self.listed is not None:
            return {**found, "metadata": {"resourceVersion": self.listed}, "items": []}
        return {**found, "items": [body for body in items if self._is_news(body)]}

    @property
    def _is_news(self) -> IsNews:
        return self.known.news.get(self.url.name, lambda _: True)


def _place(request: ClientRequest) -> Place | None:
    """What the request begins a list of; None where it does something else."""
    url = request.url
    if request.method != "GET" or {"watch", "continue"} & url.query.keys():
        return None
    match url.parts:
        case (*_, "namespaces", namespace, plural):
            return Place(plural, namespace)
        case _:
            return Place(url.name, None)


def watching(
    context: SSLContext,
    headers: Mapping[str, str],
    proxy: str | None,
    middleware: ClientMiddlewareType,
    known: Known,
) -> ClientSession:
    """The session of the watches."""

    async def go_on(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """A list that has been made is asked for one object: that shows whether it may be made at all."""
        place = _place(request)
        version = None if place is None else known.versions.take(place)
        if version is not None:
            request.url = request.url.update_query(limit="1")
        response = await handler(request)
        if isinstance(response, _Response):
            response.listed = version
        return response

    return ClientSession(
        connector=TCPConnector(limit=0, ssl=context),
        headers={**headers, "User-Agent": f"{user_agent()} {WATCHES}"},
        proxy=proxy,
        trust_env=False,
        response_class=type("WatchResponse", (_Response,), {"known": known}),
        middlewares=(middleware, go_on),
    )
