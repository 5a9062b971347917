"""A connector that is somebody else's stays so whatever Lenses answers; one that is ours is known again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from lenses_operator.lenses import errors
from lenses_operator.lenses.client import Listing
from unit.controllers.fakes import NAME, RUNNING, Connector, FakeKube, FakeLenses, Operator, operator
from unit.controllers.support import end_after_create, mask
from unit.resources.make import CLASS

pytestmark = pytest.mark.virtual_time


@pytest.mark.parametrize("failures", [1, 3])
@pytest.mark.parametrize("deleted", [False, True])
async def test_a_strangers_connector_stays_one_when_the_look_after_the_conflict_fails(
    op: Operator, failures: int, *, deleted: bool
) -> None:
    theirs = {"topic": "theirs"}
    op.lenses.fail("create_connector", errors.Conflict("create_connector", detail="exists"))
    unread = [errors.LensesUnreachable("get_connector", reason="timeout")] * failures
    op.lenses.fail("get_connector", errors.ConnectorOrClusterNotFound("get_connector"), *unread)
    op.lenses.connectors[NAME] = Connector(dict(theirs))
    op.kube.apply()
    if deleted:
        await asyncio.sleep(0.5)
        op.kube.delete()
    await asyncio.sleep(120)
    assert op.said()[1:] == ("NotAdopted", "NotAdopted") if not deleted else not op.kube.there()
    assert op.lenses.connectors[NAME] == Connector(theirs)
    assert op.lenses.asked("delete_connector", "put_resource", "set_state") == []


async def test_a_conflict_that_was_a_rebalance_gives_nothing_away(op: Operator) -> None:
    rebalance = errors.Conflict("create_connector", detail="rebalance")
    timeout = errors.LensesUnreachable("create_connector", reason="timeout")
    op.lenses.fail("create_connector", rebalance)
    op.lenses.fail("create_connector", timeout, carried_out=True)
    op.lenses.shows = lambda config: config | {"server.default": "1"}  # so that it would not be adopted
    await op.applies(seconds=120)
    assert op.said() == RUNNING
    assert len(op.lenses.asked("create_connector")) == 2


@pytest.mark.parametrize("become", [{"server.default": "1"}, {"size": "1.024E8"}], ids=["a key more", "its notation"])
@pytest.mark.parametrize(
    "said", [errors.ServerError("create_connector"), errors.AgentCallFailed("create_connector", status=400)]
)
async def test_what_was_created_though_the_answer_said_no_is_known_again_as_the_server_shows_it(
    op: Operator, said: errors.LensesError, become: dict[str, str]
) -> None:
    op.lenses.shows = lambda config: config | {"name": "orders"} | become
    op.lenses.fail("create_connector", said, carried_out=True)
    await op.applies(seconds=60, config={"topic": "orders", "size": "102400000"}, adoptionPolicy="Never")
    assert op.said() == RUNNING
    assert len(op.lenses.asked("create_connector")) == 1


@pytest.mark.parametrize("difference", [{"topic": "theirs"}, {"size": "2"}])
async def test_a_strangers_connector_is_not_taken_for_what_a_broken_create_has_left(
    op: Operator, difference: dict[str, str]
) -> None:
    theirs = {"topic": "orders", "size": "1", "connector.class": CLASS} | difference
    op.lenses.fail("get_connector", errors.ConnectorOrClusterNotFound("get_connector"))
    op.lenses.fail("create_connector", errors.ServerError("create_connector"))
    op.lenses.connectors[NAME] = Connector(dict(theirs))
    await op.applies(seconds=60, config={"topic": "orders", "size": "1"}, adoptionPolicy="Never")
    assert op.said() == ("False", "NotAdopted", "NotAdopted")
    assert op.lenses.asked("delete_connector", "put_resource") == []


@pytest.mark.parametrize("broken", [1, 2, 3])
async def test_what_the_first_create_said_of_a_strangers_connector_holds_until_it_is_seen(
    op: Operator, broken: int
) -> None:
    theirs = {"topic": "theirs"}
    absent = errors.ConnectorOrClusterNotFound("get_connector")
    op.lenses.fail("create_connector", errors.AlreadyExists("create_connector"))
    op.lenses.fail("create_connector", *[errors.AgentCallFailed("create_connector", status=400)] * broken)
    op.lenses.always("get_connector", absent)
    poll, op.lenses.poll_connectors = op.lenses.poll_connectors, _nothing_listed  # type: ignore[method-assign]
    op.lenses.connectors[NAME] = Connector(dict(theirs))
    await op.applies(seconds=6)
    op.lenses.always("get_connector", None)
    op.lenses.poll_connectors = poll  # type: ignore[method-assign]
    await asyncio.sleep(120)
    assert op.said()[1:] == ("NotAdopted", "NotAdopted")
    assert op.lenses.connectors[NAME] == Connector(theirs)


async def _nothing_listed(*_: object, **__: object) -> Listing:
    return Listing((), b"")


@pytest.mark.parametrize("masked", [False, True])
async def test_what_a_former_process_created_by_its_claim_is_left_as_it_is(
    lenses: FakeLenses, kube: FakeKube, masked: bool
) -> None:
    if masked:
        lenses.shows = mask
    await end_after_create(lenses, kube, "Recreate")
    lenses.calls.clear()
    async with operator(lenses, kube) as op:
        await asyncio.sleep(400)
        assert op.said() == RUNNING
        assert lenses.asked("delete_connector", "create_connector", "put_resource") == []


async def test_what_was_adopted_unread_is_not_recreated_by_the_next_process_that_can_read_it(
    lenses: FakeLenses, kube: FakeKube
) -> None:
    """Adopted while Lenses showed no configuration; the answers of a repair are lost, and the process ends then."""
    lenses.connectors[NAME] = Connector({"connector.class": CLASS, "topic": "orders", "by.hand": "1"})
    shows = lenses.shows
    lenses.shows = lambda _: {}
    lenses.hidden = frozenset({"connector.class", "topic"})
    async with operator(lenses, kube) as op:
        kube.apply(config={"topic": "orders"}, adoptionPolicy="Always")
        while "Adopted" not in op.reasons():
            await asyncio.sleep(0.01)
        lenses.shows, lenses.hidden = shows, frozenset()
        lost = errors.LensesUnreachable("create_connector", "the connection was dropped", reason="dropped")
        lenses.fail("create_connector", lost, carried_out=True)
        while not lenses.asked("create_connector"):
            await asyncio.sleep(0.0005)
        await asyncio.sleep(0.0011)
    assert lenses.connectors[NAME].config == {"connector.class": CLASS, "topic": "orders"}
    async with operator(lenses, kube) as op:
        await asyncio.sleep(700)
        assert len(lenses.asked("delete_connector")) == len(lenses.asked("create_connector")) == 1
        assert op.said()[1] == "Running"


@pytest.mark.parametrize("strategy", ["Recreate", "InPlace"])
async def test_what_somebody_else_has_put_right_is_not_written_again_when_it_is_hidden_later(strategy: str) -> None:
    async with operator(drift=30.0) as op:
        await op.applies(updateStrategy=strategy)
        op.lenses.always("validate", errors.ServerError("validate", detail="busy"))
        await op.applies(seconds=5, config={"topic": "new"}, updateStrategy=strategy)
        op.lenses.connectors[NAME].config = {"connector.class": CLASS, "topic": "new"}
        op.lenses.always("validate", None)
        await asyncio.sleep(120)
        assert op.said()[1] == "Running"
        op.lenses.calls.clear()
        op.lenses.shows = lambda _: {}
        await asyncio.sleep(120)
        assert op.lenses.asked("delete_connector", "put_resource", "create_connector") == []


async def test_an_orderly_end_just_after_a_create_keeps_what_lenses_has_added(
    lenses: FakeLenses, kube: FakeKube
) -> None:
    lenses.shows = lambda config: config | {"server.default": "1", "file": config["file"] + "/."}
    async with operator(lenses, kube) as op:
        create = lenses.create_connector

        async def create_connector(*arguments: Any, precondition: Callable[[], bool]) -> None:
            await create(*arguments, precondition=precondition)
            op.queue.close()  # what is under way goes on to its end

        setattr(lenses, "create_connector", create_connector)  # noqa: B010 - a double of the method
        await op.applies(seconds=10)
    lenses.calls.clear()
    async with operator(lenses, kube) as op:
        await asyncio.sleep(1000)
        assert op.said() == RUNNING
        assert lenses.asked("delete_connector", "create_connector") == []
