"""What the histories have found, each as the smallest one."""

from __future__ import annotations

import asyncio

import pytest

from lenses_operator.domain.references import RefData, RefName
from lenses_operator.lenses import errors
from unit.controllers.fakes import Connector, FakeKube, FakeLenses, Operator, operator

pytestmark = pytest.mark.virtual_time

PLACE = ("connect-eu", "orders")


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


async def test_what_create_keeps_refusing_is_tried_ever_more_seldom_and_said_once(op: Operator) -> None:
    op.lenses.refuses = lambda _: True
    op.kube.apply()
    await asyncio.sleep(3600)
    assert op.said() == ("False", "ConfigInvalid", "None")
    assert len(op.lenses.asked("create_connector")) <= 30
    assert op.reasons() == ["ConfigInvalid"]
    reasons = [status.ready.reason for status in op.kube.statuses if status.ready]
    assert reasons == ["Progressing", "LensesUnavailable", *["ConfigInvalid"] * (len(reasons) - 2)]
    op.lenses.refuses = lambda _: False
    await asyncio.sleep(400)
    assert op.said() == ("True", "Running", "Owned")


async def test_an_update_in_place_that_is_not_offered_is_tried_ever_more_seldom_and_said_once(op: Operator) -> None:
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


@pytest.mark.parametrize("kind", [errors.ServerError, errors.Forbidden])
async def test_a_state_change_that_fails_is_tried_ever_more_seldom(
    op: Operator, kind: type[errors.LensesRefused]
) -> None:
    op.kube.apply()
    await asyncio.sleep(30)
    op.lenses.always("set_state", kind("set_state"))
    op.kube.apply(state="paused")
    await asyncio.sleep(3600)
    assert len(op.lenses.asked("set_state")) <= 80
    op.lenses.always("set_state", None)
    await asyncio.sleep(400)
    assert op.said() == ("True", "Paused", "Owned")
    assert [reason for reason in op.reasons() if reason == "Paused"] == ["Paused"]


async def test_a_failed_connector_that_could_not_be_paused_is_told_so_again(op: Operator) -> None:
    op.kube.apply()
    await asyncio.sleep(30)
    op.lenses.connectors[PLACE].state = "FAILED"
    op.lenses.fail("set_state", errors.LensesUnreachable("set_state", reason="timeout"))
    op.kube.apply(state="paused")
    await asyncio.sleep(60)
    assert op.said() == ("True", "Paused", "Owned")


@pytest.mark.parametrize(
    ("operation", "policy"),
    [("set_state", "DeleteWithOffsets"), ("reset_offsets", "DeleteWithOffsets"), ("delete_connector", "Delete")],
)
@pytest.mark.parametrize("kind", [errors.ServerError, errors.Forbidden])
async def test_a_deletion_that_is_blocked_is_tried_ever_more_seldom_and_says_so_once(
    op: Operator, kind: type[errors.LensesRefused], operation: str, policy: str
) -> None:
    op.kube.apply(deletionPolicy=policy)
    await asyncio.sleep(30)
    op.lenses.always(operation, kind(operation))
    op.kube.delete()
    await asyncio.sleep(60)
    op.kube.statuses.clear()
    op.events.clear()
    await asyncio.sleep(3600)
    assert len(op.lenses.asked(operation)) <= (20 if kind is errors.Forbidden else 80)
    assert op.kube.statuses == []
    assert op.events == []
    op.lenses.always(operation, None)
    await asyncio.sleep(800)
    assert not op.kube.there()


@pytest.mark.parametrize("by", ["deleting it", "spec.state"])
async def test_a_stop_that_takes_its_time_is_not_asked_for_again_on_the_word_of_an_old_list(
    op: Operator, by: str
) -> None:
    op.kube.apply(deletionPolicy="DeleteWithOffsets")
    await asyncio.sleep(30)
    stopping = op.lenses.connectors[PLACE]

    async def stop(*_: object, precondition: object) -> None:
        op.lenses.calls.append(("set_state", "orders", "stop"))
        asyncio.get_running_loop().call_later(2.0, stopped)

    def stopped() -> None:
        stopping.state, stopping.tasks = "STOPPED", []

    op.lenses.set_state = stop  # type: ignore[assignment]
    if by == "deleting it":
        op.kube.delete()
    else:
        op.kube.apply(deletionPolicy="DeleteWithOffsets", state="stopped")
    for _ in range(4):
        await asyncio.sleep(0.4)
        for poller in op.environments._pollers.values():
            poller.poll_now()
    await asyncio.sleep(30)
    assert len(op.lenses.asked("set_state")) == 1


async def test_drift_of_a_held_connector_is_said_at_the_drift_check_that_finds_it() -> None:
    async with operator(drift=300.0) as op:
        op.kube.apply(state="stopped")
        await asyncio.sleep(330)
        op.lenses.connectors[PLACE] = Connector({**op.lenses.connectors[PLACE].config, "by-hand": "1"}, "STOPPED", [])
        await asyncio.sleep(300)
        assert "unwanted by-hand" in op.message()


