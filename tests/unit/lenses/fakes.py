"""Lenses behind a wire that is none, and a clock that only moves when slept on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.tokens import StaticToken, TokenSource
from lenses_operator.lenses.transport import LensesTransport
from lenses_operator.lenses.wire import Incoming, Outgoing

NOON = 1_800_000_000.0  # Unix seconds

Step = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass
class Clock:
    """Sleeping moves it; `slept` holds every sleep in order."""

    at: float = 100.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def asked(request: Outgoing) -> httpx.Request:
    """As a server would read it."""
    timeout = {"timeout": request.timeout}
    return httpx.Request(
        request.method, request.url, headers=request.headers, content=request.content, extensions=timeout
    )


class Given:
    """An answer as a wire gives it; it is not compressed."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self._response = response

    async def parts(self) -> AsyncIterator[bytes]:
        async for part in self._response.aiter_bytes():
            yield part

    def close(self) -> None:
        """Nothing is open."""


class Script:
    """A wire that answers in order, the last one for ever; remembers what was asked."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = list(steps)
        self.requests: list[httpx.Request] = []

    async def aclose(self) -> None:
        """Nothing is open."""

    async def send(self, outgoing: Outgoing) -> Incoming:
        request = asked(outgoing)
        self.requests.append(request)
        step = self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, httpx.Response):
            # a response can be read once only
            return Given(httpx.Response(step.status_code, headers=step.headers, content=step.content))
        return Given(step(request))

    @property
    def calls(self) -> int:
        return len(self.requests)


@dataclass
class Rig:
    client: LensesClient
    script: Script
    clock: Clock
    seen: list[tuple[str, str, int | str, float]]

    @property
    def last(self) -> httpx.Request:
        return self.script.requests[-1]


def rig(*steps: Step, tokens: TokenSource | None = None, base_url: str = "https://lenses.test", **settings: Any) -> Rig:
    """A client whose Lenses answers with `steps`; 200 with an empty object without any."""
    script = Script(steps or [httpx.Response(200, json={})])
    clock = Clock()
    seen: list[tuple[str, str, int | str, float]] = []
    transport = LensesTransport(
        base_url,
        wire=script,
        clock=clock.now,
        wall_clock=lambda: NOON + clock.at - 100.0,
        sleep=clock.sleep,
        **settings,
    )
    client = LensesClient(
        transport, tokens or StaticToken("planted-token"), on_response=lambda *observed: seen.append(observed)
    )
    return Rig(client, script, clock, seen)


def answer(status: int, body: Any = None, **headers: str) -> httpx.Response:
    """JSON, or text where `body` is text; underscores in header names are dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, str):
        return httpx.Response(status, headers=named, text=body)
    return httpx.Response(status, headers=named, json={} if body is None else body)


AGENT = {"error": "agent says no", "fields": [], "errorType": "SomeError"}
PAGE = "<html><head><title>Error page</title></head><body><h1>whatever</h1></body></html>"


def problem(kind: str, status: int) -> dict[str, Any]:
    return {"type": kind, "title": "HQ says no", "status": status}
