"""Ctrl-C while a verb is written to many connectors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lenses_operator.commands.kubernetes import INTERRUPTED
from lenses_operator.commands.verbs import perform as module
from lenses_operator.commands.verbs.perform import AT_A_TIME, How, Which, perform
from lenses_operator.commands.verbs.verb import VERBS
from lenses_operator.kube.access import Access
from unit.resources.make import body

MANY = 3 * AT_A_TIME


class Cluster:
    """Its writes take until they are let go on."""

    home = "payments"

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.full, self.go_on = asyncio.Event(), asyncio.Event()

    async def list(self, *_: str) -> list[dict[str, Any]]:
        return [body(f"n{number:02}", uid=f"uid-{number}") for number in range(MANY)]

    async def merge(self, _: str, namespace: str, name: str, patch: dict[str, Any]) -> dict[str, Any]:
        self.begun.append(name)
        if len(self.begun) == AT_A_TIME:
            self.full.set()
        await self.go_on.wait()
        self.ended.append(name)
        return body(name, uid=patch["metadata"]["uid"], namespace=namespace)


@pytest.mark.parametrize("wait", [True, False])
async def test_what_is_being_written_is_written_and_nothing_else_is_begun(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wait: bool
) -> None:
    cluster, stop = Cluster(), asyncio.Event()

    @asynccontextmanager
    async def session(_: Access) -> AsyncIterator[Cluster]:
        yield cluster

    @asynccontextmanager
    async def interruptible() -> AsyncIterator[asyncio.Event]:
        yield stop

    monkeypatch.setattr(module, "session", session)
    monkeypatch.setattr(module, "interruptible", interruptible)
    how = How(timeout=60.0 if wait else None)
    running = asyncio.ensure_future(perform(Access(), VERBS["reconcile"], Which(), how))
    await cluster.full.wait()
    stop.set()
    cluster.go_on.set()
    assert await running == INTERRUPTED
    assert sorted(cluster.ended) == sorted(cluster.begun)
    assert len(cluster.begun) == AT_A_TIME
    told = capsys.readouterr().err.splitlines()
    asked = ", ".join(sorted(cluster.begun))
    never = ", ".join(f"n{number:02}" for number in range(AT_A_TIME, MANY))
    assert told == [
        f"lenses-operator: interrupted; asked for, and the operator continues with it: {asked}",
        f"lenses-operator: interrupted; not asked for: {never}",
    ]
