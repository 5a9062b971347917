"""One HTTP client for all of Lenses: timeouts, limits and retries per environment, one kind of error.

A request passes, in this order: its environment's semaphores (slow operations have half of the places, so hanging
validates never block reads), the environment's pause if the server asked for one, the wire. Only GETs are repeated
here, and only where the failure looks like a blip; a Lenses that is down gets few requests, since waiting for it is
the callers' business. A 401 with a changed token is repeated once for every method: nothing was done.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import quote

import certifi
from yarl import URL

from lenses_operator.lenses import answers, errors
from lenses_operator.lenses.places import Limits, Parked
from lenses_operator.lenses.tokens import TokenSource
from lenses_operator.lenses.user_agent import user_agent
from lenses_operator.lenses.wire import Incoming, NoAnswerError, Outgoing, Timeout, Wire, WronglyPackedError

log = logging.getLogger(__name__)

OnResponse = Callable[[str, str, int | str, float], None]
"""Called once per HTTP request with operation, environment, status (or the reason why none came) and seconds."""

Precondition = Callable[[], bool]
"""Whether a request is wanted still; asked right before it is written."""

QUICK = Timeout(connect=5, read=30)
SLOW = Timeout(connect=5, read=95)  # Connect itself gives up after 90 s

MAX_BODY = 64 * 1024 * 1024  # bytes of an answer, decompressed
KEEPALIVE = 20.0  # seconds an idle connection is kept
FURTHER_TRIES = 2
LONGEST_WAIT = 10.0  # seconds a caller is kept waiting because of a Retry-After
LONGEST_PAUSE = 600.0  # seconds; a longer Retry-After is taken for this much
_DELAY = (0.1, 0.5)  # seconds between tries, jittered


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    """Nearly all of a path is the same in every request."""
    return quote(text, safe="")


@dataclass(frozen=True)
class Call:
    """One request. `path` holds raw segments below the base URL, `query` raw pairs; both are encoded here."""

    operation: str
    method: str
    environment: str
    path: tuple[str, ...]
    query: tuple[tuple[str, str], ...] = ()
    content: bytes | None = field(default=None, repr=False)  # the values of Secrets are in it
    content_type: str = "application/json"
    accept: str = "application/json"
    slow: bool = False
    first: bool = False
    """Of slow requests one that goes before others: what was validated is created before the next is validated."""
    optional: bool = False
    patient: bool = True
    """False: asked once, because whoever asks will ask again anyway."""

    @property
    def timeout(self) -> Timeout:
        return SLOW if self.slow else QUICK

    @property
    def target(self) -> str:
        """Path and query, percent-encoded once. Raises BadRequest for a name that no path can carry."""
        if not all(segment.strip(".") or len(segment) > 2 for segment in self.path):
            # "", "." and ".." would address something else than what was meant
            raise errors.BadRequest(self.operation, "not sent: an empty name, '.' or '..' cannot be part of a URL")
        path = "/".join(map(_quoted, self.path))
        query = "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in self.query)
        return f"/{path}?{query}" if query else f"/{path}"


@dataclass(frozen=True)
class Answer:
    """A 2xx answer."""

    status: int
    body: bytes


class LensesTransport:
    """The connection to one Lenses, shared by all tokens.

    `concurrency` counts requests under way per environment, at least 2. The CA file is trusted in addition to the
    system's. `proxy` is a URL; the environment's proxies are not read. `request_id` names the work a request belongs
    to; it is sent along as X-Request-ID, which servers and proxies that know the header log and others ignore. `gate`
    is called, and may refuse by not returning, right before anything of a request is written: any time may have passed
    since it was begun. Raises ValueError for a URL, a CA file or a proxy that cannot be used. `wire`, `clock`
    (monotonic seconds), `wall_clock` (Unix seconds) and `sleep` are there for tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        ca_file: Path | None = None,
        proxy: str = "",
        concurrency: int = 16,
        request_id: Callable[[], str] = str,
        gate: Callable[[], None] = lambda: None,
        wire: Wire | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if concurrency < 2:
            raise ValueError("concurrency must be at least 2, one place being kept free of slow operations")
        self._base = _base(base_url)
        self._concurrency = concurrency
        self._request_id = request_id
        self._gate = gate
        self.parked: Parked = contextlib.nullcontext  # set by whoever counts workers
        self._clock, self._wall_clock, self._sleep = clock, wall_clock, sleep
        self._limits: dict[str, Limits] = {}
        self._wire = wire or _wire(ca_file, proxy)
        self._headers = {
            "User-Agent": user_agent(),
            "Accept-Encoding": "gzip, deflate",
            "Connection": "keep-alive",
        }

    async def aclose(self) -> None:
        """Closes all connections; requests under way fail."""
        await self._wire.aclose()

    async def request(
        self,
        call: Call,
        tokens: TokenSource,
        on_response: OnResponse | None = None,
        precondition: Precondition | None = None,
    ) -> Answer:
        """The 2xx answer. Raises LensesError for everything else, PreconditionFailed where `precondition` said no."""
        target = call.target
        tries_left = FURTHER_TRIES if call.method == "GET" and call.patient else 0
        fresh_token = False
        while True:
            token = tokens.current()
            try:
                return await self._once(call, target, token, on_response, precondition)
            except errors.LensesError as failure:
                if isinstance(failure, errors.Unauthorized) and not fresh_token:
                    # refresh() alone would miss that another request has just read the new token
                    if not tokens.refresh() and tokens.current() == token:
                        raise
                    fresh_token = True
                    continue
                if not tries_left or not _passing(failure):
                    raise
                tries_left -= 1
                if failure.retry_after is None:  # otherwise the environment's pause does the waiting
                    await self._sleep(random.uniform(*_DELAY))  # noqa: S311 - jitter, no secret

    async def _once(
        self, call: Call, target: str, token: str, on_response: OnResponse | None, precondition: Precondition | None
    ) -> Answer:
        limits = self._limits.setdefault(call.environment, Limits(self._concurrency))
        async with limits.place(slow=call.slow, first=call.first, parked=self.parked):
            await self._pause(call, limits)
            started = self._clock()
            outcome: int | str = "cancelled"
            try:
                response, body = await self._exchange(call, target, token, precondition)
                outcome = response.status
            except errors.LensesUnreachable as failure:
                outcome = failure.reason
                raise
            except errors.UnusableAnswer as failure:
                outcome = failure.status
                raise
            finally:
                seconds = self._clock() - started
                told = {"operation": call.operation, "environment": call.environment}
                log.debug("%s %s %s %.0f ms", call.operation, call.environment, outcome, seconds * 1000, extra=told)
                if on_response is not None:
                    on_response(call.operation, call.environment, outcome, seconds)
        if 200 <= response.status < 300:
            return Answer(response.status, body)
        retry_after = self._retry_after(response)
        if retry_after is not None:
            limits.not_before = max(limits.not_before, self._clock() + retry_after)
        raise answers.from_answer(
            call.operation,
            response.status,
            body,
            retry_after=retry_after,
            optional=call.optional,
            target=_redirected_to(response, f"{self._base}{target}"),
        )

    async def _pause(self, call: Call, limits: Limits) -> None:
        rest = limits.not_before - self._clock()
        if rest > LONGEST_WAIT:
            message = f"not sent: Lenses asked for a pause, {rest:.0f} s are left"
            raise errors.RateLimited(call.operation, message, retry_after=rest)
        if rest > 0:
            await self._sleep(rest)

    async def _exchange(
        self, call: Call, target: str, token: str, precondition: Precondition | None
    ) -> tuple[Incoming, bytes]:
        """One request over the wire. The body is complete, or LensesUnreachable is raised."""
        headers = {
            **self._headers,
            "Authorization": f"Bearer {token}",
            "Accept": call.accept,
            "Content-Type": call.content_type,  # HQ (seen by others) and Connect answer 415 without, body or not
        }
        if request_id := self._request_id():
            headers["X-Request-ID"] = request_id
        request = Outgoing(
            call.method,
            f"{self._base}{target}",
            headers,
            call.content,
            call.timeout,
            before_head=partial(self._check, call, precondition),
            before_body=self._gate,
        )
        self._check(call, precondition)
        try:
            # the timeout limits each read, not the whole: an answer that trickles would hold its place for good
            async with asyncio.timeout(2 * call.timeout.read):
                response = await self._wire.send(request)
                try:
                    return response, await _body(call, response)
                finally:
                    response.close()
        except NoAnswerError as failure:
            unreachable = _unreachable(call, failure)
        except TimeoutError:
            unreachable = _unreachable(call, NoAnswerError("timeout"))
        raise unreachable

    def _check(self, call: Call, precondition: Precondition | None) -> None:
        """As it is begun and again before its first byte: for its place and its connection it may have waited for
        seconds. Raises PreconditionFailed."""
        self._gate()
        if precondition is not None and not precondition():
            raise errors.PreconditionFailed(call.operation)

    def _retry_after(self, response: Incoming) -> float | None:
        """Seconds, from either notation of the header; None when absent, nonsense, or beside another status."""
        if response.status not in {429, 503}:
            return None
        text = response.headers.get("Retry-After", "").strip()
        try:
            seconds = float(text) if text[:1].isdigit() else self._until(text, response.headers.get("Date"))
        except (ValueError, OverflowError):
            return None
        return min(max(seconds, 0.0), LONGEST_PAUSE)

    def _until(self, date: str, sent: str | None) -> float:
        """Seconds until a date of the server's: by its own clock where it shows it. Raises ValueError."""
        try:
            now = parsedate_to_datetime(sent or "").timestamp()
        except ValueError:
            now = self._wall_clock()
        return parsedate_to_datetime(date).timestamp() - now


