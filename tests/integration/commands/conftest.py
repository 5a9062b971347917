"""The command line with the access of a test's own environment, and listeners that it is sent to instead."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.lenses.environment import LensesEnv
from harness.listener import Handler
from integration.commands.support import CommandLine
from integration.lenses_client.wire import listener


@pytest.fixture
def line(lenses_env: LensesEnv, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, lenses_env.url, lenses_env.token)


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Listeners on a loop of their own, since the command runs as a process."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    opened = []

    def open_one(handler: Handler, context: ssl.SSLContext | None = None) -> str:
        manager = listener(handler, context)
        opened.append(manager)
        return asyncio.run_coroutine_threadsafe(manager.__aenter__(), loop).result(10)

    yield open_one
    for manager in opened:
        asyncio.run_coroutine_threadsafe(manager.__aexit__(None, None, None), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()
