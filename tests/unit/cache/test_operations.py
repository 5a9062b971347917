"""What is known of the offsets resources, and whom news of one of them wakes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lenses_operator.aside import AT_ONCE
from lenses_operator.cache.operations import OperationCache, OperationFeed, connector_key
from lenses_operator.resources.base import ObjectKey
from unit.offsets.make import body, operation
from unit.resources.make import owned


def connector(name: str = "orders") -> ObjectKey:
    return ObjectKey("LensesConnector", "payments", name)


@pytest.fixture
def woken() -> list[ObjectKey]:
    return []


@pytest.fixture
def cache() -> OperationCache:
    return OperationCache()


@pytest.fixture
def feed(cache: OperationCache, woken: list[ObjectKey]) -> OperationFeed:
    return OperationFeed(cache, woken.append)


def status(phase: str, generation: int = 1) -> dict[str, Any]:
    return {"observedGeneration": generation, "phase": phase}


def test_news_wakes_it_its_connector_and_the_line(feed: OperationFeed, woken: list[ObjectKey]) -> None:
    feed.seen(body("first"))
    woken.clear()
    feed.seen(body("second", uid="off-2"))
    assert set(woken) == {operation("first").key, operation("second").key, connector()}


def test_our_own_writes_wake_nobody_within_a_phase(feed: OperationFeed, woken: list[ObjectKey]) -> None:
    feed.seen(body(status=status("Stopping")))
    woken.clear()
    feed.seen(body(version=2, status=status("Stopping") | {"message": "stopping"}))
    assert woken == []
    feed.seen(body(version=3, generation=2))
    assert woken != []


def test_a_new_phase_wakes_the_line_whoever_brings_it(feed: OperationFeed, woken: list[ObjectKey]) -> None:
    """The write that brought it may have had no answer."""
    feed.seen(body("first"))
    feed.seen(body("second", uid="off-2"))
    woken.clear()
    feed.seen(body("first", version=2, status=status("Applied")))
    assert {operation("second").key, connector()} <= set(woken)


@pytest.mark.parametrize("size", [1, AT_ONCE])
def test_an_operation_that_comes_in_the_middle_of_a_pass_is_a_change(cache: OperationCache, size: int) -> None:
    entries = json.dumps([{"partition": {"f": "x" * size}, "offset": {"position": 1}}])
    assert cache.holds_as_before(owned(), False, None)
    cache.upsert(operation(offsetsJson=entries))
    assert not cache.holds_as_before(owned(), False, None)
    first, held = cache.first(owned()), cache.holding(owned()) is not None
    assert (held, cache.holds_as_before(owned(), held, first)) == (True, True)
    cache.upsert(operation(version=2, generation=2, offsetsJson=entries))
    assert cache.holds_as_before(owned(), held, first) is (size == 1)
    cache.remove(operation().key, operation().metadata.uid)
    assert not cache.holds_as_before(owned(), held, first)


def test_what_is_stale_is_not_taken(cache: OperationCache) -> None:
    assert cache.upsert(operation(version=5))
    assert not cache.upsert(operation(version=4, generation=2))
    assert cache.get(operation().key) == operation(version=5)


def test_what_is_gone_does_not_come_back(cache: OperationCache, feed: OperationFeed) -> None:
    feed.seen(body())
    feed.gone(body(version=10))  # the end is the last of its versions
    assert not cache.upsert(operation(version=9))
    assert cache.holding(owned()) is None
    assert cache.upsert(operation(uid="off-2", version=10))


def test_nor_through_a_list_that_was_begun_before_its_end(cache: OperationCache, feed: OperationFeed) -> None:
    feed.gone(body(version=10))
    feed.listed([body(version=9)])
    assert cache.get(operation().key) is None


def test_one_that_lost_its_label_comes_back_with_it(cache: OperationCache, feed: OperationFeed) -> None:
    """With a label selector the watch says DELETED of it, too."""
    feed.seen(body())
    feed.gone(body(version=8))
    feed.seen(body(version=9))
    assert cache.get(operation().key) == operation(version=9)
    feed.left(operation(version=9))
    assert cache.get(operation().key) is None
    feed.listed([body(version=9)])
    assert cache.get(operation().key) == operation(version=9)


def test_another_object_of_the_name_for_another_connector(
    cache: OperationCache, feed: OperationFeed, woken: list[ObjectKey]
) -> None:
    """A watch that was interrupted shows no deletion in between."""
    feed.seen(body())
    woken.clear()
    feed.seen(body(uid="off-2", version=2, connectorRef={"name": "other"}))
    assert cache.of(connector()) == []
    assert [one.metadata.uid for one in cache.of(connector("other"))] == ["off-2"]
    assert {connector(), connector("other")} <= set(woken)


def test_the_end_of_an_earlier_object_of_the_name(cache: OperationCache, feed: OperationFeed) -> None:
    feed.seen(body(uid="off-2", version=2))
    feed.gone(body(uid="off-1"))
    assert cache.get(operation().key) is not None


def test_a_full_list_names_what_is_missing(feed: OperationFeed) -> None:
    feed.seen(body("first", uid="off-1"))
    feed.seen(body("second", uid="off-2"))
    assert [one.metadata.name for one in feed.unlisted({"off-2"})] == ["first"]


class TestHolding:
    @pytest.mark.parametrize(
        ("operations", "wanted"),
        [
            ([], None),
            ([{}], "n0"),
            ([{"action": "Observe"}], None),
            ([{"age": 5}, {"age": 3}], "n1"),
            ([{"age": 3}, {"age": 5, "status": status("Applying")}], "n1"),
            ([{"age": 3, "status": {**status("Applied"), "appliedGeneration": 1}}, {"age": 5}], "n1"),
            ([{"age": 3, "status": status("Failed")}, {"age": 5}], "n1"),
            ([{"status": status("Failed"), "generation": 2}], "n0"),
            ([{"status": {**status("Applied"), "appliedGeneration": 1}, "generation": 2}], "n0"),
            ([{"offsetsJson": "nonsense"}], None),
        ],
    )
    def test_who(self, cache: OperationCache, operations: list[dict[str, Any]], wanted: str | None) -> None:
        for number, fields in enumerate(operations):
            cache.upsert(operation(f"n{number}", uid=f"off-{number}", **fields))
        held = cache.holding(owned())
        assert (held.metadata.name if held else None) == wanted

    def test_not_of_another_namespace(self, cache: OperationCache) -> None:
        cache.upsert(operation(namespace="other"))
        assert cache.holding(owned()) is None

    @pytest.mark.parametrize("phase", ["Pending", "Stopping", "Applying"])
    def test_suspended(self, cache: OperationCache, phase: str) -> None:
        cache.upsert(operation(status=status(phase)))
        assert (cache.holding(owned(suspend=True)) is None) == (phase == "Pending")

    def test_never_against_deletion(self, cache: OperationCache) -> None:
        cache.upsert(operation(status=status("Applying")))
        assert cache.holding(owned(deleting=True)) is None

    def test_its_connector(self) -> None:
        assert connector_key(operation()) == owned().key
