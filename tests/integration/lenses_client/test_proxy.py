"""A proxy for Lenses: every request goes through it, TLS is with Lenses itself, and its password is told to nobody."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest

from harness.wanted import always
from integration.lenses_client.clients import REQUEST, TOKEN
from integration.lenses_client.wire import EMPTY_LIST, Authority, listener, read_request
from lenses_operator.commands.access import LensesAccess
from lenses_operator.commands.doctor.way import way_to_lenses
from lenses_operator.diagnosis.results import Verdict
from lenses_operator.lenses import LensesClient, LensesTransport, LensesUnreachable, StaticToken, probe
from lenses_operator.lenses.proxies import SETTING, ignored
from lenses_operator.settings import Settings, SettingsError


@dataclass
class Passing:
    """A proxy that lets everything through. `heads`: of the requests that were made of the proxy itself."""

    heads: list[bytes] = field(default_factory=list)
    refuses: bool = False

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        if self.refuses:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        method, target, _ = head.split(b" ", 2)
        host, _, port = target.removeprefix(b"http://").partition(b"/")[0].rpartition(b":")
        inner, out = await asyncio.open_connection(host.decode(), int(port))
        if method == b"CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            out.write(head)
        await asyncio.gather(_pump(reader, out), _pump(inner, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


@dataclass
class Server:
    requests: list[bytes] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await read_request(reader))
        writer.write(EMPTY_LIST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        await writer.drain()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("ca"))


@pytest.fixture(params=["http", "https"])
def secure(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "https")


async def ask(url: str, ca: Path, proxy: str) -> None:
    """As the operator does, and as doctor."""
    transport = LensesTransport(url, ca_file=ca, proxy=proxy)
    try:
        client = LensesClient(transport, StaticToken(TOKEN))
        await client.list_connectors("env")
        await client.create_connector("env", REQUEST, precondition=always)
    finally:
        await transport.aclose()
    await probe.ask(url, TOKEN, ca, proxy)


async def test_every_request_goes_through_it(authority: Authority, secure: bool) -> None:
    proxy, server = Passing(), Server()
    async with listener(server, authority.server() if secure else None) as url, listener(proxy) as through:
        await ask(url, authority.ca, through.replace("://", "://me:planted-proxy@"))
    assert len(server.requests) == len(proxy.heads) == 3
    told = base64.b64encode(b"me:planted-proxy")
    assert all(b"proxy-authorization: basic " + told.lower() in head.lower() for head in proxy.heads)
    assert all(head.startswith(b"CONNECT ") is secure for head in proxy.heads)
    if secure:
        assert not any(TOKEN.encode() in head for head in proxy.heads)
    assert all(TOKEN.encode() in request for request in server.requests)


async def test_a_proxy_of_tls(authority: Authority) -> None:
    """It has to prove its name by the same certificates."""
    proxy, server = Passing(), Server()
    async with listener(server, authority.server()) as url, listener(proxy, authority.server()) as through:
        await ask(url, authority.ca, through)
    assert len(server.requests) == len(proxy.heads) == 3


async def test_a_proxy_that_refuses(authority: Authority) -> None:
    proxy, server = Passing(refuses=True), Server()
    async with listener(server, authority.server()) as url, listener(proxy) as through:
        with pytest.raises(LensesUnreachable) as caught:
            await ask(url, authority.ca, through.replace("://", "://me:planted-proxy@"))
    assert "the proxy does not let it through (407)" in str(caught.value)
    assert not caught.value.maybe_done
    assert "planted" not in str(caught.value)
    assert server.requests == []


@pytest.mark.parametrize(
    "proxy", ["proxy:3128", "socks5://proxy:1080", "planted-proxy", "http://planted-proxy/path", "http://"]
)
def test_what_is_no_proxy(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LENSES_OPERATOR_LENSES_URL", "https://lenses.example.com")
    monkeypatch.setenv("LENSES_OPERATOR_LENSES_TOKEN_FILE", "token")
    monkeypatch.setenv(SETTING, proxy)
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert str(caught.value).startswith(f"{SETTING}: must ")
    assert "planted" not in str(caught.value)


def test_its_password_is_in_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LENSES_OPERATOR_LENSES_URL", "https://lenses.example.com")
    monkeypatch.setenv("LENSES_OPERATOR_LENSES_TOKEN_FILE", "token")
    monkeypatch.setenv(SETTING, "http://me:planted-proxy@proxy:3128")
    settings = Settings.load()
    access = LensesAccess("https://lenses.example.com", Path("token"))
    assert settings.lenses_proxy == access.proxy == "http://me:planted-proxy@proxy:3128"
    assert "planted" not in f"{settings!r}{settings}{access!r}{access}"


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({}, ""),
        ({"HTTPS_PROXY": "http://p"}, "HTTPS_PROXY is set"),
        ({"http_proxy": "http://p", "ALL_PROXY": "http://planted"}, "ALL_PROXY, http_proxy are set"),
        ({"HTTPS_PROXY": "", "NO_PROXY": "x"}, ""),
        ({"HTTPS_PROXY": "http://p", SETTING: "http://p"}, ""),
    ],
)
def test_the_environment_s_proxies_are_told_of(environ: dict[str, str], named: str) -> None:
    said = ignored(environ)
    assert said.startswith(named)
    assert bool(said) is bool(named)
    assert "planted" not in said


async def test_doctor_goes_through_it(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, server = Passing(), Server()
    monkeypatch.setenv("HTTPS_PROXY", "http://planted")
    async with listener(server, authority.server()) as url, listener(proxy) as through:
        access = LensesAccess(url, tmp_path / "token", authority.ca, through)
        found = {one.check: one for one in await way_to_lenses(access, TOKEN, ["prod"])}
        direct = LensesAccess(url, tmp_path / "token", authority.ca, "")
        told = {one.check: one for one in await way_to_lenses(direct, TOKEN, ["prod"])}
    assert len(proxy.heads) == 1
    assert through.removeprefix("http://") in found["connection"].message
    assert found["TLS"].verdict is Verdict.SKIPPED
    assert found["API"].verdict is not Verdict.FAILED
    assert told["proxy"].verdict is Verdict.WARNING
    assert "HTTPS_PROXY is set and not read" in told["proxy"].message
    assert "planted" not in str(told)


def test_a_command_with_what_is_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "planted-proxy:3128")
    with pytest.raises(click.UsageError, match=SETTING) as caught:
        LensesAccess("https://lenses.example.com", Path("token"))
    assert "planted" not in str(caught.value)
