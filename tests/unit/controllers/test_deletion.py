"""Deletion: what it does in which order, the proof that it takes, and what blocks it."""

from __future__ import annotations

import asyncio

import pytest

from lenses_operator.lenses import errors
from lenses_operator.resources.base import FINALIZER
from unit.controllers.fakes import CONNECTOR, KEY, NAME, RUNNING, Connector, Operator, operator
from unit.controllers.support import TIMEOUT
from unit.resources.make import SENT

pytestmark = pytest.mark.virtual_time


class TestDeletion:
    async def test_delete_then_proof_then_release(self, op: Operator) -> None:
        await op.runs()
        await op.deletes(seconds=3)
        assert not op.kube.there()
        assert op.connector is None
        order = [call[0] for call in op.lenses.calls if call[0] != "list_connectors"]
        assert order == ["delete_connector", "get_connector", "get_cluster_info", "finalizer"]
        assert op.reasons() == ["Deleted"]

    async def test_one_that_is_gone_already_takes_two_denials_half_a_minute_apart(self) -> None:
        async with operator(poll=3600) as op:
            await op.runs()
            op.lenses.connectors.clear()
            await op.deletes(seconds=29)
            assert op.kube.there()
            await asyncio.sleep(5)
            assert not op.kube.there()
            assert len(op.lenses.asked("delete_connector")) == 2
            assert op.reasons()[-1] == "NotFound"
            assert "Deleted" not in op.reasons()
            assert op.event("NotFound").warning

    async def test_a_restarting_cluster_that_denies_what_it_holds_is_not_believed(self) -> None:
        async with operator(poll=3600) as op:
            await op.runs()
            nothing = errors.ConnectorOrClusterNotFound("x")
            op.lenses.fail("delete_connector", nothing)
            op.lenses.fail("get_connector", nothing)
            await op.deletes()
            assert op.connector is None
            assert len(op.lenses.asked("delete_connector")) == 2

    async def test_one_proof_is_not_enough_where_a_create_may_still_arrive(self) -> None:
        async with operator(poll=3600) as op:
            await op.runs()
            op.lenses.fail("create_connector", *[TIMEOUT] * 20)
            await op.applies(seconds=1, config={"topic": "new"})
            assert op.lenses.asked("create_connector")
            await op.deletes(seconds=0.5)
            assert op.kube.there()
            op.lenses.connectors[NAME] = Connector(dict(SENT))  # now it has arrived
            await asyncio.sleep(30)
            assert op.connector is None
            assert not op.kube.there()

    async def test_retain_touches_nothing_and_needs_no_lenses(self, op: Operator) -> None:
        await op.runs(deletionPolicy="Retain")
        op.lenses.always("list_connectors", errors.Unauthorized("list_connectors"))
        await asyncio.sleep(20)
        op.lenses.calls.clear()
        await op.deletes(seconds=1)
        assert not op.kube.there()
        assert [call[0] for call in op.lenses.calls] == ["finalizer"]
        assert "Retained" in op.reasons()

    @pytest.mark.parametrize(
        "failure",
        [
            errors.EnvironmentNotFound("list_connectors"),
            errors.Unauthorized("list_connectors"),
            errors.Forbidden("list_connectors"),
            errors.LensesUnreachable("list_connectors"),
        ],
        ids=lambda failure: type(failure).__name__,
    )
    async def test_is_blocked_with_the_exact_way_out_which_acts_within_a_second(
        self, op: Operator, failure: errors.LensesError
    ) -> None:
        await op.runs()
        op.lenses.down(failure)
        op.lenses.always("delete_connector", failure)
        await op.deletes(seconds=3600)
        assert op.kube.finalizers() == [FINALIZER]
        assert op.said() == ("False", "DeletionBlocked", "Owned")
        assert op.message().endswith(
            "kubectl patch lensesconnector orders -n payments --type=merge "
            """-p '{"spec":{"deletionPolicy":"Retain"}}'"""
        )
        op.lenses.calls.clear()
        await op.applies(seconds=1, deletionPolicy="Retain")
        assert not op.kube.there()
        assert {call[0] for call in op.lenses.calls} <= {"finalizer", "list_connectors", "get_cluster_info"}

    @pytest.mark.parametrize(("times", "blocked"), [(1, False), (2, True)])
    async def test_a_rebalance_talks_nobody_into_letting_go(self, op: Operator, times: int, blocked: bool) -> None:
        """What may pass by itself is said when it is met again."""
        await op.runs()
        op.lenses.fail("delete_connector", *[errors.Conflict("delete_connector", "rebalance")] * times)
        await op.deletes(seconds=600)
        assert not op.kube.there()
        assert ("DeletionBlocked" in op.reasons()) == blocked

    async def test_an_unknown_cluster_is_no_proof(self, op: Operator) -> None:
        await op.runs()
        op.lenses.clusters = set()
        op.lenses.connectors.clear()
        await op.deletes(seconds=600)
        assert op.said() == ("False", "DeletionBlocked", "Owned")
        assert "ClusterNotFound" in op.message()

    async def test_goes_on_for_an_object_that_vanished_without_our_release(self, op: Operator) -> None:
        await op.runs()
        op.kube.vanish()
        await asyncio.sleep(30)
        assert op.connector is None
        assert op.cache.tombstone(KEY) is None
        assert op.cache.claimants(CONNECTOR) == []

    async def test_and_not_for_one_that_is_there_after_all(self, op: Operator) -> None:
        await op.runs()
        op.feed.gone(op.kube.objects["payments", "orders"])
        await asyncio.sleep(30)
        assert op.connector == Connector(SENT)
        assert op.cache.tombstone(KEY) is None
        op.feed.listed(list(op.kube.objects.values()))
        assert op.cache.get(KEY) is not None

    async def test_a_new_object_of_the_name_waits_for_the_deletion_of_the_old_ones_connector(
        self, op: Operator
    ) -> None:
        await op.runs()
        op.kube.vanish()
        await op.applies(seconds=60, config={"topic": "second"})
        assert op.held.config["topic"] == "second"
        assert op.said() == RUNNING
        assert [call[0] for call in op.lenses.asked("delete_connector", "create_connector")] == [
            "delete_connector",
            "create_connector",
        ]
