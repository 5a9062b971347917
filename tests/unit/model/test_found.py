"""What the histories have found, each as the smallest one."""

from __future__ import annotations

import asyncio

from lenses_operator.lenses import errors
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


@virtual_time
async def test_what_create_keeps_refusing_is_tried_ever_more_seldom_and_said_once() -> None:
    async with operator() as op:
        op.lenses.refuses = lambda _: True
        op.kube.apply()
        await asyncio.sleep(3600)
        assert op.said() == ("False", "ConfigInvalid", "None")
        assert len(op.lenses.asked("create_connector")) <= 20
        assert op.reasons() == ["ConfigInvalid"]
        reasons = [status.ready.reason for status in op.kube.statuses if status.ready]
        assert reasons == ["Progressing", *["ConfigInvalid"] * (len(reasons) - 1)]
        op.lenses.refuses = lambda _: False
        await asyncio.sleep(400)
        assert op.said() == ("True", "Running", "Owned")


@virtual_time
async def test_an_update_in_place_that_is_not_offered_is_tried_ever_more_seldom_and_said_once() -> None:
    async with operator() as op:
        op.kube.apply(updateStrategy="InPlace")
        await asyncio.sleep(30)
        op.lenses.always("put_resource", errors.MissingAgentCapability("put_resource"))
        op.kube.statuses.clear()
        op.kube.apply(updateStrategy="InPlace", config={"topic": "new"})
        await asyncio.sleep(3600)
        assert len(op.lenses.asked("put_resource")) <= 20
        reasons = [status.ready.reason for status in op.kube.statuses if status.ready]
        assert reasons == ["Progressing", "UpdateNotSupported"]
        op.lenses.always("put_resource", None)
        await asyncio.sleep(400)
        assert op.said() == ("True", "Running", "Owned")
