"""Nothing is written into a connection that the other side has closed, and nothing is written twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from harness.listener import listening
from harness.wanted import always
from lenses_operator.lenses import ConnectorRequest
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.connections import Connections
from lenses_operator.lenses.errors import PreconditionFailed, UnusableAnswer
from lenses_operator.lenses.tokens import StaticToken
from lenses_operator.lenses.transport import LensesTransport, trust
from lenses_operator.lenses.wire import NoAnswerError, Outgoing, Timeout

REQUEST = ConnectorRequest(name="orders", cluster="prod", configuration={})
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers every request, until it is told to hang up on one; counts connections, and closes those that are idle."""

    def __init__(self) -> None:
        self.answers = True
        self.writers: list[asyncio.StreamWriter] = []
        self.requests: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head.split()[0].decode())
            if not self.answers:
                writer.close()
            writer.write(ANSWER)
            await writer.drain()

    async def hang_up(self) -> None:
        for writer in self.writers:
            writer.close()
            await writer.wait_closed()


@dataclass
class Client:
    """Sends over real connections."""

    wire: Connections
    url: str

    async def send(self, method: str = "GET", url: str = "", timeout: float = 20) -> str:
        request = Outgoing(
            method,
            url or self.url,
            {"Accept": "text/plain"},
            None,
            Timeout(timeout, timeout),
            before_head=lambda: None,
            before_body=lambda: None,
        )
        answer = await self.wire.send(request)
        return b"".join([part async for part in answer.parts()]).decode()


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[tuple[Server, Client]]:
    server, wire = Server(), Connections(trust(None), keepalive=20)
    async with listening(server.serve) as port:
        try:
            yield server, Client(wire, f"http://127.0.0.1:{port}/")
        finally:
            await wire.aclose()


async def test_a_connection_is_used_again_and_one_that_was_closed_is_not() -> None:
    async with served() as (server, client):
        for _ in range(3):
            assert await client.send() == "ok"
        assert len(server.writers) == 1
        await server.hang_up()
        assert await client.send() == "ok"
        assert len(server.writers) == 2


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
@pytest.mark.parametrize("kept", [False, True])
async def test_what_may_have_arrived_is_not_sent_again(method: str, kept: bool) -> None:
    """Whether a request is repeated is decided where it is known what it does."""
    async with served() as (server, client):
        if kept:
            await client.send()
            server.requests.clear()
        server.answers = False
        with pytest.raises(NoAnswerError, match="dropped"):
            await client.send(method)
        assert server.requests == [method]


async def test_a_wait_tells_whether_anything_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object, **__: object) -> object:
        return await asyncio.get_running_loop().create_future()

    async with served() as (server, client):
        monkeypatch.setattr(server, "answers", True)
        monkeypatch.setattr(asyncio.StreamWriter, "write", lambda *_: None)
        with pytest.raises(NoAnswerError, match=r"^timeout"):
            await client.send(timeout=0.05)
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
        with pytest.raises(NoAnswerError, match="connect_timeout"):
            await client.send(url="http://lenses.test/", timeout=0.05)


async def test_a_request_that_is_called_off_as_it_is_to_be_written_leaves_the_others_alone() -> None:
    async with served() as (server, there):
        transport = LensesTransport(there.url.rstrip("/"))
        client = LensesClient(transport, StaticToken("x"))
        says = iter([True, False])  # once as it is begun, once with the connection at hand
        with pytest.raises(PreconditionFailed):
            await client.delete_connector("env", "prod", "orders", precondition=lambda: next(says))
        with pytest.raises(UnusableAnswer):  # "ok" is no answer of Lenses, but it is one
            await client.get_connector("env", "prod", "orders")
        assert server.requests == ["GET"]
        await transport.aclose()


async def test_a_body_is_asked_for_once_more() -> None:
    """On some versions of Python it is written by a task of its own, which has to wait for its turn."""
    async with served() as (_, there):
        asked: list[None] = []
        transport = LensesTransport(there.url.rstrip("/"), gate=lambda: asked.append(None))
        client = LensesClient(transport, StaticToken("x"))
        with pytest.raises(UnusableAnswer):
            await client.get_connector("env", "prod", "orders")
        without = len(asked)
        with pytest.raises(UnusableAnswer):
            await client.create_connector("env", REQUEST, precondition=always)
        assert len(asked) == 2 * without + 1
        await transport.aclose()
