"""The server inside a test process: its own thread and event loop, quick to start."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from harness.lenses.control import LensesControl
from harness.lenses.server import LensesServer

TOKEN = "lenses-test-token"
START_TIMEOUT = 90.0


class RunningLenses:
    """A started server; `token` may do everything."""

    def __init__(self, server: LensesServer, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
        self._server = server
        self._loop = loop
        self._thread = thread
        self.url = server.url
        self.control_url = server.control_url
        self.token = TOKEN
        self.control = LensesControl(server.control_url)

    @classmethod
    def start(
        cls,
        config: dict[str, Any] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        persona: str | None = None,
    ) -> RunningLenses:
        """Start and return once it listens. A token that may do everything is added; `persona` outdoes `config`."""
        given = dict(config or {})
        if persona is not None:
            given["persona"] = persona
        given["tokens"] = {TOKEN: {"name": "all"}, **given.get("tokens", {})}
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="lenses-server", daemon=True)
        thread.start()

        async def launch() -> LensesServer:
            server = LensesServer(given)
            await server.start(host, port)
            return server

        try:
            server = asyncio.run_coroutine_threadsafe(launch(), loop).result(START_TIMEOUT)
        except BaseException:
            loop.call_soon_threadsafe(loop.stop)
            raise
        return cls(server, loop, thread)

    def stop(self) -> None:
        self.control.close()
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(START_TIMEOUT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_TIMEOUT)
        self._loop.close()

    async def _end(self) -> None:
        """Also of requests whose answer a fault holds back for hours."""
        await self._server.stop()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
