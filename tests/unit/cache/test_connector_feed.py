"""Objects coming in and going: who is woken, and whose connector is still to be deleted."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from lenses_operator.cache.connector_feed import ConnectorFeed
from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.domain.references import RefName
from lenses_operator.resources.base import ObjectKey
from unit.resources.make import body

OWNED = {"ownership": {"state": "Owned"}}
KEY = ObjectKey("LensesConnector", "payments", "orders")
TWIN = ObjectKey("LensesConnector", "other", "orders")


class Rig:
    def __init__(self, read: Callable[[str, RefName], str | None] = lambda *_: None) -> None:
        self.cache = ConnectorCache()
        self.woken: list[ObjectKey] = []
        self.feed = ConnectorFeed(self.cache, self.woken.append, read=read)

    def sees(self, **changes: Any) -> None:
        self.feed.seen(body(**changes))


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_new_object_is_woken_and_our_own_status_is_not(rig: Rig) -> None:
    rig.sees(version=1)
    rig.sees(version=2, status=OWNED)
    assert rig.woken == [KEY]


def test_the_others_about_the_same_connector_are_woken_too(rig: Rig) -> None:
    rig.sees()
    rig.sees(namespace="other", uid="uid-2", age=1)
    assert rig.woken == [KEY, TWIN, KEY]
    rig.woken.clear()
    rig.feed.gone(body())
    assert set(rig.woken) == {KEY, TWIN}


@pytest.mark.parametrize(
    ("changes", "owed"),
    [
        pytest.param({"status": OWNED}, True, id="finalizer and no deletion time: the patch came too late"),
        pytest.param({"status": {"ownership": {"state": "Claiming"}}}, True, id="a claim may have been created"),
        pytest.param({"status": OWNED, "deleting": True}, False, id="finalizer stripped by hand"),
        pytest.param({"status": OWNED, "finalizers": ()}, False, id="no finalizer of ours"),
        pytest.param({"status": OWNED, "finalizers": ("other/one",)}, False, id="somebody else's finalizer"),
        pytest.param({"status": {"ownership": {"state": "NotAdopted"}}}, False, id="never ours"),
        pytest.param({}, False, id="nothing begun"),
    ],
)
def test_whose_connector_is_still_to_be_deleted(rig: Rig, changes: dict[str, Any], owed: bool) -> None:
    rig.sees(**changes)
    rig.woken.clear()
    rig.feed.gone(body(**changes))
    assert (rig.cache.tombstone(KEY) is not None) is owed
    assert rig.cache.get(KEY) is None
    assert rig.woken == [KEY]


def test_what_we_released_ourselves_owes_nothing(rig: Rig) -> None:
    rig.sees(status=OWNED)
    rig.cache.released("uid-1")
    rig.feed.gone(body(status=OWNED))
    assert rig.cache.tombstone(KEY) is None


def test_the_going_of_an_older_object_of_the_name_touches_nothing(rig: Rig) -> None:
    rig.sees(uid="uid-2", status=OWNED)
    rig.woken.clear()
    rig.feed.gone(body(uid="uid-1", status=OWNED))
    assert rig.cache.get(KEY) is not None
    assert rig.cache.tombstone(KEY) is None
    assert rig.woken == []


def test_an_object_that_left_owes_nothing_and_may_come_back(rig: Rig) -> None:
    rig.sees(status=OWNED)
    found = rig.cache.get(KEY)
    assert found is not None
    rig.woken.clear()
    rig.feed.left(found)
    assert rig.cache.get(KEY) is None
    assert rig.cache.tombstone(KEY) is None
    assert rig.woken == [KEY]
    rig.sees(status=OWNED)
    assert rig.cache.get(KEY) is not None


def test_one_that_lost_its_label_before_it_owned_anything_comes_back_with_it(rig: Rig) -> None:
    """With a label selector the watch says DELETED of it, too."""
    rig.sees(version=7)
    rig.feed.gone(body(version=8))
    assert rig.cache.get(KEY) is None
    rig.sees(version=8)
    assert rig.cache.get(KEY) is None
    rig.sees(version=9)
    assert rig.cache.get(KEY) is not None


def test_a_list_brings_what_is_new_and_tells_what_it_lacks(rig: Rig) -> None:
    rig.sees(version=5)
    rig.sees(name="vanished", uid="uid-2", version=6)
    rig.woken.clear()
    rig.feed.listed([body(version=5), body("fresh", uid="uid-3", version=7)])
    assert [resource.metadata.uid for resource in rig.feed.unlisted({"uid-1", "uid-3"})] == ["uid-2"]
    assert [key.name for key in rig.woken] == ["fresh"]
    assert len(rig.cache) == 3


def test_an_object_that_does_not_fit_is_held_and_named_without_its_values(rig: Rig) -> None:
    rig.sees(state="planted-word", config={"k": "planted-value"})
    held = rig.cache.get(KEY)
    assert held is not None
    assert held.schema_mismatch is not None
    assert "spec.state: " in held.schema_mismatch.words
    assert "planted" not in held.schema_mismatch.words
    assert rig.woken == [KEY]
    rig.feed.gone(body(state="planted-word"))
    assert len(rig.cache) == 0


@pytest.mark.parametrize(
    "metadata", [None, "x", [], {}, {"name": 5}, {"name": "orders", "namespace": "payments"}], ids=str
)
def test_what_has_no_metadata_is_passed_over(rig: Rig, caplog: pytest.LogCaptureFixture, metadata: Any) -> None:
    """No API server gives such a one; were it to, the others of its page are taken all the same."""
    with caplog.at_level(logging.ERROR):
        rig.feed.seen(body(state="planted-word") | {"metadata": metadata})
        rig.feed.gone(body() | {"metadata": metadata})
    assert len(rig.cache) == 0
    assert rig.woken == []
    assert "metadata" in caplog.text
    assert "planted" not in caplog.text


@pytest.mark.parametrize(("read", "woken"), [(None, []), ("7", []), ("6", [KEY])])
def test_what_a_first_list_brings_wakes_whoever_has_read_another_version(
    read: str | None, woken: list[ObjectKey]
) -> None:
    """It may have been changed after the pass and before the list. One that was not read yet will be."""
    rig = Rig(lambda *_: read)
    rig.sees(tokenSecretRef={"name": "token", "key": "token"})
    rig.woken.clear()
    secret = {"metadata": {"namespace": "payments", "name": "token", "resourceVersion": "7"}, "data": {"token": "eA=="}}
    rig.feed.reference(None, "Secret", secret)
    assert rig.woken == woken
    rig.feed.reference(None, "Secret", secret)
    assert rig.woken == woken
