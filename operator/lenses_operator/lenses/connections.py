"""Requests over aiohttp's connections.

What decides whether a request may have been carried out is not the kind of an error but whether the request had a
connection when it failed: without one, nothing of it was written.
"""

from __future__ import annotations

import select
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from weakref import WeakSet

import aiohttp
from aiohttp import ClientSession, ClientTimeout, TCPConnector
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest, ClientResponse
from aiohttp.connector import Connection
from aiohttp.http_exceptions import ContentEncodingError
from yarl import URL

from lenses_operator.lenses.proxies import through
from lenses_operator.lenses.wire import Incoming, NoAnswerError, Outgoing, WronglyPackedError

LONGEST_LINE = 64 * 1024
"""Bytes of a status line or a header."""


@dataclass(slots=True)
class _Attempt:
    """A request on its way."""

    request: Outgoing
    sent: bool = False
    refusal: BaseException | None = None


_ATTEMPT: ContextVar[_Attempt] = ContextVar("attempt")


class _StaleError(Exception):
    """A kept connection that the other side has closed, which the event loop has not been told of yet."""


class _DroppedError(aiohttp.ClientError):
    """The connection broke. Not one of the kinds after which aiohttp sends a request once more by itself."""


_USED: WeakSet[ResponseHandler] = WeakSet()
"""Connections that have carried a request. A new one may have something to read, since TLS has words of its own."""


class _Request(ClientRequest):
    async def send(self, conn: Connection) -> ClientResponse:
        protocol = conn.protocol
        assert protocol is not None
        if protocol in _USED and _readable(conn):
            raise _StaleError
        _USED.add(protocol)
        attempt = _ATTEMPT.get()
        attempt.request.before_head()
        attempt.sent = True
        return await super().send(conn)

    async def write_bytes(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
    ) -> None:
        """By a task of its own on some versions of Python. The head goes out with the body."""
        attempt = _ATTEMPT.get()
        try:
            attempt.request.before_body()
        except BaseException as refusal:  # to be raised where somebody waits for it
            attempt.refusal = refusal
            if conn.transport is not None:
                conn.transport.close()
        else:
            await super().write_bytes(writer, conn, content_length)


def _readable(conn: Connection) -> bool:
    """Between two requests that is its end, or something that nobody asked for."""
    socket = None if conn.transport is None else conn.transport.get_extra_info("socket")
    if socket is None or socket.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(socket.fileno(), select.POLLIN)
    return bool(poll.poll(0))


async def _only_once(request: ClientRequest, handler: aiohttp.ClientHandlerType) -> ClientResponse:
    """What was sent is not sent again; what was to be sent into a stale connection gets another one."""
    while True:
        try:
            return await handler(request)
        except _StaleError:
            continue
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as failure:
            raise _DroppedError(type(failure).__name__) from failure


class Connections:
    """A Wire. Connections are kept open for `keepalive` seconds; how many there are is limited by whoever sends.

    `proxy`: a URL, or nothing. Raises ValueError where it is no proxy's.
    """

    def __init__(self, context: ssl.SSLContext, *, keepalive: float, proxy: str = "") -> None:
        context.set_alpn_protocols(["http/1.1"])
        self._context = context
        self._keepalive = keepalive
        way = through(proxy) if proxy else None
        self._proxy = None if way is None else way.url
        self._proxy_headers = (
            {"Proxy-Authorization": aiohttp.encode_basic_auth(*way.credentials)} if way and way.credentials else {}
        )
        self._session: ClientSession | None = None

    async def send(self, request: Outgoing) -> Incoming:
        attempt = _Attempt(request)
        before = _ATTEMPT.set(attempt)
        try:
            with _told(attempt):
                response = await self._answer(request)
        except NoAnswerError:
            if attempt.refusal is not None:
                raise attempt.refusal from None
            raise
        finally:
            _ATTEMPT.reset(before)
        return _Incoming(response, attempt)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _answer(self, request: Outgoing) -> ClientResponse:
        connect, read = request.timeout
        headers = request.headers
        if request.url.startswith("http:"):  # no request of its own asks for the way through
            headers = {**headers, **self._proxy_headers}
        return await self._opened().request(
            request.method,
            URL(request.url, encoded=True),
            headers=headers,
            data=request.content or None,
            allow_redirects=False,
            timeout=ClientTimeout(connect=2 * connect, sock_connect=connect, sock_read=read),
            proxy=self._proxy,
            proxy_headers=self._proxy_headers if self._proxy else None,
        )

    def _opened(self) -> ClientSession:
        """Made by the first request: it belongs to the event loop that runs then."""
        if self._session is None:
            context = self._context
            connector = TCPConnector(ssl=context, limit=0, keepalive_timeout=self._keepalive)
            self._session = ClientSession(
                trust_env=False,
                connector=connector,
                request_class=_Request,
                middlewares=(_only_once,),
                cookie_jar=aiohttp.DummyCookieJar(),
                max_line_size=LONGEST_LINE,
                max_field_size=LONGEST_LINE,
            )
        return self._session


class _Incoming:
    def __init__(self, response: ClientResponse, attempt: _Attempt) -> None:
        self.status = response.status
        self.headers = response.headers
        self._response = response
        self._attempt = attempt

    async def parts(self) -> AsyncIterator[bytes]:
        with _told(self._attempt):
            try:
                async for part in self._response.content.iter_any():
                    yield part
            except aiohttp.ClientPayloadError as failure:
                if isinstance(failure.__cause__, ContentEncodingError):
                    raise WronglyPackedError from None
                raise

    def close(self) -> None:
        self._response.close()  # a connection whose answer was read to its end is back in the pool already


@contextmanager
def _told(attempt: _Attempt) -> Iterator[None]:
    """Everything that may go wrong with a connection, as what it means for the request."""
    try:
        yield
    except aiohttp.ClientHttpProxyError as failure:  # a way through is asked for before anything of the request is sent
        raise NoAnswerError("proxy_error", str(failure.status)) from failure
    except TimeoutError as failure:
        raise NoAnswerError("timeout" if attempt.sent else "connect_timeout") from failure
    except (aiohttp.ClientError, OSError) as failure:  # an error inside TLS may come as it is: an OSError
        if attempt.sent:
            raise NoAnswerError("dropped") from failure
        raise NoAnswerError("connect_error", _root(failure)) from failure


def _root(failure: BaseException) -> str:
    """The innermost cause, held as cause, first argument or member of a group; outer layers hardly say anything."""
    inner = failure.__cause__ or (failure.args[0] if failure.args else None)
    if isinstance(failure, BaseExceptionGroup):
        inner = failure.exceptions[0]
    return _root(inner) if isinstance(inner, BaseException) else str(failure)
