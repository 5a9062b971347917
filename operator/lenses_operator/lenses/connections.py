"""The pool's connections, told in a cheap way whether the other side has closed one.

httpcore asks that of every idle connection at each request, and anyio answers by way of all of a socket's attributes:
with a few connections open that took a third of a request's CPU time (docs/performance.md).
"""

from __future__ import annotations

import select
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx


class _Stream(httpcore.AsyncNetworkStream):
    """Another stream, with its socket at hand."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self._socket = inner.get_extra_info("socket")
        self._poll = select.poll()
        self._poll.register(self._socket.fileno(), select.POLLIN)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # a closed socket counts as readable, as httpcore has it; its number may be another's
            return self._socket.fileno() < 0 or bool(self._poll.poll(0))
        return self._inner.get_extra_info(info)


class _Backend(httpcore.AsyncNetworkBackend):
    def __init__(self) -> None:
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._inner.connect_tcp(host, port, timeout, local_address, socket_options))

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


def connections(context: ssl.SSLContext, limits: httpx.Limits, proxy: str = "") -> httpx.AsyncHTTPTransport:
    """httpx's transport over such connections. httpx has no way to say so: its pool is reached into.

    `proxy`: a URL. Raises ValueError where it is none.
    """
    transport = httpx.AsyncHTTPTransport(
        verify=context, limits=limits, trust_env=False, proxy=through(proxy, context) if proxy else None
    )
    transport._pool._network_backend = _Backend()  # noqa: SLF001
    return transport


def through(proxy: str, context: ssl.SSLContext) -> httpx.Proxy:
    """A proxy that is spoken to over TLS is checked against the same certificates. Raises ValueError."""
    try:
        return httpx.Proxy(proxy, ssl_context=context if proxy.startswith("https:") else None)
    except (httpx.InvalidURL, ValueError):
        raise ValueError("the proxy must be a URL, http or https, such as http://proxy.example.com:3128") from None
