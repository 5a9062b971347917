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
def store() -> OperationCache:
    return OperationCache()


@pytest.fixture
def intake(store: OperationCache, woken: list[ObjectKey]) -> OperationFeed:
    return OperationFeed(store, woken.append)


def status(phase: str, generation: int = 1) -> dict[str, Any]:
    return {"observedGeneration": generation, "phase": phase}


def test_news_wakes_it_its_connector_and_the_line(intake: OperationFeed, woken: list[ObjectKey]) -> None:
    intake.seen(body("first"))
    woken.clear()
    intake.seen(body("second", uid="off-2"))
    assert set(woken) == {operation("first").key, operation("second").key, connector()}


def test_our_own_writes_wake_nobody_within_a_phase(intake: OperationFeed, woken: list[ObjectKey]) -> None:
    intake.seen(body(status=status("Stopping")))
    woken.clear()
    intake.seen(body(version=2, status=status("Stopping") | {"message": "stopping"}))
    assert woken == []
    intake.seen(body(version=3, generation=2))
    assert woken != []


def test_a_new_phase_wakes_the_line_whoever_brings_it(intake: OperationFeed, woken: list[ObjectKey]) -> None:
    """The write that brought it may have had no answer."""
    intake.seen(body("first"))
    intake.seen(body("second", uid="off-2"))
    woken.clear()
    intake.seen(body("first", version=2, status=status("Applied")))
    assert {operation("second").key, connector()} <= set(woken)


@pytest.mark.parametrize("size", [1, AT_ONCE])
def test_an_operation_that_comes_in_the_middle_of_a_pass_is_a_change(store: OperationCache, size: int) -> None:
    entries = json.dumps([{"partition": {"f": "x" * size}, "offset": {"position": 1}}])
    assert store.holds_as_before(owned(), False, None)
    store.upsert(operation(offsetsJson=entries))
    assert not store.holds_as_before(owned(), False, None)
    first, held = store.first(owned()), store.holding(owned()) is not None
    assert (held, store.holds_as_before(owned(), held, first)) == (True, True)
    store.upsert(operation(version=2, generation=2, offsetsJson=entries))
    assert store.holds_as_before(owned(), held, first) is (size == 1)
    store.remove(operation().key, operation().metadata.uid)
    assert not store.holds_as_before(owned(), held, first)


def test_what_is_stale_is_not_taken(store: OperationCache) -> None:
    assert store.upsert(operation(version=5))
    assert not store.upsert(operation(version=4, generation=2))
    assert store.get(operation().key) == operation(version=5)


def test_what_is_gone_does_not_come_back(store: OperationCache, intake: OperationFeed) -> None:
    intake.seen(body())
    intake.gone(body(version=10))  # the end is the last of its versions
    assert not store.upsert(operation(version=9))
    assert store.holding(owned()) is None
    assert store.upsert(operation(uid="off-2", version=10))


def test_nor_through_a_list_that_was_begun_before_its_end(store: OperationCache, intake: OperationFeed) -> None:
    intake.gone(body(version=10))
    intake.listed([body(version=9)])
    assert store.get(operation().key) is None


def test_one_that_lost_its_label_comes_back_with_it(store: OperationCache, intake: OperationFeed) -> None:
    """With a label selector the watch says DELETED of it, too."""
    intake.seen(body())
    intake.gone(body(version=8))
    intake.seen(body(version=9))
    assert store.get(operation().key) == operation(version=9)
    intake.left(operation(version=9))
    assert store.get(operation().key) is None
    intake.listed([body(version=9)])
    assert store.get(operation().key) == operation(version=9)


def test_another_object_of_the_name_for_another_connector(
    store: OperationCache, intake: OperationFeed, woken: list[ObjectKey]
) -> None:
    """A watch that was interrupted shows no deletion in between."""
    intake.seen(body())
    woken.clear()
    intake.seen(body(uid="off-2", version=2, connectorRef={"name": "other"}))
    assert store.of(connector()) == []
    assert [one.metadata.uid for one in store.of(connector("other"))] == ["off-2"]
    assert {connector(), connector("other")} <= set(woken)


def test_the_end_of_an_earlier_object_of_the_name(store: OperationCache, intake: OperationFeed) -> None:
    intake.seen(body(uid="off-2", version=2))
    intake.gone(body(uid="off-1"))
    assert store.get(operation().key) is not None


def test_a_full_list_names_what_is_missing(intake: OperationFeed) -> None:
    intake.seen(body("first", uid="off-1"))
    intake.seen(body("second", uid="off-2"))
    assert [one.metadata.name for one in intake.unlisted({"off-2"})] == ["first"]


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
    def test_who(self, store: OperationCache, operations: list[dict[str, Any]], wanted: str | None) -> None:
        for number, fields in enumerate(operations):
            store.upsert(operation(f"n{number}", uid=f"off-{number}", **fields))
        held = store.holding(owned())
        assert (held.metadata.name if held else None) == wanted

    def test_not_of_another_namespace(self, store: OperationCache) -> None:
        store.upsert(operation(namespace="other"))
        assert store.holding(owned()) is None

    @pytest.mark.parametrize("phase", ["Pending", "Stopping", "Applying"])
    def test_suspended(self, store: OperationCache, phase: str) -> None:
        store.upsert(operation(status=status(phase)))
        assert (store.holding(owned(suspend=True)) is None) == (phase == "Pending")

    def test_never_against_deletion(self, store: OperationCache) -> None:
        store.upsert(operation(status=status("Applying")))
        assert store.holding(owned(deleting=True)) is None

    def test_its_connector(self) -> None:
        assert connector_key(operation()) == owned().key