@pytest.mark.parametrize("failures", [1, 3])
@pytest.mark.parametrize("deleted", [False, True])
async def test_a_strangers_connector_stays_one_when_the_look_after_the_conflict_fails(
    failures: int, *, deleted: bool
) -> None:
    theirs = {"topic": "theirs"}
    async with operator() as op:
        op.lenses.fail("create_connector", errors.Conflict("create_connector", detail="exists"))
        unread = [errors.LensesUnreachable("get_connector", reason="timeout")] * failures
        op.lenses.fail("get_connector", errors.ConnectorOrClusterNotFound("get_connector"), *unread)
        op.lenses.connectors[PLACE] = Connector(dict(theirs))
        op.kube.apply()
        if deleted:
            await asyncio.sleep(0.5)
            op.kube.delete()
        await asyncio.sleep(120)
        assert op.said()[1:] == ("NotAdopted", "NotAdopted") if not deleted else not op.kube.there()
        assert op.lenses.connectors[PLACE] == Connector(theirs)
        assert op.lenses.asked("delete_connector", "put_resource", "set_state") == []


async def test_a_conflict_that_was_a_rebalance_gives_nothing_away(op: Operator) -> None:
    rebalance = errors.Conflict("create_connector", detail="rebalance")
    timeout = errors.LensesUnreachable("create_connector", reason="timeout")
    op.lenses.fail("create_connector", rebalance)
    op.lenses.fail("create_connector", timeout, carried_out=True)
    op.lenses.shows = lambda config: config | {"server.default": "1"}  # so that it would not be adopted
    op.kube.apply()
    await asyncio.sleep(120)
    assert op.said() == ("True", "Running", "Owned")
    assert len(op.lenses.asked("create_connector")) == 2


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_key_that_lenses_hides_is_removed_with_the_spec(*, restarted: bool) -> None:
    lenses = FakeLenses()
    lenses.hidden = frozenset({"password"})
    lenses.shows = lambda config: {key: value for key, value in config.items() if key != "password"}
    kube = FakeKube(lenses.calls)
    plain = {"topic": "orders", "file": "/data/orders"}
    async with operator(lenses, kube) as op:
        op.kube.apply(config=plain | {"password": "literal"})
        await asyncio.sleep(30)
        if not restarted:
            op.kube.apply(config=plain)
            await asyncio.sleep(30)
    async with operator(lenses, kube) as op:
        op.kube.apply(config=plain)
        await asyncio.sleep(30)
        assert op.said() == ("True", "Running", "Owned")
        assert "password" not in lenses.connectors[PLACE].config
        assert len(lenses.asked("create_connector")) == 2


async def test_drift_that_cannot_be_put_right_is_said_until_it_is_gone() -> None:
    async with operator(drift=300.0) as op:
        op.kube.apply(updateStrategy="InPlace")
        await asyncio.sleep(30)
        op.lenses.always("put_resource", errors.MissingAgentCapability("put_resource"))
        op.lenses.connectors[PLACE].config["by-hand"] = "1"
        await asyncio.sleep(600)
        op.kube.statuses.clear()
        await asyncio.sleep(3600)
        assert op.said()[1] == "UpdateNotSupported"
        assert op.kube.statuses == []
        del op.lenses.connectors[PLACE].config["by-hand"]
        await asyncio.sleep(400)
        assert op.said() == ("True", "Running", "Owned")


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
async def test_who_waits_for_a_name_has_it_when_the_deletion_of_a_vanished_owner_is_done(
    op: Operator, policy: str
) -> None:
    op.kube.apply(deletionPolicy=policy)
    await asyncio.sleep(30)
    op.kube.apply(namespace="logistics", adoptionPolicy="Always")
    await asyncio.sleep(30)
    assert op.said(namespace="logistics") == ("False", "Conflict", "Conflict")
    op.kube.vanish()
    await asyncio.sleep(60)
    assert op.said(namespace="logistics") == ("True", "Running", "Owned")


@pytest.mark.parametrize("overridden_by", ["spec.config", "a later Secret"])
async def test_a_secret_that_is_overridden_by_now_is_redacted_while_the_connector_still_quotes_it(
    overridden_by: str,
) -> None:
    lenses = FakeLenses()
    kube = FakeKube(lenses.calls)
    for name in ("old", "new"):
        kube.references["payments", RefName("Secret", name)] = RefData("1", {"password": f"{name}-hunter".encode()})
    sources = [{"key": "password", "secretKeyRef": {"name": name, "key": "password"}} for name in ("old", "new")]
    trace = "ConnectException: login with old-hunter"
    async with operator(lenses, kube) as op:
        op.kube.apply(configFrom=sources[:1], state="stopped")
        await asyncio.sleep(30)
        if overridden_by == "spec.config":
            op.kube.apply(configFrom=sources[:1], state="stopped", config={"topic": "orders", "password": "plain"})
        else:
            op.kube.apply(configFrom=sources, state="stopped")
        await asyncio.sleep(30)
    lenses.connectors[PLACE].tasks = [("FAILED", trace)]
    async with operator(lenses, kube) as op:
        await asyncio.sleep(30)
        assert op.kube.status().tasks[0].error == "ConnectException: login with [redacted]"
