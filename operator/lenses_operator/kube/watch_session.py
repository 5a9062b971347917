"""What the watches read of the API server: objects of any depth, and those alone that are not known as they are.

kopf takes most of a millisecond for an object. Many that it would be shown are known by then: most of its first list,
since our own is a step ahead of it, and the events of our own writes whose answers have been taken.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from ssl import SSLContext
from typing import Any, ClassVar, Self

from aiohttp import ClientMiddlewareType, ClientResponse, ClientSession, TCPConnector

from lenses_operator.kube.json_depth import loads, shallow
from lenses_operator.lenses.user_agent import user_agent

WATCHES = "(watches)"
"""Ends their User-Agent, so that an audit log tells them from the operator's other requests."""
SHOWS = (b'{"type":"MODIFIED"', b'{"type":"ADDED"')
"""How an event begins that shows an object as it is. One that is written otherwise goes to kopf, whatever it tells."""

IsNews = Callable[[Mapping[str, Any]], bool]
"""Whether an object is not held as it is. Asked from the thread of the watches: a look into a dict and no more."""


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
    news: ClassVar[Mapping[str, IsNews]]
    """For each plural; of others everything is news."""

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
        if isinstance(found, dict) and isinstance(items := found.get("items"), list):
            found["items"] = [body for body in items if self._is_news(body)]
        return found

    @property
    def _is_news(self) -> IsNews:
        return self.news.get(self.url.name, lambda _: True)


def watching(
    context: SSLContext,
    headers: Mapping[str, str],
    proxy: str | None,
    middleware: ClientMiddlewareType,
    news: Mapping[str, IsNews],
) -> ClientSession:
    """The session of the watches."""
    return ClientSession(
        connector=TCPConnector(limit=0, ssl=context),
        headers={**headers, "User-Agent": f"{user_agent()} {WATCHES}"},
        proxy=proxy,
        trust_env=False,
        response_class=type("WatchResponse", (_Response,), {"news": news}),
        middlewares=(middleware,),
    )
