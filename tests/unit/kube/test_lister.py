"""Our own list: nothing before it is complete, and absence from it is no proof."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence, Set
from typing import Any

import pytest

from lenses_operator.kube.list_versions import Place
from lenses_operator.kube.lister import RELIST, RETRY, SLICE, Lister
from lenses_operator.kube.writer import Writer
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets
from unit.controllers.virtualtime import START, now
from unit.kube.fakes import SILENT, FakeApi
from unit.resources.make import body, resource
from unit.ticking import ticks_during

pytestmark = pytest.mark.virtual_time


class Sink:
    """Holds what a test says it holds; notes what it is told."""

    def __init__(self, *held: LensesConnector) -> None:
        self.held = list(held)
        self.told: list[tuple[str, str]] = []
        self.lists: list[int] = []
        self.paged: set[str] = set()

    def listed(self, bodies: Sequence[Mapping[str, Any]]) -> None:
        self.paged.update(one["metadata"]["uid"] for one in bodies)

    def unlisted(self, uids: Set[str]) -> list[LensesConnector]:
        assert uids == self.paged, "every page is handed on before anything is missed"
        self.paged.clear()
        self.lists.append(len(uids))
        return [one for one in self.held if one.metadata.uid not in uids]

    def lost(self, resource: LensesConnector) -> None:
        self.told.append(("lost", resource.metadata.name))

    def left(self, resource: LensesConnector) -> None:
        self.told.append(("left", resource.metadata.name))


class OffsetsSink:
    """Nothing is held of the other kind."""

    def listed(self, bodies: Sequence[Mapping[str, Any]]) -> None:
        assert not bodies

    def unlisted(self, uids: Set[str]) -> list[LensesConnectorOffsets]:
        assert not uids
        return []

    def lost(self, resource: LensesConnectorOffsets) -> None:
        raise AssertionError(resource.key)

    left = lost


def lister(api: FakeApi, sink: Sink) -> Lister:
    return Lister(api.as_api(), Writer(api.as_api()), sink, OffsetsSink(), ["payments"], "team=a")


async def test_listed_is_set_by_the_first_good_list_and_not_by_a_failed_one() -> None:
    api, sink = FakeApi(), Sink()
    api.hold(body())
    api.fail("list", SILENT, SILENT)
    subject = lister(api, sink)
    task = asyncio.create_task(subject.run())
    await asyncio.sleep(RETRY)
    assert not subject.listed.is_set()
    await subject.listed.wait()
    assert now() - START <= 2 * RETRY + 1
    assert sink.lists == [1]
    task.cancel()


async def test_it_is_repeated() -> None:
    api, sink = FakeApi(), Sink()
    task = asyncio.create_task(lister(api, sink).run())
    await asyncio.sleep(3 * RELIST + 1)
    assert len(sink.lists) == 4
    task.cancel()


async def test_the_versions_are_those_of_the_first_complete_list_each_given_once() -> None:
    api, sink = FakeApi(), Sink()
    api.page, place = 1, Place("lensesconnectors", "payments")
    for name in ("first", "second"):
        api.hold(body(name, uid=name))
    api.fail("list", SILENT)
    subject = lister(api, sink)
    running = asyncio.create_task(subject.run())
    await asyncio.sleep(RETRY / 2)
    assert subject.versions.take(place) is None, "nothing has been listed yet"
    await subject.listed.wait()
    await api.patch("lensesconnectors", "payments", "first", [])
    await asyncio.sleep(RELIST + 1)
    assert len(sink.lists) == 2
    assert subject.versions.take(place) == "100"
    assert subject.versions.take(place) is None
    running.cancel()


async def test_others_have_their_turn_while_a_page_is_taken() -> None:
    api, sink = FakeApi(), Sink()
    api.page = 10 * SLICE
    for number in range(api.page):
        api.hold(body(f"c-{number}", uid=f"uid-{number}"))
    _, ticks = await ticks_during(lister(api, sink).refresh())
    assert ticks >= api.page / SLICE
    assert sink.lists == [api.page]


async def test_what_is_missing_is_looked_up_one_by_one(api: FakeApi) -> None:
    api.hold(body("kept"))
    api.hold({**body("unlabelled", uid="uid-2"), "unlisted": True})
    api.hold(body("reborn", uid="uid-4"))
    sink = Sink(
        resource("kept"),
        resource("unlabelled", uid="uid-2"),
        resource("vanished", uid="uid-3"),
        resource("reborn", uid="uid-0"),
    )
    task = asyncio.create_task(lister(api, sink).run())
    await asyncio.sleep(1)
    assert sink.told == [("lost", "vanished"), ("lost", "reborn")]
    sink.told.clear()
    await asyncio.sleep(RELIST)
    assert ("left", "unlabelled") in sink.told, "absent twice although it is there: it lost its label"
    task.cancel()


async def test_one_younger_than_the_list_has_not_left(api: FakeApi) -> None:
    api.hold({**body(), "unlisted": True})
    sink = Sink(resource())
    task = asyncio.create_task(lister(api, sink).run())
    await asyncio.sleep(1)
    api.hold(body())
    await asyncio.sleep(2 * RELIST)
    assert sink.told == []
    task.cancel()


async def test_a_look_up_that_fails_concludes_nothing() -> None:
    api, sink = FakeApi(), Sink(resource())
    api.fail("get", SILENT)
    subject = lister(api, sink)
    task = asyncio.create_task(subject.run())
    await asyncio.sleep(RETRY / 2)
    assert sink.told == []
    assert not subject.listed.is_set()
    await asyncio.sleep(RETRY)
    assert sink.told == [("lost", "orders")]
    task.cancel()


async def test_a_refresh_is_begun_after_it_was_asked_for_and_is_one_at_a_time() -> None:
    api, sink = FakeApi(), Sink()
    subject = lister(api, sink)
    running = asyncio.create_task(subject.run())
    await subject.listed.wait()
    lists = len(sink.lists)
    api.hold(body())
    api.fail("list", SILENT)
    begun = now()
    await asyncio.gather(subject.refresh(), subject.refresh())
    assert now() - begun == RETRY
    assert sink.lists[lists:] == [1, 1]
    running.cancel()


async def test_its_age_says_whether_lists_go_on() -> None:
    api, sink = FakeApi(), Sink()
    subject = lister(api, sink)
    running = asyncio.create_task(subject.run())
    api.always("list", SILENT)
    await asyncio.sleep(1000.5)
    assert subject.age <= RETRY, "a list that fails is no list that is stuck"
    running.cancel()
    await asyncio.sleep(1000)
    assert subject.age >= 1000


async def test_one_that_does_not_fit_ends_no_list(api: FakeApi) -> None:
    """It is there, though it is in no list and its form is another by now."""
    api.hold(body(state="flying") | {"unlisted": True})
    sink = Sink(resource())
    listing = lister(api, sink)
    await listing.refresh()
    assert sink.told == []
    await listing.refresh()
    assert sink.told == [("left", "orders")]
