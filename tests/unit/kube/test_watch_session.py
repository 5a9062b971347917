"""kopf itself on an API server of few answers: it is shown what is news, and goes on from the version of the rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from typing import Any, cast

import kopf
import pytest
from aiohttp import web

from lenses_operator import handlers
from lenses_operator.cache.connector_feed import ConnectorFeed
from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.cache.operations import OperationCache, OperationFeed
from lenses_operator.kube.api import KubeApi
from lenses_operator.kube.kinds import Kinds
from lenses_operator.kube.list_versions import ListVersions, Place
from lenses_operator.resources.base import GROUP, VERSION
from lenses_operator.resources.connector import PLURAL
from lenses_operator.resources.connector_offsets import PLURAL as OFFSETS
from unit.resources.make import body
from unit.serving import serving

EMPTY: Mapping[Place, str] = {}
BOUND = 20.0
"""Seconds after which nothing more is waited for."""
KINDS = {PLURAL: "LensesConnector", OFFSETS: "LensesConnectorOffsets"}
LIST = {"resourceVersion": "100"}
Event = tuple[str, dict[str, Any]]


class ApiServer:
    """Lists `objects`, and tells the first watch of `events`; `since` is what each watch has asked to go on from, and
    `lists` the limits that lists of connectors have asked for. `answers`: statuses of the first lists."""

    def __init__(self) -> None:
        self.objects: list[dict[str, Any]] = []
        self.events: list[Event] = []
        self.since: asyncio.Queue[str] = asyncio.Queue()
        self.lists: list[str] = []
        self.answers: list[int] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        match request.path.strip("/").split("/"):
            case ["api"]:
                return web.json_response({"versions": ["v1"]})
            case ["apis"]:
                version = {"version": VERSION}
                return web.json_response(
                    {"groups": [{"name": GROUP, "versions": [version], "preferredVersion": version}]}
                )
            case ["api", _] | ["apis", _, _] as path:
                kinds = KINDS if len(path) == 3 else {"namespaces": "Namespace"}
                named = [{"name": plural, "kind": kind} for plural, kind in kinds.items()]
                common = {"singularName": "", "namespaced": True, "verbs": ["list", "watch", "patch"]}
                return web.json_response({"resources": [one | common for one in named]})
            case ["apis", _, _, plural] | ["apis", _, _, "namespaces", "payments", plural]:
                return await self._objects(request, mine=plural == PLURAL)
        raise web.HTTPNotFound

    async def _objects(self, request: web.Request, *, mine: bool) -> web.StreamResponse:
        if "watch" not in request.query:
            return self._list(request.query["limit"]) if mine else web.json_response({"metadata": LIST, "items": []})
        answer = web.StreamResponse()
        await answer.prepare(request)
        if mine:
            self.since.put_nowait(request.query["resourceVersion"])
            events, self.events = self.events, []
            for kind, shown in events:
                event = json.dumps({"type": kind, "object": shown}, separators=(",", ":"))
                await answer.write(event.encode() + b"\n")
            if events:
                return answer  # the watch ends, and kopf begins the next
        await asyncio.sleep(BOUND)
        return answer

    def _list(self, limit: str) -> web.Response:
        self.lists.append(limit)
        status = self.answers.pop(0) if self.answers else 200
        if status != 200:
            return web.json_response({"kind": "Status", "code": status, "message": "no"}, status=status)
        shown = self.objects[: int(limit)]
        more = {"continue": "more"} if len(shown) < len(self.objects) else {}
        return web.json_response({"metadata": LIST | more, "items": shown})


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    found = ApiServer()
    async with serving(found.handle) as found.url:
        yield found


class Recording(ConnectorFeed):
    """What kopf hands over, in turn."""

    def __init__(self, cache: ConnectorCache) -> None:
        super().__init__(cache, lambda _: None)
        self.told: list[tuple[str, str]] = []

    def seen(self, body: Any) -> None:
        self.told.append(("seen", body["metadata"]["resourceVersion"]))
        super().seen(body)

    def gone(self, body: Any) -> None:
        self.told.append(("gone", body["metadata"]["resourceVersion"]))
        super().gone(body)


def watches(
    feed: ConnectorFeed, versions: Mapping[Place, str] = EMPTY, namespaces: Sequence[str] = ()
) -> Coroutine[Any, Any, None]:
    """`versions`: of our own lists."""
    known = ListVersions()
    known.listed(versions)

    class Served:
        async def serves(self, *_: object) -> bool:
            return True

    operations = OperationFeed(OperationCache(), lambda _: None)
    kinds = Kinds(cast("KubeApi", Served()), ())
    return handlers.watch(feed, operations, kinds, known, namespaces, "", watch_references=False)


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, BOUND)


@pytest.fixture
def feed(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> Recording:
    """Of one connector it holds version 5, as our own list or the answer to a write of ours has brought it."""
    monkeypatch.setattr(handlers, "_credentials", lambda **_: kopf.ConnectionInfo(server=server.url))
    cache = ConnectorCache()
    feed = Recording(cache)
    feed.listed([body(version=5)])
    feed.told.clear()
    return feed


SECOND = body("second", uid="uid-2", version=7)


@pytest.mark.parametrize(
    ("listed", "events", "told", "since"),
    [
        pytest.param([body(version=5)], [("MODIFIED", body(version=5))], [], "5", id="known"),
        pytest.param([], [("MODIFIED", body(version=6))], [("seen", "6")], "6", id="changed"),
        pytest.param([], [("MODIFIED", body(version=4))], [("seen", "4")], "4", id="older"),
        pytest.param([], [("ADDED", body(version=5))], [], "5", id="known-again"),
        pytest.param([], [("MODIFIED", body(uid="uid-3", version=5))], [("seen", "5")], "5", id="another-of-the-name"),
        pytest.param([], [("DELETED", body(version=5))], [("gone", "5")], "5", id="gone-as-it-is-known"),
        pytest.param(
            [body(version=6)], [("DELETED", SECOND)], [("gone", "7"), ("seen", "6")], "7", id="changed-in-the-list"
        ),
        pytest.param(
            [body(version=5), SECOND],
            [("MODIFIED", body(version=5)), ("DELETED", body(version=8))],
            [("gone", "8"), ("seen", "7")],
            "8",
            id="among-others",
        ),
    ],
)
async def test_kopf_is_shown_what_is_news_and_goes_on_from_the_last_version(
    server: ApiServer,
    feed: Recording,
    listed: list[dict[str, Any]],
    events: list[Event],
    told: list[tuple[str, str]],
    since: str,
) -> None:
    server.objects, server.events = listed, events
    watching = asyncio.create_task(watches(feed))
    assert await asyncio.wait_for(server.since.get(), BOUND) == "100", "the first watch goes on from the list"
    assert await asyncio.wait_for(server.since.get(), BOUND) == since
    async with asyncio.timeout(BOUND):
        while len(feed.told) < len(told):
            await asyncio.sleep(0.01)
    await ended(watching)
    assert sorted(feed.told) == told  # of one object after another, in any order


@pytest.mark.parametrize("namespaces", [(), ("payments",)])
async def test_the_watch_goes_on_from_our_own_list_and_is_told_what_has_gone_since(
    server: ApiServer, feed: Recording, namespaces: tuple[str, ...]
) -> None:
    """Thousands of objects are not listed once more."""
    server.objects = [body(version=5), SECOND]
    server.events = [("DELETED", body(version=91))]
    place = Place(PLURAL, namespaces[0] if namespaces else None)
    watching = asyncio.create_task(watches(feed, {place: "90"}, namespaces))
    assert await asyncio.wait_for(server.since.get(), BOUND) == "90"
    assert await asyncio.wait_for(server.since.get(), BOUND) == "91"
    await ended(watching)
    assert server.lists == ["1"]
    assert feed.told == [("gone", "91")]


TOO_OLD: Event = ("ERROR", {"kind": "Status", "code": 410, "message": "too old resource version"})


@pytest.mark.parametrize(
    ("answers", "events", "since"),
    [pytest.param([200], [TOO_OLD], ["90", "100"], id="too-old"), pytest.param([500], [], ["100"], id="list-fails")],
)
async def test_a_watch_that_cannot_go_on_from_our_list_begins_with_the_api_servers(
    server: ApiServer, feed: Recording, answers: list[int], events: list[Event], since: list[str]
) -> None:
    server.objects, server.answers, server.events = [body(version=5), SECOND], answers, events
    watching = asyncio.create_task(watches(feed, {Place(PLURAL, None): "90"}))
    for version in since:
        assert await asyncio.wait_for(server.since.get(), BOUND) == version
    async with asyncio.timeout(BOUND):
        while not feed.told:
            await asyncio.sleep(0.01)
    await ended(watching)
    assert server.lists == ["1", "200"]
    assert feed.told == [("seen", "7")]


async def test_the_version_of_another_list_is_not_taken(server: ApiServer, feed: Recording) -> None:
    versions = {Place(PLURAL, "payments"): "90", Place(OFFSETS, None): "91"}
    watching = asyncio.create_task(watches(feed, versions))
    assert await asyncio.wait_for(server.since.get(), BOUND) == "100"
    await ended(watching)
    assert server.lists == ["200"]
