"""Which kinds are missing, as the list and the watches see it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import pytest
from aiohttp import ClientHandlerType, ClientRequest
from yarl import URL

from lenses_operator.kube import kinds
from lenses_operator.kube.api import KubeApi, KubeError
from lenses_operator.kube.kinds import KINDS, Kinds
from unit.controllers.virtualtime import now, virtual_time

CONNECTORS, OFFSETS = KINDS


class Server:
    """Answers as if these kinds were served."""

    def __init__(self, *served: str, error: int = 0) -> None:
        self.served, self.error, self.asked = set(served), error, 0

    async def serves(self, plural: str, *_: object) -> bool:
        self.asked += 1
        if self.error:
            raise KubeError("list", self.error, "no")
        return plural in self.served

    async def answer(self, request: Any) -> Any:
        self.asked += 1
        return Answer(200 if request.url.name in self.served else 404)


class Answer:
    def __init__(self, status: int) -> None:
        self.status = status

    def release(self) -> None:
        pass


class Request:
    def __init__(self, url: str) -> None:
        self.url = URL(url)


def of(server: Server) -> Kinds:
    return Kinds(cast("KubeApi", server), ())


async def ask(found: Kinds, server: Server, url: str) -> int:
    request, handler = cast("ClientRequest", Request(url)), cast("ClientHandlerType", server.answer)
    return (await found.waiting(request, handler)).status


@virtual_time
async def test_both_are_waited_for_and_each_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    server = Server()
    found = of(server)
    waiting = asyncio.create_task(found.served())
    await asyncio.sleep(10)
    assert [CONNECTORS in sentence or OFFSETS in sentence for sentence in found.missing()] == [True, True]
    server.served.add(OFFSETS)
    await asyncio.sleep(2)
    assert len(found.missing()) == 1
    assert KINDS[CONNECTORS] in found.missing()[0]
    assert not waiting.done()
    server.served.add(CONNECTORS)
    await asyncio.sleep(2)
    assert waiting.done()
    assert found.missing() == []
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR", "INFO", "INFO"]


@virtual_time
async def test_an_api_server_that_does_not_answer_is_no_missing_kind() -> None:
    server = Server(CONNECTORS, OFFSETS, error=503)
    found = of(server)
    waiting = asyncio.create_task(found.served())
    await asyncio.sleep(10)
    assert (found.missing(), waiting.done()) == ([], False)
    server.error = 0
    await asyncio.wait_for(waiting, 5)


@virtual_time
@pytest.mark.parametrize("scope", ["", "namespaces/team/"])
async def test_a_watch_is_held_while_its_kind_is_missing(scope: str) -> None:
    server = Server(OFFSETS)
    found = of(server)
    prefix = f"https://kube/apis/connect.lenses.io/v1alpha1/{scope}"
    held = asyncio.create_task(ask(found, server, f"{prefix}{CONNECTORS}?watch=true&resourceVersion=1"))
    assert await ask(found, server, f"{prefix}{OFFSETS}?watch=true") == 200
    await asyncio.sleep(60)
    assert not held.done()
    assert len(found.missing()) == 1
    server.served.add(CONNECTORS)
    before = now()
    assert await held == 200
    assert now() - before <= kinds.AGAIN
    assert found.missing() == []


async def test_other_requests_are_left_alone() -> None:
    """A Secret may be missing, and its 404 is nobody's but kopf's."""
    server = Server()
    found = of(server)
    assert await ask(found, server, "https://kube/api/v1/secrets?watch=true") == 404
    assert (server.asked, found.missing()) == (1, [])
