"""JSON from the API server that is nested more deeply than Python's parser goes.

The API server takes ten thousand levels where a schema leaves a field open, and one such object would end the watch and
the list of all the others. What is too deep becomes null: the model refuses the object for its depth.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from ssl import SSLContext
from typing import Any, Self

from aiohttp import ClientMiddlewareType, ClientResponse, ClientSession, TCPConnector
from kubernetes.aio.client.api_client import ApiClient

from lenses_operator.lenses.user_agent import user_agent
from lenses_operator.resources.json_depth import is_deeper

WATCHES = "(watches)"
"""Ends their User-Agent, so that an audit log tells them from the operator's other requests."""
DEEPEST = 200
"""Levels that are kept: well below the parser's limit of about a thousand, and above what any object may have."""
_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def shallow(raw: bytes) -> bytes:
    """The same JSON, null in the place of whatever is nested more than DEEPEST levels."""
    if raw.count(b"{") + raw.count(b"[") <= DEEPEST:
        return raw
    kept: list[bytes] = []
    depth, begun = 0, 0
    for found in _STRUCTURE.finditer(raw):
        match found[0]:
            case b"{" | b"[":
                depth += 1
                if depth == DEEPEST + 1:
                    kept += (raw[begun : found.start()], b"null")
            case b"}" | b"]":
                if depth == DEEPEST + 1:
                    begun = found.end()
                depth -= 1
    return b"".join((*kept, raw[begun:])) if kept else raw


def loads(text: str) -> Any:
    """As json.loads, for any depth. Below the parser's limit there are still others: kopf copies what it gets."""
    try:
        found = json.loads(text)
    except RecursionError:
        pass
    else:
        if not is_deeper(found, DEEPEST):
            return found
    return json.loads(shallow(text.encode()))


class DeepClient(ApiClient):
    """The generated client, for any depth, and under our own name instead of its generator's."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.user_agent = user_agent()

    def deserialize(self, response_text: str, response_type: str, content_type: str | None) -> Any:
        """Raises ApiException as the client's own."""
        try:
            return super().deserialize(response_text, response_type, content_type)
        except RecursionError:
            return super().deserialize(shallow(response_text.encode()).decode(), response_type, content_type)


class _Lines:
    """A body whose lines are JSON, as a watch's are; everything but its chunks is the body's own."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Whole lines, each of them shallow."""
        rest = b""
        async for chunk in self._body.iter_chunked(size):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield shallow(line) + b"\n"
        if rest:
            yield shallow(rest)


class _DeepResponse(ClientResponse):
    async def start(self, connection: Any) -> Self:
        await super().start(connection)
        self.content = _Lines(self.content)  # type: ignore[assignment]
        return self

    async def json(
        self,
        *,
        encoding: str | None = None,
        loads: Callable[[str], Any] = loads,
        content_type: str | None = "application/json",
    ) -> Any:
        return await super().json(encoding=encoding, loads=loads, content_type=content_type)


def watching(
    context: SSLContext, headers: Mapping[str, str], proxy: str | None, middleware: ClientMiddlewareType
) -> ClientSession:
    """The session of the watches."""
    return ClientSession(
        connector=TCPConnector(limit=0, ssl=context),
        headers={**headers, "User-Agent": f"{user_agent()} {WATCHES}"},
        proxy=proxy,
        trust_env=False,
        response_class=_DeepResponse,
        middlewares=(middleware,),
    )
