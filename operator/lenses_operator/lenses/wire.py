"""A request as it is to be written, and what writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import httpx


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`url` is percent-encoded. Of `timeout` count `connect`, and `read` between two parts of the answer.

    `before_head` is called when there is a connection, right before the first byte is written, and `before_body` right
    before the body is; both raise what keeps it from being written.

    No httpx.Request: to read the URL once more and to make the headers its own is a quarter of a request's CPU time.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)  # the token is among them
    content: bytes | None = field(repr=False)
    timeout: httpx.Timeout
    before_head: Callable[[], None]
    before_body: Callable[[], None]


class Wire(Protocol):
    async def send(self, request: Outgoing) -> httpx.Response:
        """The answer, its body to be read. Raises httpx.TransportError, and what the request's own calls raise."""

    async def aclose(self) -> None:
        """Closes all connections; requests under way fail."""
