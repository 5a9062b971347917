"""An update in place, or a key that Lenses hides: what was written is compared with what is shown of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lenses_operator.lenses import errors
from unit.controllers.fakes import NAME, RUNNING, FakeKube, FakeLenses, Operator, operator

pytestmark = pytest.mark.virtual_time


async def test_a_changed_spec_is_written_though_the_last_write_in_place_was_not_carried_out(op: Operator) -> None:
    await op.applies(updateStrategy="InPlace")
    put = op.lenses.put_resource

    async def ignored(environment: str, document: str, *, precondition: object) -> None:
        op.lenses.put_resource = put  # type: ignore[method-assign]
        op.lenses.calls.append(("put_resource", "orders"))

    op.lenses.put_resource = ignored  # type: ignore[method-assign]
    await op.applies(seconds=10, updateStrategy="InPlace", config={"topic": "second"})
    await op.applies(seconds=10, updateStrategy="InPlace", config={"topic": "third"})
    assert op.said() == RUNNING
    assert op.lenses.connectors[NAME].config["topic"] == "third"
    assert "UpdateNotApplied" not in op.reasons()
    assert op.lenses.asked("delete_connector") == []


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    "become", [{"server.default": "1"}, {"size": "1.024E8"}, {"list": "a,b"}], ids=["a key more", "a number", "a list"]
)
async def test_a_write_in_place_of_what_lenses_masks_is_done_though_it_shows_the_same_as_before(
    lenses: FakeLenses, kube: FakeKube, become: dict[str, str], *, restarted: bool
) -> None:
    lenses.shows = lambda config: config | {"name": "orders", "password": "********"} | become
    config = {"topic": "orders", "size": "102400000", "list": "a, b"}
    async with operator(lenses, kube) as op:
        await op.applies(updateStrategy="InPlace", config=config | {"password": "old"})
        if not restarted:
            await op.applies(seconds=60, updateStrategy="InPlace", config=config | {"password": "new"})
    async with operator(lenses, kube) as op:
        if restarted:
            op.kube.apply(updateStrategy="InPlace", config=config | {"password": "new"})
        await asyncio.sleep(600)
        assert op.said() == RUNNING
        assert lenses.connectors[NAME].config["password"] == "new"
        assert len(lenses.asked("put_resource")) == 1


async def test_a_key_that_was_to_go_and_stays_is_not_taken_for_one_that_the_server_adds(op: Operator) -> None:
    await op.applies(updateStrategy="InPlace", config={"topic": "orders", "size": "1"})

    async def ignored(environment: str, document: str, *, precondition: object) -> None:
        op.lenses.calls.append(("put_resource", "orders"))

    op.lenses.put_resource = ignored  # type: ignore[method-assign]
    await op.applies(seconds=300, updateStrategy="InPlace", config={"topic": "orders"})
    assert op.said()[1] == "UpdateNotApplied"
    assert op.lenses.asked("delete_connector") == []


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_key_that_lenses_hides_is_removed_with_the_spec(
    lenses: FakeLenses, kube: FakeKube, *, restarted: bool
) -> None:
    lenses.hide("password")
    plain = {"topic": "orders", "file": "/data/orders"}
    async with operator(lenses, kube) as op:
        await op.applies(config=plain | {"password": "literal"})
        if not restarted:
            await op.applies(config=plain)
    async with operator(lenses, kube) as op:
        await op.applies(config=plain)
        assert op.said() == RUNNING
        assert "password" not in lenses.connectors[NAME].config
        assert len(lenses.asked("create_connector")) == 2


async def test_a_hidden_key_that_a_write_cut_off_has_left_is_taken_back_with_the_spec(
    lenses: FakeLenses, kube: FakeKube
) -> None:
    before, after = {"topic": "orders"}, {"topic": "orders", "password": "literal"}
    hidden = frozenset({"password"})
    lenses.shows = lambda config: {key: value for key, value in config.items() if key != "password"}
    async with operator(lenses, kube) as op:
        await op.applies(config=before)
        lenses.hidden = hidden
        op.kube.before_write = lambda: op.queue.close() if lenses.asked("create_connector")[1:] else None
        op.kube.apply(config=after)
        while not lenses.asked("create_connector")[1:]:
            await asyncio.sleep(0.0005)
        await asyncio.sleep(0.0011)
    kube.before_write = lambda: None
    assert "password" in lenses.connectors[NAME].config
    kube.apply(config=before)
    async with operator(lenses, kube) as op:
        await asyncio.sleep(700)
        assert "password" not in lenses.connectors[NAME].config
        assert len(lenses.asked("create_connector")) == 3


async def test_a_hidden_key_that_an_unanswered_update_in_place_has_left_is_taken_back_with_the_spec(
    op: Operator,
) -> None:
    op.lenses.hide("password")
    spec: dict[str, Any] = {"updateStrategy": "InPlace"}
    await op.applies(config={"topic": "orders"}, **spec)
    lost = errors.LensesUnreachable("put_resource", "timed out", reason="timeout")
    op.lenses.fail("put_resource", lost, carried_out=True)
    await op.applies(seconds=0.5, config={"topic": "orders", "password": "literal"}, **spec)
    assert "password" in op.lenses.connectors[NAME].config
    await op.applies(seconds=700, config={"topic": "orders"}, **spec)
    assert "password" not in op.lenses.connectors[NAME].config
    assert len(op.lenses.asked("put_resource")) == 2
