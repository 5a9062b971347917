"""What an operator that begins anew does: nothing for what is settled, and the rest of what was cut off."""

from __future__ import annotations

import asyncio

import pytest

from unit.controllers.fakes import RUNNING, FakeKube, FakeLenses, operator
from unit.controllers.support import TIMEOUT

pytestmark = pytest.mark.virtual_time


class TestRestart:
    async def test_a_settled_connector_costs_one_list_and_no_write(self, lenses: FakeLenses, kube: FakeKube) -> None:
        async with operator(lenses, kube) as op:
            await op.runs()
        lenses.calls.clear()
        async with operator(lenses, kube, drift=86400) as op:
            await asyncio.sleep(5)
            assert lenses.calls == [("list_connectors", "prod")]

    async def test_a_recreate_cut_off_between_delete_and_create_is_finished(
        self, lenses: FakeLenses, kube: FakeKube
    ) -> None:
        async with operator(lenses, kube) as op:
            await op.runs()
            lenses.always("create_connector", TIMEOUT)
            await op.applies(seconds=2, config={"topic": "new"})
            assert op.connector is None
        lenses.always("create_connector", None)
        async with operator(lenses, kube) as op:
            await asyncio.sleep(30)
            assert op.said() == RUNNING
            assert op.held.config["topic"] == "new"
