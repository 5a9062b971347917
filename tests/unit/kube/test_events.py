"""Events beside the work: counted, and never in its way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from lenses_operator.kube import events as module
from lenses_operator.kube.api import KubeError
from lenses_operator.kube.events import NOTE_LIMIT, Events
from unit.kube.fakes import GONE, REFUSED, FakeApi
from unit.resources.make import resource


@pytest.fixture
async def events(api: FakeApi) -> AsyncIterator[Events]:
    found = Events(api.as_api(), api.sleep)
    task = asyncio.create_task(found.run())
    yield found
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_event_is_about_its_object(api: FakeApi, events: Events) -> None:
    events.emit(resource(), "Warning", "TaskFailed", "1 of 2 tasks failed.")
    await events.drain()
    [event] = api.events.values()
    assert event["involvedObject"] == {
        "apiVersion": "connect.lenses.io/v1alpha1",
        "kind": "LensesConnector",
        "name": "orders",
        "namespace": "payments",
        "uid": "uid-1",
    }
    assert (event["type"], event["reason"], event["message"]) == ("Warning", "TaskFailed", "1 of 2 tasks failed.")
    assert event["count"] == 1
    assert event["firstTimestamp"] == event["lastTimestamp"]


async def test_the_same_again_raises_the_count(api: FakeApi, events: Events) -> None:
    for _ in range(3):
        events.emit(resource(), "Normal", "Created", "Created it.")
    await events.drain()
    [event] = api.events.values()
    assert event["count"] == 3
    assert api.event_calls == ["create", "patch", "patch"]


async def test_other_words_another_reason_or_another_object_are_another_event(api: FakeApi, events: Events) -> None:
    events.emit(resource(), "Normal", "Created", "a")
    events.emit(resource(), "Normal", "Created", "b")
    events.emit(resource(), "Normal", "Paused", "a")
    events.emit(resource(uid="uid-2"), "Normal", "Created", "a")
    await events.drain()
    assert [event["count"] for event in api.events.values()] == [1, 1, 1, 1]


async def test_one_that_has_expired_is_written_anew(api: FakeApi, events: Events) -> None:
    events.emit(resource(), "Normal", "Created", "a")
    await events.drain()
    api.fail("patch_event", GONE)
    events.emit(resource(), "Normal", "Created", "a")
    events.emit(resource(), "Normal", "Created", "a")
    await events.drain()
    assert sorted(event["count"] for event in api.events.values()) == [1, 2]


@pytest.mark.parametrize("failure", [GONE, KubeError("create event", 422, "invalid")])
async def test_a_refused_event_is_given_up_without_a_retry_and_the_next_one_is_written(
    api: FakeApi, events: Events, failure: KubeError
) -> None:
    api.fail("create_event", failure)
    events.emit(resource(), "Normal", "First", "a")
    events.emit(resource(), "Normal", "Second", "b")
    await events.drain()
    assert [event["reason"] for event in api.events.values()] == ["Second"]
    assert api.event_calls == ["create", "create"]


async def test_in_a_terminating_namespace_one_is_tried_and_the_others_are_let_go(api: FakeApi, events: Events) -> None:
    """The same name in a namespace that comes anew is another object, whose Events are written."""
    api.fail("create_event", REFUSED)
    for number in range(5):
        events.emit(resource(), "Normal", f"R{number}", "a")
    await events.drain()
    events.emit(resource(), "Normal", "Deleted", "a")
    events.emit(resource(uid="uid-2"), "Normal", "Created", "a")
    await events.drain()
    assert [event["reason"] for event in api.events.values()] == ["Created"]
    assert api.event_calls == ["create", "create"]


AWAY = [KubeError("create event", status, "away") for status in (0, 429, 500, 503)]


@pytest.mark.parametrize("failure", AWAY, ids=lambda error: str(error.status))
async def test_while_the_api_server_is_away_it_is_tried_again_within_a_bound(
    api: FakeApi, events: Events, failure: KubeError
) -> None:
    api.fail("create_event", failure, failure)
    events.emit(resource(), "Normal", "First", "a")
    await events.drain()
    api.fail("create_event", failure, failure, failure)
    events.emit(resource(), "Normal", "Lost", "a")
    events.emit(resource(), "Normal", "Last", "a")
    await events.drain()
    api.fail("patch_event", failure)
    events.emit(resource(), "Normal", "Last", "a")
    await events.drain()
    assert [(event["reason"], event["count"]) for event in api.events.values()] == [("First", 1), ("Last", 2)]
    assert api.slept == [0.5, 2.0, 0.5, 2.0, 0.5]


async def test_one_that_was_written_though_the_answer_was_lost_is_there_once_and_is_counted_on(
    api: FakeApi, events: Events
) -> None:
    api.lose_answer("create_event")
    events.emit(resource(), "Normal", "Created", "a")
    events.emit(resource(), "Normal", "Created", "a")
    await events.drain()
    assert [event["count"] for event in api.events.values()] == [2]


async def test_many_different_words_of_one_reason_become_one_event(api: FakeApi, events: Events) -> None:
    for number in range(15):
        events.emit(resource(), "Warning", "TaskFailed", f"failure {number}")
    events.emit(resource(), "Normal", "Paused", "other reasons are told as ever")
    await events.drain()
    *plain, combined, paused = api.events.values()
    assert [event["message"] for event in plain] == [f"failure {number}" for number in range(10)]
    assert (combined["message"], combined["count"]) == ("(combined from similar events): failure 14", 5)
    assert paused["reason"] == "Paused"


async def test_a_resource_that_never_stops_talking_leaves_room_for_the_others(api: FakeApi, events: Events) -> None:
    for number in range(2000):
        events.emit(resource(), "Normal", "Resumed" if number % 2 else "Paused", "again")
    events.emit(resource("other", uid="uid-2"), "Normal", "Created", "a")
    await events.drain()
    counts = {event["reason"]: event["count"] for event in api.events.values()}
    assert counts == {"Paused": 13, "Resumed": 12, "Created": 1}


async def test_when_too_many_wait_the_newest_is_dropped_and_nobody_waits(
    api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    events = Events(api.as_api())
    with caplog.at_level(logging.WARNING):
        for number in range(1002):
            events.emit(resource(uid=f"uid-{number}"), "Normal", f"R{number}", "a")
    assert [record.message for record in caplog.records] == ["Events are dropped, since 1000 wait to be written"]
    task = asyncio.create_task(events.run())
    await events.drain()
    task.cancel()
    reasons = [event["reason"] for event in api.events.values()]
    assert (len(reasons), reasons[-1]) == (1000, "R999")


async def test_a_message_fits_what_the_api_server_takes(api: FakeApi, events: Events) -> None:
    events.emit(resource("n" * 253), "Normal", "Created", "x" * 5000)
    await events.drain()
    [(name, event)] = api.events.items()
    assert len(event["message"]) == NOTE_LIMIT
    assert len(name) <= 253


async def test_what_is_remembered_is_bounded(api: FakeApi, events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    for words in ("a", "b", "a", "c", "a", "b"):  # b is the one not heard of for longest
        events.emit(resource(), "Normal", "R", words)
    await events.drain()
    counts = {(event["message"], event["count"]) for event in api.events.values()}
    assert counts == {("a", 3), ("b", 1), ("c", 1)}
    assert len(api.events) == 4
