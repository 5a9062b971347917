"""What the histories have found, each as the smallest one."""

from __future__ import annotations

import asyncio

from unit.controllers.fakes import operator
from unit.controllers.virtualtime import virtual_time

PLACE = ("connect-eu", "orders")


@virtual_time
async def test_what_waits_while_the_connector_is_held_is_said_once_not_at_every_other_look() -> None:
    async with operator(drift=60.0) as op:
        op.kube.apply(state="stopped")
        await asyncio.sleep(30)
        op.lenses.connectors[PLACE].config["by-hand"] = "1"
        await asyncio.sleep(90)
        assert "unwanted by-hand" in op.message()
        op.kube.statuses.clear()
        await asyncio.sleep(600)
        assert op.kube.statuses == []


@virtual_time
async def test_a_connector_that_waits_is_not_read_again_at_every_list() -> None:
    async with operator(drift=300.0) as op:
        op.kube.apply(state="stopped")
        await asyncio.sleep(30)
        op.kube.apply(state="stopped", config={"topic": "new"})
        await asyncio.sleep(300)
        op.lenses.calls.clear()
        await asyncio.sleep(600)
        assert len(op.lenses.asked("list_connectors")) >= 40
        assert len(op.lenses.asked("get_connector")) <= 3
