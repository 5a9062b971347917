"""A connection that the other side has closed is never used again; asking does not walk through anyio's attributes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest
from httpcore import AnyIOBackend

from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.connections import connections
from lenses_operator.lenses.errors import PreconditionFailed, UnusableAnswer
from lenses_operator.lenses.tokens import StaticToken
from lenses_operator.lenses.transport import LensesTransport, trust

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers every request; counts connections, and closes those that are idle when told to."""

    def __init__(self) -> None:
        self.writers: list[asyncio.StreamWriter] = []
        self.requests: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head.split()[0].decode())
                writer.write(ANSWER)
                await writer.drain()

    async def hang_up(self) -> None:
        for writer in self.writers:
            writer.close()
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[tuple[Server, httpx.AsyncClient, str]]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
    transport = connections(trust(None), httpx.Limits(keepalive_expiry=20))
    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
        yield server, client, url
    listening.close()
    await server.hang_up()


async def test_a_connection_is_used_again_and_one_that_was_closed_is_not() -> None:
    async with served() as (server, client, url):
        for _ in range(3):
            assert (await client.get(url)).text == "ok"
        assert len(server.writers) == 1
        await server.hang_up()
        assert (await client.get(url)).text == "ok"
        assert len(server.writers) == 2


async def test_the_pool_asks_our_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails when httpx no longer takes the streams it is given."""
    asked: list[str] = []
    connect = AnyIOBackend.connect_tcp

    async def spied(*arguments: object, **options: object) -> object:
        stream = await connect(*arguments, **options)  # type: ignore[arg-type]
        answer = stream.get_extra_info

        def noted(info: str) -> object:
            asked.append(info)
            return answer(info)

        monkeypatch.setattr(stream, "get_extra_info", noted)
        return stream

    monkeypatch.setattr(AnyIOBackend, "connect_tcp", spied)
    async with served() as (_, client, url):
        for _ in range(3):
            await client.get(url)
    assert "socket" in asked
    assert "is_readable" not in asked


async def test_a_request_that_is_called_off_as_it_is_to_be_written_leaves_the_others_alone() -> None:
    async with served() as (server, _, url):
        transport = LensesTransport(url.rstrip("/"))
        client = LensesClient(transport, StaticToken("x"))
        says = iter([True, False])  # once as it is begun, once with the connection at hand
        with pytest.raises(PreconditionFailed):
            await client.delete_connector("env", "prod", "orders", precondition=lambda: next(says))
        with pytest.raises(UnusableAnswer):  # "ok" is no answer of Lenses, but it is one
            await client.get_connector("env", "prod", "orders")
        assert server.requests == ["GET"]
        await transport.aclose()
