"""What the cache believes, and whom it wakes."""

from __future__ import annotations

from typing import Any

import pytest

from lenses_operator.cache import objects as module
from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import ConnectorKey
from unit.resources.make import owned, resource

KEY = ObjectKey("LensesConnector", "payments", "orders")
CONNECTOR = ConnectorKey("prod", "connect-eu", "orders")


def uids(cache: ConnectorCache, connector: ConnectorKey = CONNECTOR) -> set[str]:
    return {claimant.metadata.uid for claimant in cache.claimants(connector)}


@pytest.fixture
def cache() -> ConnectorCache:
    cache = ConnectorCache()
    assert cache.upsert(resource(version=5))
    return cache


@pytest.mark.parametrize(
    ("changes", "wakes"),
    [
        pytest.param({"generation": 2}, True, id="spec"),
        pytest.param({"deleting": True}, True, id="deletion"),
        pytest.param({"finalizers": ()}, True, id="our finalizer"),
        pytest.param({"uid": "uid-2"}, True, id="another object of the name"),
        pytest.param({"status": {"ownership": {"state": "Owned"}}}, False, id="status is our own writing"),
        pytest.param({"finalizers": ("connect.lenses.io/connector", "other/one")}, False, id="others' finalizer"),
        pytest.param({}, False, id="nothing"),
    ],
)
def test_what_wakes_a_key(cache: ConnectorCache, changes: dict[str, Any], wakes: bool) -> None:
    after = resource(version=6, **changes)
    assert cache.upsert(after) is wakes
    assert cache.get(KEY) is after


@pytest.mark.parametrize("version", ["4", "0", "", "x"])
def test_a_stale_version_is_ignored(cache: ConnectorCache, version: str) -> None:
    assert not cache.upsert(resource(version=version, generation=9))
    found = cache.get(KEY)
    assert found is not None
    assert found.metadata.generation == 1


def test_versions_are_compared_as_numbers() -> None:
    cache = ConnectorCache()
    cache.upsert(resource(version=99))
    assert cache.upsert(resource(version=100, generation=2))
    assert not cache.upsert(resource(version=99, generation=1))


def test_it_knows_exactly_which_state_it_holds(cache: ConnectorCache) -> None:
    def news(uid: str, version: int) -> bool:
        body = {"metadata": {"namespace": KEY.namespace, "name": KEY.name, "uid": uid, "resourceVersion": str(version)}}
        return cache.is_news(body)

    assert not news("uid-1", 5)
    assert news("uid-1", 6)
    assert news("uid-2", 5)
    cache.upsert(resource(uid="uid-2", version=6))
    assert news("uid-1", 5)
    cache.remove(KEY, "uid-2")
    assert news("uid-2", 6)


class TestRemoval:
    def test_gives_the_last_body(self, cache: ConnectorCache) -> None:
        last = cache.remove(KEY, "uid-1")
        assert last is not None
        assert last.metadata.resource_version == "5"
        assert len(cache) == 0
        assert cache.get(KEY) is None
        assert uids(cache) == set()

    def test_of_another_object_of_the_name_removes_nothing(self, cache: ConnectorCache) -> None:
        assert cache.remove(KEY, "uid-0") is None
        assert cache.get(KEY) is not None

    @pytest.mark.parametrize("version", [4, 5, 99])
    def test_what_is_gone_never_comes_back_through_an_old_list(self, cache: ConnectorCache, version: int) -> None:
        cache.remove(KEY, "uid-1")
        assert not cache.upsert(resource(version=version))
        assert cache.get(KEY) is None
        assert cache.upsert(resource(uid="uid-2", version=version))

    def test_before_it_was_ever_seen_counts_as_well(self) -> None:
        cache = ConnectorCache()
        assert cache.remove(KEY, "uid-1") is None
        assert not cache.upsert(resource())

    def test_what_went_long_ago_is_forgotten(self, cache: ConnectorCache, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "REMEMBERED", 2)
        for uid in ("uid-1", "uid-2", "uid-3"):
            cache.remove(KEY, uid)
        assert not cache.upsert(resource(uid="uid-2"))
        assert cache.upsert(resource(uid="uid-1"))

    def test_leaving_is_not_going(self, cache: ConnectorCache) -> None:
        cache.leave(KEY)
        assert cache.get(KEY) is None
        assert cache.upsert(resource(version=6))

    def test_our_own_release_is_told_once(self, cache: ConnectorCache) -> None:
        assert not cache.was_released("uid-1")
        cache.released("uid-1")
        assert cache.was_released("uid-1")
        assert not cache.was_released("uid-1")


