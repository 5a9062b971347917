"""Which kinds are missing, as the list and the watches see it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import kopf
import pytest
from aiohttp import ClientHandlerType, ClientRequest
from yarl import URL

from lenses_operator.kube import kinds, lister
from lenses_operator.kube.api import KubeApi, KubeError
from lenses_operator.kube.kinds import KINDS, Kinds
from unit.controllers.virtualtime import now

pytestmark = pytest.mark.virtual_time

CONNECTORS, OFFSETS = KINDS


class Server:
    """Answers as if these kinds were served."""

    def __init__(self, *served: str, error: int = 0) -> None:
        self.served, self.error, self.asked = set(served), error, 0
        self.not_yet: list[int] = []
        """What it answers first of a kind that it has come to serve."""

    async def serves(self, plural: str, *_: object) -> bool:
        self.asked += 1
        if self.error:
            raise KubeError("list", self.error, "no")
        return plural in self.served

    async def answer(self, request: Any) -> Any:
        self.asked += 1
        if request.url.name in self.served:
            return Answer(self.not_yet.pop(0) if self.not_yet else 200)
        return Answer(404)


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


async def test_an_api_server_that_does_not_answer_is_no_missing_kind() -> None:
    server = Server(CONNECTORS, OFFSETS, error=503)
    found = of(server)
    waiting = asyncio.create_task(found.served())
    await asyncio.sleep(10)
    assert (found.missing(), waiting.done()) == ([], False)
    server.error = 0
    await asyncio.wait_for(waiting, 5)


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


WITHIN = 5.0
"""Seconds in which the operator works again, from the contract; the machine's own speed aside."""


def test_what_the_code_waits_for_leaves_the_machine_most_of_the_time() -> None:
    """The watch is begun anew, its kind looked for and, at the same time, listed by ourselves."""
    again = kopf.OperatorSettings().watching.reconnect_backoff
    assert again + max(kinds.AGAIN, lister.RETRY) <= WITHIN / 2


@pytest.mark.parametrize("missing", [0.1, 1.0, 59.95, 3600.5])
@pytest.mark.parametrize("not_yet", [[], [429], [503, 429, 503]], ids=["at once", "one 429", "three"])
async def test_a_watch_is_back_soon_however_long_its_definition_was_away(missing: float, not_yet: list[int]) -> None:
    server = Server(OFFSETS)
    found = of(server)
    held = asyncio.create_task(ask(found, server, f"https://kube/apis/connect.lenses.io/v1alpha1/{CONNECTORS}"))
    await asyncio.sleep(missing)
    server.served.add(CONNECTORS)
    server.not_yet = list(not_yet)
    before = now()
    assert await held == 200
    assert now() - before <= kinds.AGAIN * (1 + len(not_yet)) <= WITHIN
    assert found.missing() == []


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_has_its_hands_full_is_kopfs_to_wait_for(status: int) -> None:
    """Where nothing was missing."""
    server = Server(CONNECTORS)
    server.not_yet = [status]
    found = of(server)
    assert await ask(found, server, f"https://kube/apis/connect.lenses.io/v1alpha1/{CONNECTORS}") == status
    assert found.missing() == []


async def test_other_requests_are_left_alone() -> None:
    """A Secret may be missing, and its 404 is nobody's but kopf's."""
    server = Server()
    found = of(server)
    assert await ask(found, server, "https://kube/api/v1/secrets?watch=true") == 404
    assert (server.asked, found.missing()) == (1, [])
