"""A request as it is to be written, what writes it, and what comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol


class Timeout(NamedTuple):
    """Seconds: until there is a connection, and between two parts of the answer."""

    connect: float
    read: float


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`url` is percent-encoded.

    `before_head` is called when there is a connection, right before the first byte is written, and `before_body` right
    before the body is; both raise what keeps it from being written.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)  # the token is among them
    content: bytes | None = field(repr=False)
    timeout: Timeout
    before_head: Callable[[], None]
    before_body: Callable[[], None]


class NoAnswerError(Exception):
    """No complete answer came; with `timeout` and `dropped` the request may have been carried out.

    `why` is fit to be told: the cause of connect_error, the status of proxy_error. What fails later has none, since its
    cause may hold parts of the request.
    """

    def __init__(
        self, reason: Literal["connect_timeout", "connect_error", "proxy_error", "timeout", "dropped"], why: str = ""
    ) -> None:
        self.reason = reason
        self.why = why
        super().__init__(reason)


class WronglyPackedError(Exception):
    """The answer is not compressed the way it says."""


class Incoming(Protocol):
    """The head of an answer; names of `headers` are found in any spelling."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def parts(self) -> AsyncIterator[bytes]:
        """The body, unpacked. Raises NoAnswerError, WronglyPackedError."""

    def close(self) -> None:
        """No more of it is wanted."""


class Wire(Protocol):
    async def send(self, request: Outgoing) -> Incoming:
        """Raises NoAnswerError, and what the request's own calls raise."""

    async def aclose(self) -> None:
        """Closes all connections; requests under way fail."""
