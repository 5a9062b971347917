"""What is remembered by key is let go with what it is about."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from lenses_operator.cache import connectors as store_module
from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.cache.operations import OperationCache
from lenses_operator.controllers.connector.as_code import AsCode
from lenses_operator.domain.references import RefName
from lenses_operator.lenses_state.reader import ALIVE_FOR, PLUGINS_FOR, Reader
from lenses_operator.lenses_state.sessions import Sessions
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import ConnectorKey
from unit.offsets.make import operation
from unit.resources.make import owned, resource

KEY = ObjectKey("LensesConnector", "payments", "orders")
GIVEN = [{"secretRef": {"name": "s"}}]
SECRET = ("payments", RefName("Secret", "s"))


def test_releases_whose_end_is_never_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "REMEMBERED", 2)
    cache = ConnectorCache()
    for uid in ("uid-1", "uid-2", "uid-3"):
        cache.released(uid)
    assert [cache.was_released(uid) for uid in ("uid-1", "uid-2", "uid-3")] == [False, True, True]


class TestReferences:
    def test_go_with_the_last_object_that_names_them(self) -> None:
        cache = ConnectorCache()
        cache.upsert(resource(configFrom=GIVEN))
        cache.upsert(resource("other", uid="uid-2", configFrom=GIVEN))
        cache.remove(KEY, "uid-1")
        assert cache.refers(*SECRET)
        cache.upsert(resource("other", uid="uid-2", version=2))
        assert not cache.refers(*SECRET)
        assert not cache._by_reference

    def test_stay_with_a_tombstone(self) -> None:
        cache = ConnectorCache()
        last = owned(configFrom=GIVEN)
        cache.upsert(last)
        cache.remove(KEY, "uid-1")
        cache.record_lost(last)
        assert cache.refers(*SECRET)
        assert cache.names(last.connector)
        cache.upsert(resource(uid="uid-2", cluster="us"))
        assert cache.referrers(*SECRET) == [KEY]
        cache.drop_tombstone(KEY)
        assert not cache.refers(*SECRET)
        assert not cache.names(last.connector)

    def test_of_a_new_object_outlive_the_tombstone_of_an_old_one(self) -> None:
        cache = ConnectorCache()
        cache.record_lost(owned(configFrom=GIVEN))
        cache.upsert(resource(uid="uid-2", configFrom=GIVEN))
        cache.drop_tombstone(KEY)
        assert cache.referrers(*SECRET) == [KEY]


def test_offsets_of_a_connector_that_has_none_any_more() -> None:
    cache = OperationCache()
    cache.upsert(operation())
    cache.upsert(operation(uid="off-2", version=2, connectorRef={"name": "another"}))
    cache.remove(operation().key, "off-2")
    assert not cache._of


def test_a_session_that_is_forgotten() -> None:
    client = SimpleNamespace(with_tokens=lambda tokens: tokens)
    sessions = Sessions(cast("Any", client), lambda: 0.0)
    sessions.with_token("payments/s/token", "planted")
    assert sessions.brought_by_resources() == [("payments/s/token", "payments", "s")]
    sessions.forget("payments/s/token")
    sessions.forget("payments/s/token")
    assert sessions.known("payments/s/token") is None


async def test_what_is_known_of_clusters_for_a_while() -> None:
    async def answers(*_: str, **__: str) -> list[Any]:
        return []

    now = [0.0]
    client = SimpleNamespace(get_cluster_info=answers, list_plugins=answers)
    observer = Reader(cast("Any", client), lambda: now[0])
    for number in range(10):
        one = ConnectorKey("prod", f"cluster-{number}", "orders")
        await observer.prove_alive(one)
        await observer.plugins(one)
        now[0] += max(ALIVE_FOR, PLUGINS_FOR) + 1
    assert (len(observer._alive), len(observer._plugins)) == (1, 1)


def test_which_environments_write_in_place() -> None:
    used = {("env-8", "operator"), ("env-9", "operator")}
    as_code = AsCode(cast("Any", SimpleNamespace(environments=SimpleNamespace(used=lambda: used))))
    for number in range(10):
        as_code._learned((f"env-{number}", "operator"), offered=True)
    assert as_code._offered.keys() == used