class TestIndex:
    def test_by_connector_whatever_the_object_is_called(self, cache: ConnectorCache) -> None:
        cache.upsert(resource("other", uid="uid-2"))
        twin = resource("twin", uid="uid-3").model_copy(
            update={"spec": resource().spec.model_copy(update={"name": "orders"})}
        )
        cache.upsert(twin)
        assert uids(cache) == {"uid-1", "uid-3"}
        assert cache.siblings(twin) == [KEY]

    @pytest.mark.parametrize("changes", [{"environment": "dev"}, {"cluster": "us"}])
    def test_another_environment_or_cluster_is_another_connector(
        self, cache: ConnectorCache, changes: dict[str, str]
    ) -> None:
        cache.upsert(resource("orders", namespace="other", uid="uid-2", **changes))
        assert uids(cache) == {"uid-1"}

    def test_a_new_object_of_the_name_takes_its_place(self, cache: ConnectorCache) -> None:
        cache.upsert(resource(uid="uid-2", version=6, cluster="us"))
        assert uids(cache) == set()
        assert uids(cache, CONNECTOR._replace(cluster="us")) == {"uid-2"}


class TestTombstones:
    def test_still_claim_their_connector(self, cache: ConnectorCache) -> None:
        last = cache.remove(KEY, "uid-1")
        assert last is not None
        cache.record_lost(last)
        assert cache.tombstone(KEY) is not None
        assert uids(cache) == {"uid-1"}
        young = resource("young", namespace="other", uid="uid-2").model_copy(update={"spec": last.spec})
        assert cache.siblings(young) == []
        cache.drop_tombstone(KEY)
        assert cache.tombstone(KEY) is None
        assert uids(cache) == set()

    def test_and_so_does_a_new_object_of_the_same_name(self, cache: ConnectorCache) -> None:
        last = cache.remove(KEY, "uid-1")
        assert last is not None
        cache.record_lost(last)
        cache.upsert(resource(uid="uid-2", version=6))
        assert uids(cache) == {"uid-1", "uid-2"}
        cache.drop_tombstone(KEY)
        assert uids(cache) == {"uid-2"}

    def test_outlive_a_new_object_of_the_same_name(self, cache: ConnectorCache) -> None:
        last = cache.remove(KEY, "uid-1")
        assert last is not None
        cache.record_lost(last)
        cache.upsert(resource(uid="uid-2", version=6))
        cache.remove(KEY, "uid-2")
        assert uids(cache) == {"uid-1"}

    def test_an_object_that_is_there_after_all_may_come_back(self, cache: ConnectorCache) -> None:
        last = cache.remove(KEY, "uid-1")
        assert last is not None
        cache.record_lost(last)
        cache.restore(KEY)
        assert cache.tombstone(KEY) is None
        assert cache.upsert(resource(version=5))

    def test_reviving_nothing_is_nothing(self, cache: ConnectorCache) -> None:
        cache.restore(KEY)
        cache.drop_tombstone(KEY)
        assert uids(cache) == {"uid-1"}


def test_iterating_is_safe_while_it_changes(cache: ConnectorCache) -> None:
    for one in cache:
        cache.remove(one.key, one.metadata.uid)
        cache.upsert(owned("new", uid="uid-9"))
    assert len(cache) == 1