def _passing(failure: errors.LensesError) -> bool:
    """Whether a GET may be tried again at once, or after the pause asked for."""
    if failure.retry_after is not None and failure.retry_after > LONGEST_WAIT:
        return False
    match failure:
        case errors.LensesUnreachable():
            return failure.reason == "dropped"
        case errors.ServerError() | errors.AgentCallFailed():
            return failure.status in {502, 503, 504}
        case errors.RateLimited():
            return failure.retry_after is not None
        case _:
            return False


async def _body(call: Call, response: Incoming) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        async for part in response.parts():
            size += len(part)
            if size > MAX_BODY:
                message = f"the answer is larger than {MAX_BODY} bytes"
                raise errors.UnusableAnswer(call.operation, message, status=response.status)
            parts.append(part)
    except WronglyPackedError:
        message = "the answer is not compressed the way it says"
    else:
        return b"".join(parts)
    raise errors.UnusableAnswer(call.operation, message, status=response.status)


def _redirected_to(response: Incoming, url: str) -> str:
    """Scheme, host and port: the rest of the address may hold what is nobody's business. Empty where there is none."""
    location = response.headers.get("Location", "")
    if not location or not 300 <= response.status < 400:
        return ""
    try:
        return str(URL(url, encoded=True).join(URL(location)).origin())
    except ValueError:
        return ""


