"""Whom a token is told: only a server that proves its name, and nobody that this server or the environment names."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import httpx
import pytest

from integration.lenses_client.clients import (
    KUBERNETES,
    LENSES,
    TOKEN,
    Ask,
    ask_kubernetes,
    doctor,
    in_cluster,
    kubeconfig,
    lenses_read,
    lenses_write,
    watch,
)
from integration.lenses_client.wire import Authority, listener, read_request, self_signed
from lenses_operator.kube.api import KubeError
from lenses_operator.lenses import LensesUnreachable, UnusableAnswer
from lenses_operator.lenses.probe import handshake

ALL = [*LENSES, *KUBERNETES]
REFUSED = (LensesUnreachable, KubeError, OSError, aiohttp.ClientError, httpx.ConnectError)
asking = pytest.mark.parametrize("ask", ALL, ids=lambda ask: ask.__name__)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("stranger"))


@dataclass
class Server:
    """Counts what came through TLS."""

    requests: list[bytes] = field(default_factory=list)
    answer: bytes = b""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await read_request(reader))
        writer.write(self.answer or b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{"data":[]}')
        await writer.drain()


@pytest.fixture
def server() -> Server:
    return Server()


@asking
async def test_a_certificate_of_the_ca_that_was_given(
    ask: Ask, authority: Authority, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listener(server, authority.server()) as url:
        await ask(url, authority.ca, tmp_path, monkeypatch)
    [request] = server.requests
    assert f"authorization: bearer {TOKEN}".encode() in request.lower()


@asking
@pytest.mark.parametrize("what", ["unknown CA", "self-signed", "expired", "another name", "TLS 1.1"])
async def test_nothing_is_told_to_a_server_that_is_not_trusted(
    ask: Ask,
    what: str,
    authority: Authority,
    stranger: Authority,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    match what:
        case "unknown CA":
            context = stranger.server()
        case "self-signed":
            context = self_signed(tmp_path)
        case "expired":
            context = authority.expired()
        case _:
            context = authority.server()
    if what == "TLS 1.1":
        _only_1_1(context)
    async with listener(server, context) as url:
        if what == "another name":
            url = url.replace("127.0.0.1", "localhost")
        with pytest.raises(REFUSED):
            await ask(url, authority.ca, tmp_path, monkeypatch)
    assert server.requests == []


def _only_1_1(context: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT@SECLEVEL=0")


async def test_the_server_of_tls_1_1_is_one(authority: Authority, server: Server) -> None:
    """Else the test above would pass for another reason."""
    context = authority.server()
    _only_1_1(context)
    old = ssl.create_default_context(cafile=authority.ca)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = ssl.TLSVersion.TLSv1
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    async with listener(server, context) as url:
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]), ssl=old)
        assert writer.get_extra_info("ssl_object").version() == "TLSv1.1"
        writer.close()


async def test_the_doctors_handshake_checks_too(authority: Authority, stranger: Authority, server: Server) -> None:
    async with listener(server, stranger.server()) as url:
        with pytest.raises(ssl.SSLCertVerificationError):
            await handshake("127.0.0.1", int(url.rpartition(":")[2]), authority.ca)


async def test_a_kubeconfig_that_says_not_to_check_is_the_users_word(
    stranger: Authority, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listener(server, stranger.server()) as url:
        kubeconfig(url, None, tmp_path, monkeypatch, trust="insecure-skip-tls-verify: true")
        await ask_kubernetes()
    assert len(server.requests) == 1


def _redirect(status: int, location: str) -> bytes:
    head = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    return head.encode()


PLAIN: list[Ask] = [ask for ask in ALL if ask is not in_cluster]


@pytest.mark.parametrize("ask", PLAIN, ids=lambda ask: ask.__name__)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_takes_the_token_nowhere(
    ask: Ask, status: int, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Server()
    async with listener(other) as there, listener(server) as here:
        server.answer = _redirect(status, f"{there}/login?state=planted-state")
        if ask is watch:  # kopf's own: it may go there, without the token
            await ask(here, None, tmp_path, monkeypatch)
            assert not any(TOKEN.encode() in request for request in other.requests)
            return
        if ask is doctor:  # it tells of the redirect itself
            await ask(here, None, tmp_path, monkeypatch)
        else:
            with pytest.raises((UnusableAnswer, KubeError), match=f"redirected to {there}\\b.*not followed") as caught:
                await ask(here, None, tmp_path, monkeypatch)
            assert "planted-state" not in str(caught.value)
        assert other.requests == []
    assert len(server.requests) == 1


@pytest.mark.parametrize("ask", [lenses_read, lenses_write, doctor, *KUBERNETES[:3]], ids=lambda ask: ask.__name__)
async def test_nor_from_https_to_http_of_the_same_host(
    ask: Ask, authority: Authority, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Server()
    async with listener(other) as there, listener(server, authority.server()) as here:
        server.answer = _redirect(308, there)
        with contextlib.suppress(UnusableAnswer, KubeError):
            await ask(here, authority.ca, tmp_path, monkeypatch)
    assert (len(server.requests), other.requests) == (1, [])


async def test_a_redirect_to_nonsense(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answer = _redirect(302, "http://[::1/")
    async with listener(server) as here:
        kubeconfig(here, None, tmp_path, monkeypatch)
        with pytest.raises(KubeError, match="redirected to what is no address"):
            await ask_kubernetes()
        with pytest.raises((UnusableAnswer, LensesUnreachable)):
            await lenses_read(here, None)


@pytest.mark.parametrize("ask", PLAIN, ids=lambda ask: ask.__name__)
async def test_the_environment_names_no_proxy_and_no_password(
    ask: Ask, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Server()
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password planted-netrc\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with listener(proxy) as through, listener(server) as here:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, through)
            monkeypatch.setenv(name.lower(), through)
        await ask(here, None, tmp_path, monkeypatch)
    assert proxy.requests == []
    [request] = server.requests
    assert f"authorization: bearer {TOKEN}".encode() in request.lower()


async def test_an_answer_packed_twice_is_not_unpacked(server: Server) -> None:
    """A few kilobytes would become gigabytes in one step."""
    body = gzip.compress(gzip.compress(b" " * 1_000_000))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    server.answer = head.encode() + body
    async with listener(server) as url:
        with pytest.raises(UnusableAnswer):
            await lenses_read(url, None)
