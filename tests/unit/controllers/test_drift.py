"""Drift: what was changed behind the operator's back is put back, and what the server made of it is none."""

from __future__ import annotations

import asyncio

import pytest

from unit.controllers.fakes import NAME, RUNNING, Connector, FakeKube, FakeLenses, Operator, operator
from unit.resources.make import SENT

pytestmark = pytest.mark.virtual_time


class TestDrift:
    async def test_is_put_back_and_its_keys_are_named(self, op: Operator) -> None:
        await op.runs()
        op.lenses.connectors[NAME].config |= {"topic": "by-hand", "more": "x"}
        await asyncio.sleep(330)
        assert op.connector == Connector(SENT)
        message = op.event("DriftRepaired").message
        assert "changed topic; unwanted more" in message
        assert "by-hand" not in message

    async def test_a_repair_that_leaves_the_very_same_difference_is_not_repeated(self, op: Operator) -> None:
        await op.runs()
        op.lenses.shows = lambda config: config | {"topic": "rewritten", "added": "x"}
        await asyncio.sleep(3600)
        assert len(op.lenses.asked("delete_connector")) == 1
        assert op.said() == RUNNING
        applied = op.kube.applied()
        assert applied.not_compared == ("topic",)
        assert "added" in applied.added

    async def test_what_the_server_showed_at_our_own_write_is_no_drift_after_a_restart_either(
        self, lenses: FakeLenses, kube: FakeKube
    ) -> None:
        lenses.shows = lambda config: config | {"topic": "1.024E3", "added": "x"}
        async with operator(lenses, kube) as op:
            await op.runs()
            await asyncio.sleep(400)
        async with operator(lenses, kube) as op:
            await asyncio.sleep(700)
            assert lenses.asked("delete_connector", "create_connector", "validate", "status") == []
            assert op.said() == RUNNING

    async def test_a_state_changed_by_hand_is_put_back_by_one_request(self, op: Operator) -> None:
        await op.runs()
        found = op.lenses.connectors[NAME]
        found.rest("PAUSED")
        await asyncio.sleep(60)
        assert op.lenses.asked("set_state") == [("set_state", "orders", "resume")]
        assert op.said() == RUNNING
        assert "PAUSED" in op.event("DriftRepaired").message

    async def test_a_wanted_change_of_state_is_no_drift(self, op: Operator) -> None:
        await op.runs()
        await op.applies(state="stopped")
        assert op.reasons() == ["Stopped"]
        await op.applies()
        assert op.reasons() == ["Stopped", "Resumed"]


class TestOwedBaseline:
    """Lenses showed nothing of the configuration right after our write, and does later."""

    async def test_what_the_server_made_of_it_is_no_drift(self) -> None:
        async with operator(drift=60) as op:
            op.lenses.hides_config = True
            op.lenses.shows = lambda sent: sent | {"server.default": "1", "size": "1.0E3"}
            await op.applies(seconds=90, config={"topic": "orders", "size": "1000"})
            ours = op.connector
            op.lenses.hides_config = False
            await asyncio.sleep(300)
            assert op.connector is ours
            assert op.said() == RUNNING
            assert op.lenses.asked("delete_connector", "put_resource") == []
            op.lenses.shows = lambda sent: sent | {"server.default": "1", "size": "1.0E3", "by.hand": "1"}
            await asyncio.sleep(90)
            assert op.lenses.asked("delete_connector"), "what came later is drift"

    async def test_what_cannot_have_come_of_it_is_put_right(self) -> None:
        async with operator(drift=60) as op:
            op.lenses.hides_config = True
            await op.applies(seconds=90)
            op.held.config["topic"] = "by-hand"
            op.lenses.hides_config = False
            await asyncio.sleep(300)
            assert op.held.config == SENT
            assert op.said() == RUNNING
