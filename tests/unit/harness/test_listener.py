"""What ends a listener ends its connections, too, whoever holds them open: on every version of Python."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from harness import paths
from harness.listener import Handler, listening


async def reads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def says_more_than_is_read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(bytes(100_000_000))


async def says_more_than_is_read_and_waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(bytes(100_000_000))
    await writer.drain()


@pytest.mark.parametrize("handler", [reads, waits, says_more_than_is_read, says_more_than_is_read_and_waits])
async def test_a_client_that_stays_connected_holds_up_nobody(handler: Handler) -> None:
    async with asyncio.timeout(60):
        accepted = asyncio.Event()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted.set()
            await handler(reader, writer)

        async with listening(handle) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await accepted.wait()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(100_000_000)
        writer.close()


async def test_one_that_was_closed_with_more_to_send_and_has_sent_it_needs_no_cut() -> None:
    async with asyncio.timeout(60):
        async with listening(says_more_than_is_read) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert len(await reader.read()) == 100_000_000
        writer.close()


async def test_nor_does_one_that_never_begins_to_speak_tls() -> None:
    async with asyncio.timeout(60):
        async with listening(reads, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()


async def test_nobody_is_served_afterwards() -> None:
    async with listening(reads) as port:
        pass
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", port)


def test_no_test_waits_for_the_connections_of_a_server_of_asyncios() -> None:
    here = {paths.HARNESS / "listener.py", paths.ROOT / "tests" / "unit" / "harness" / "test_listener.py"}
    sources = set((paths.ROOT / "tests").rglob("*.py")) - here
    assert len(sources) > 100
    assert [str(one) for one in sources if "start_server(" in one.read_text()] == []