def _unreachable(call: Call, failure: NoAnswerError) -> errors.LensesUnreachable:
    match failure.reason:
        case "connect_timeout":
            message = f"no connection within {call.timeout.connect:.0f} s"
        case "connect_error":
            message = f"cannot connect: {failure.why}"
        case "proxy_error":
            message = f"the proxy does not let it through ({failure.why})"
        case "timeout":
            message = f"no complete answer, waited {call.timeout.read:.0f} s for its next part"
        case "dropped":
            message = "the connection was dropped before the answer was complete"
    sent = failure.reason in {"timeout", "dropped"}
    return errors.LensesUnreachable(call.operation, message, reason=failure.reason, maybe_done=sent)


def _base(base_url: str) -> str:
    """The URL that all paths are put behind; a user name or a query in it would be sent along or lost."""
    try:
        url = URL(base_url.strip())
    except ValueError as failure:
        raise ValueError(f"the Lenses URL is not a URL: {failure}") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("the Lenses URL must begin with https:// or http:// and name a host")
    if url.user or url.password or url.query_string or url.fragment:
        raise ValueError("the Lenses URL must not hold a user name, a query or a fragment")
    return str(url).rstrip("/")


def _wire(ca_file: Path | None, proxy: str) -> Wire:
    from lenses_operator.lenses.connections import Connections  # whoever asks for help needs none of it

    return Connections(trust(ca_file), keepalive=KEEPALIVE, proxy=proxy)


@lru_cache(maxsize=1)
def trust(ca_file: Path | None) -> ssl.SSLContext:
    """The system's certificates and those of the file. Raises ValueError. They take more than a MiB: read once."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ValueError) as failure:  # ssl.SSLError is an OSError
            why = "no PEM certificate in it" if isinstance(failure, ssl.SSLError) else str(failure)
            raise ValueError(f"CA file {ca_file} is not usable: {why}") from None
    return context


def names(key: str, values: Iterable[str] | None) -> tuple[tuple[str, str], ...]:
    """A repeated query parameter."""
    return tuple((key, value) for value in values or ())
