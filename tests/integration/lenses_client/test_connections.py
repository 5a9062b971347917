"""Connections as such: TLS with an own CA, sockets that close, refuse or say nonsense, proxies to be left alone."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from harness.wanted import always
from integration.lenses_client.wire import EMPTY_LIST, Authority, listener, read_request, say_empty_list
from lenses_operator.lenses import (
    ConnectorRequest,
    LensesClient,
    LensesTransport,
    LensesUnreachable,
    StaticToken,
    UnusableAnswer,
)
from lenses_operator.lenses.transport import trust

REQUEST = ConnectorRequest(name="orders", cluster="prod", configuration={"password": "hunter2"})


def client(url: str, ca_file: Path | None = None) -> LensesClient:
    return LensesClient(LensesTransport(url, ca_file=ca_file), StaticToken("planted-token"))


async def _close(client: LensesClient) -> None:
    await client._transport.aclose()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("ca"))


async def test_a_ca_of_ones_own(authority: Authority) -> None:
    async with listener(say_empty_list, authority.server()) as url:
        lenses = client(url, authority.ca)
        assert await lenses.list_connectors("env") == []
        await _close(lenses)


async def test_without_that_ca_nothing_is_sent(authority: Authority) -> None:
    received: list[bytes] = []

    async def note(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        received.append(await reader.read(1))

    async with listener(note, authority.server()) as url:
        with pytest.raises(LensesUnreachable, match="certificate verify failed") as caught:
            await client(url).create_connector("env", REQUEST, precondition=always)
    assert (caught.value.reason, caught.value.maybe_done, received) == ("connect_error", False, [])


async def test_a_certificate_for_another_name(authority: Authority) -> None:
    async with listener(say_empty_list, authority.server()) as url:
        with pytest.raises(LensesUnreachable, match="certificate verify failed: Hostname mismatch"):
            await client(url.replace("127.0.0.1", "localhost"), authority.ca).list_connectors("env")


async def test_the_systems_cas_stay(authority: Authority) -> None:
    assert len(trust(authority.ca).get_ca_certs()) == len(trust(None).get_ca_certs()) + 1 > 50


async def test_a_server_that_wants_a_client_certificate(authority: Authority) -> None:
    """With TLS 1.3 that refusal comes on the first read, from below httpx."""
    context = authority.server()
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.ca)
    async with listener(say_empty_list, context) as url:
        with pytest.raises(LensesUnreachable) as caught:
            await client(url, authority.ca).create_connector("env", REQUEST, precondition=always)
    assert caught.value.__context__ is None


async def test_http_where_https_is_spoken_and_the_reverse(authority: Authority) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with listener(refuse) as url:
        with pytest.raises(LensesUnreachable, match="cannot connect"):
            await client(url.replace("http:", "https:")).list_connectors("env")
    async with listener(say_empty_list, authority.server()) as url:
        with pytest.raises(LensesUnreachable):
            await client(url.replace("https:", "http:")).list_connectors("env")


async def test_nobody_listens() -> None:
    async with listener(say_empty_list) as url:
        pass
    with pytest.raises(LensesUnreachable, match=r"Connect call failed|refused") as caught:
        await client(url).create_connector("env", REQUEST, precondition=always)
    assert (caught.value.reason, caught.value.maybe_done) == ("connect_error", False)


async def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(LensesUnreachable, match=r"cannot connect: .*(known|resolution|address)") as caught:
        await client("https://lenses.invalid").list_connectors("env")
    assert caught.value.maybe_done is False


async def test_a_kept_connection_that_closed_meanwhile_costs_nothing() -> None:
    """A change is not repeated, so it must not be sent into a connection that is known to be dead."""
    closed = asyncio.Event()

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(EMPTY_LIST)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        closed.set()

    async with listener(once) as url:
        lenses = client(url)
        for _ in range(5):
            await lenses.create_connector("env", REQUEST, precondition=always)
            await closed.wait()
            closed.clear()
        await _close(lenses)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhunter2",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhunter2",
        b"hunter2 is no HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
    ],
)
async def test_half_an_answer_is_none(said: bytes) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(said)
        await writer.drain()

    async with listener(say) as url:
        with pytest.raises(LensesUnreachable) as caught:
            await client(url).create_connector("env", REQUEST, precondition=always)
    assert (caught.value.reason, caught.value.maybe_done) == ("dropped", True)
    assert "hunter2" not in f"{caught.value} {caught.value.__context__!r}"


async def test_a_header_without_end() -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000)
        await writer.drain()

    async with listener(say) as url:
        with pytest.raises(LensesUnreachable):
            await client(url).create_connector("env", REQUEST, precondition=always)


async def test_a_redirect_to_a_login_page() -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with listener(say) as url:
        with pytest.raises(UnusableAnswer, match="is the URL right"):
            await client(url).list_connectors("env")


async def test_the_environments_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    async with listener(say_empty_list) as url:
        lenses = client(url)
        assert await lenses.list_connectors("env") == []
        await _close(lenses)


async def test_the_path_on_the_wire() -> None:
    """Below httpx's own idea of the URL: the request line itself."""
    lines: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append((await read_request(reader)).partition(b"\r\n")[0])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with listener(note) as url:
        lenses = client(url)
        await lenses.set_state("env 1", "a%b", "x->y z", "stop", precondition=always)
        await _close(lenses)
    assert lines == [
        b"PUT /api/v1/environments/env%201/proxy/api/kafka-connect/clusters/a%25b/connectors/x-%3Ey%20z/stop HTTP/1.1"
    ]
