"""Step by step to the first answer of Lenses; the first step that fails ends it."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

import httpx

from lenses_operator.commands.access import LensesAccess
from lenses_operator.diagnosis import connection as judge
from lenses_operator.diagnosis.results import Result, Verdict, skipped
from lenses_operator.lenses import probe
from lenses_operator.lenses.proxies import ignored

Say = Callable[[str, int | str, float], None]


async def way_to_lenses(
    access: LensesAccess, token: str, environments: Sequence[str], say: Say | None = None
) -> list[Result]:
    """Where there is a proxy, up to the proxy: the rest it does itself, and the first answer tells how that went."""
    host, port = judge.host_of(access.proxy or access.url)
    unread = ignored(os.environ)
    results: list[Result] = [judge.proxy_not_read(unread)] if unread else []
    for step in (_name(host, port), _connection(host, port), _tls(access, host, port)):
        if results and results[-1].verdict is Verdict.FAILED:
            step.close()
        else:
            results.append(await step)
    if results[-1].verdict is not Verdict.FAILED:
        results += await _first_answer(access, token, environments, say)
    return results


async def _name(host: str, port: int) -> Result:
    try:
        return judge.name_found(host, await probe.resolve(host, port))
    except OSError as error:
        return judge.name_unknown(host, _words(error))


async def _connection(host: str, port: int) -> Result:
    try:
        return judge.connected(host, port, await probe.connect(host, port))
    except OSError as error:
        return judge.not_connected(host, port, _words(error))


async def _tls(access: LensesAccess, host: str, port: int) -> Result:
    if not access.url.startswith("https:"):
        return judge.no_tls()
    if access.proxy:
        return judge.tls_through_proxy(host, port)
    try:
        made = await probe.handshake(host, port, access.ca_file)
    except ssl.SSLCertVerificationError as error:
        return judge.bad_certificate(error.verify_code, error.verify_message)
    except OSError as error:
        return judge.bad_handshake(_words(error))
    return judge.secure(made.protocol, made.expires, datetime.now(UTC))


async def _first_answer(access: LensesAccess, token: str, environments: Sequence[str], say: Say | None) -> list[Result]:
    """Of a documented path; without an environment of one that Lenses must at least refuse in its own words."""
    path = "/api/v1/environments"
    if environments:
        path += f"/{quote(environments[0], safe='')}/proxy/api/kafka-connect/plugins"
    started, outcome = time.monotonic(), "no answer"
    try:
        raw = await probe.ask(access.url + path, token, access.ca_file, access.proxy)
        outcome = str(raw.status)
    except (httpx.HTTPError, OSError) as error:
        host, port = judge.host_of(access.url)
        return [judge.no_answer(host, port, _words(error))]
    finally:
        if say:
            say(f"GET {path}", outcome, time.monotonic() - started)
    answer = judge.FirstAnswer(access.url + path, raw.status, raw.content_type, raw.location, raw.date, raw.page)
    results = [judge.first_answer(answer)]
    if results[0].verdict is not Verdict.FAILED:
        tells = environments or raw.status in (200, 401)  # anything else may be answered before the token is checked
        results.append(judge.token(answer) if tells else _no_environment())
    return [*results, judge.clock(answer, datetime.now(UTC))]


def _no_environment() -> Result:
    why = "no LensesConnector names an environment to ask"
    return skipped(judge.GROUP, "token", why, "Name one with --environment.")


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {probe.CONNECT:.0f} s"
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)  # asyncio's own words hold the address instead
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
