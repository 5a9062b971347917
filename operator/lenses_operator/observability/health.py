"""/healthz, /readyz and /metrics on one small HTTP server, with a thread and an event loop of its own.

So it can tell that the operator's event loop hangs, where a server on that loop would hang with it. What it shows is
asked for on the operator's loop: nothing there is made for two threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine, Set
from typing import Any, TypeVar

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST

T = TypeVar("T")
BEAT = 1.0
HUNG = 30.0
"""Seconds without a beat after which the event loop counts as hung: far more than the work on a first list takes."""
SECOND_LOOK = 0.5
"""Seconds: a process that was paused as a whole has an old beat too, and a new one at once."""
CONNECTIONS = 64
"""Open at a time: beyond them the oldest is closed, so that a client with many idle connections blocks no other."""
COUNTED = 0.1
"""Seconds after which the server counts a connection among its own."""
ANSWER = 4.0
"""Seconds to wait for the operator's event loop: less than a probe waits."""


class HealthServer:
    """`ready` gives what is still missing, `problems` what only a restart can fix; both empty when all is well.
    `metrics` gets the names that are asked for, none where all are.

    All are called on the loop that `start` is called on. `port` 0 takes a free one.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        ready: Callable[[], list[str]],
        problems: Callable[[], list[str]],
        metrics: Callable[[Set[str]], Coroutine[Any, Any, bytes]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._port = port
        self._ready = ready
        self._problems = problems
        self._exposition = metrics
        self._clock = clock
        self._beat = (clock(), list[str]())
        self._beating: asyncio.Task[None] | None = None
        self._operator: asyncio.AbstractEventLoop | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runner: web.AppRunner | None = None
        self._server: web.Server | None = None
        """The runner forgets it when it ends, while a look at its connections may still be due."""
        self._listening: asyncio.Server | None = None

    async def start(self) -> None:
        """Raises OSError where the port is taken."""
        self._operator = asyncio.get_running_loop()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="health", daemon=True).start()
        self._beating = asyncio.create_task(self._live(), name="heartbeat")
        await self._beside(self._serve())

    async def stop(self) -> None:
        if self._loop is None or self._beating is None:
            return
        self._beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._beating
        await self._beside(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        assert self._listening is not None
        return int(self._listening.sockets[0].getsockname()[1])

    async def _beside(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs it on the server's loop."""
        assert self._loop is not None
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        self._server = self._runner.server
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self._connection, self._host, self._port, backlog=CONNECTIONS)

    def _connection(self) -> asyncio.Protocol:
        """For a new one. The server of aiohttp has no time-out for a request that never gets complete."""
        assert self._server is not None
        self._close_oldest()
        # Many may be accepted in one go, before the server counts the first of them.
        asyncio.get_running_loop().call_later(COUNTED, self._close_oldest)
        return self._server()

    def _close_oldest(self) -> None:
        assert self._server is not None
        for oldest in self._server.connections[:-CONNECTIONS]:
            if oldest.transport is not None:
                oldest.transport.abort()

    async def _close(self) -> None:
        if self._listening is not None:
            self._listening.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _live(self) -> None:
        """On the operator's loop."""
        while True:
            self._beat = (self._clock(), self._problems())
            await asyncio.sleep(BEAT)

    async def _ask(self, answer: Coroutine[Any, Any, T]) -> T:
        """Its answer from the operator's loop. Raises TimeoutError."""
        assert self._operator is not None
        async with asyncio.timeout(ANSWER):
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(answer, self._operator))

    async def _missing(self) -> list[str]:
        return self._ready()

    @property
    def _hung(self) -> bool:
        return self._clock() - self._beat[0] > HUNG

    async def _healthz(self, _: web.Request) -> web.Response:
        if self._hung:
            await asyncio.sleep(SECOND_LOOK)
        return _verdict("not healthy", ["the event loop hangs"] if self._hung else self._beat[1])

    async def _readyz(self, _: web.Request) -> web.Response:
        try:
            return _verdict("not ready", await self._ask(self._missing()))
        except TimeoutError:
            return _verdict("not ready", ["the event loop does not answer"])

    async def _metrics(self, request: web.Request) -> web.Response:
        names = frozenset(request.query.getall("name[]", ()))
        try:
            body = await self._ask(self._exposition(names))
        except TimeoutError:
            return _verdict("no metrics", ["the event loop does not answer"])
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _verdict(what: str, reasons: list[str]) -> web.Response:
    """200, or 503 with a line for each reason."""
    text = "ok\n" if not reasons else "".join(f"{what}: {reason}\n" for reason in reasons)
    return web.Response(text=text, status=503 if reasons else 200)
