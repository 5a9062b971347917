"""The connection to Lenses step by step, to find the step that fails. Each raises what Python raises there."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from lenses_operator.lenses.proxies import through
from lenses_operator.lenses.transport import trust

CONNECT = 5.0
ANSWER = 30.0
_BEGINNING = 512
"""Bytes of the body, enough to tell a page from JSON."""


@dataclass(frozen=True)
class Handshake:
    """`expires`: of the server's certificate."""

    protocol: str
    expires: datetime | None


@dataclass(frozen=True)
class RawAnswer:
    """An answer, whatever it is; redirects are not followed."""

    status: int
    content_type: str
    location: str
    date: datetime | None
    beginning: bytes

    @property
    def page(self) -> bool:
        return self.beginning.lstrip()[:1] == b"<"


async def resolve(host: str, port: int) -> list[str]:
    """Addresses. Raises OSError, TimeoutError included."""
    async with asyncio.timeout(CONNECT):
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


async def connect(host: str, port: int) -> float:
    """Seconds until the connection was established. Raises OSError, TimeoutError included."""
    started = time.monotonic()
    async with asyncio.timeout(CONNECT):
        _, writer = await asyncio.open_connection(host, port)
    seconds = time.monotonic() - started
    await _close(writer)
    return seconds


async def handshake(host: str, port: int, ca_file: Path | None) -> Handshake:
    """Raises ssl.SSLError (SSLCertVerificationError), OSError."""
    async with asyncio.timeout(2 * CONNECT):
        _, writer = await asyncio.open_connection(host, port, ssl=trust(ca_file), server_hostname=host)
    stream: ssl.SSLObject = writer.get_extra_info("ssl_object")
    certificate = stream.getpeercert() or {}
    until = certificate.get("notAfter")
    expires = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(until)), UTC) if until else None
    made = Handshake(stream.version() or "TLS", expires)
    await _close(writer)
    return made


async def ask(url: str, token: str, ca_file: Path | None, proxy: str = "") -> RawAnswer:
    """A GET with the token. Raises httpx.HTTPError, OSError, and ValueError for a proxy that is none."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    timeout = httpx.Timeout(ANSWER, connect=CONNECT)
    async with (
        httpx.AsyncClient(
            verify=trust(ca_file), trust_env=False, timeout=timeout, follow_redirects=False, proxy=_way(proxy, ca_file)
        ) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        beginning = b""
        async for part in response.aiter_bytes(_BEGINNING):
            beginning = part
            break
        return RawAnswer(
            status=response.status_code,
            content_type=response.headers.get("Content-Type", "").partition(";")[0].strip(),
            location=response.headers.get("Location", ""),
            date=_date(response.headers.get("Date", "")),
            beginning=beginning,
        )


def _way(proxy: str, ca_file: Path | None) -> httpx.Proxy | None:
    """One that is spoken to over TLS is checked against the same certificates."""
    if not proxy:
        return None
    way = through(proxy)
    context = trust(ca_file) if way.url.startswith("https:") else None
    return httpx.Proxy(way.url, auth=way.credentials, ssl_context=context)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1):
            await writer.wait_closed()
