"""What a Lenses that misleads has brought to light, each as the smallest history."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from lenses_operator.controllers.connector import delete
from lenses_operator.kube.errors import KubeError
from lenses_operator.lenses import errors
from lenses_operator.lenses.client import Listing
from lenses_operator.resources.connector import ConnectorStatus, LensesConnector
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets, OffsetsStatus
from unit.controllers.fakes import Connector, FakeKube, FakeLenses, Operator, operator
from unit.controllers.virtualtime import now
from unit.offsets.rig import offsets_operator
from unit.resources.make import CLASS

pytestmark = pytest.mark.virtual_time

PLACE = ("connect-eu", "orders")


@pytest.mark.parametrize("become", [{"server.default": "1"}, {"size": "1.024E8"}], ids=["a key more", "its notation"])
@pytest.mark.parametrize(
    "said", [errors.ServerError("create_connector"), errors.AgentCallFailed("create_connector", status=400)]
)
async def test_what_was_created_though_the_answer_said_no_is_known_again_as_the_server_shows_it(
    op: Operator, said: errors.LensesError, become: dict[str, str]
) -> None:
    op.lenses.shows = lambda config: config | {"name": "orders"} | become
    op.lenses.fail("create_connector", said, carried_out=True)
    op.kube.apply(config={"topic": "orders", "size": "102400000"}, adoptionPolicy="Never")
    await asyncio.sleep(60)
    assert op.said() == ("True", "Running", "Owned")
    assert len(op.lenses.asked("create_connector")) == 1


@pytest.mark.parametrize("difference", [{"topic": "theirs"}, {"size": "2"}])
async def test_a_strangers_connector_is_not_taken_for_what_a_broken_create_has_left(difference: dict[str, str]) -> None:
    theirs = {"topic": "orders", "size": "1", "connector.class": CLASS} | difference
    async with operator() as op:
        op.lenses.fail("get_connector", errors.ConnectorOrClusterNotFound("get_connector"))
        op.lenses.fail("create_connector", errors.ServerError("create_connector"))
        op.lenses.connectors[PLACE] = Connector(dict(theirs))
        op.kube.apply(config={"topic": "orders", "size": "1"}, adoptionPolicy="Never")
        await asyncio.sleep(60)
        assert op.said() == ("False", "NotAdopted", "NotAdopted")
        assert op.lenses.asked("delete_connector", "put_resource") == []


async def test_a_changed_spec_is_written_though_the_last_write_in_place_was_not_carried_out(op: Operator) -> None:
    op.kube.apply(updateStrategy="InPlace")
    await asyncio.sleep(30)
    put = op.lenses.put_resource

    async def ignored(environment: str, document: str, *, precondition: object) -> None:
        op.lenses.put_resource = put  # type: ignore[method-assign]
        op.lenses.calls.append(("put_resource", "orders"))

    op.lenses.put_resource = ignored  # type: ignore[method-assign]
    op.kube.apply(updateStrategy="InPlace", config={"topic": "second"})
    await asyncio.sleep(10)
    op.kube.apply(updateStrategy="InPlace", config={"topic": "third"})
    await asyncio.sleep(10)
    assert op.said() == ("True", "Running", "Owned")
    assert op.lenses.connectors[PLACE].config["topic"] == "third"
    assert "UpdateNotApplied" not in op.reasons()
    assert op.lenses.asked("delete_connector") == []


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    "become", [{"server.default": "1"}, {"size": "1.024E8"}, {"list": "a,b"}], ids=["a key more", "a number", "a list"]
)
async def test_a_write_in_place_of_what_lenses_masks_is_done_though_it_shows_the_same_as_before(
    become: dict[str, str], *, restarted: bool
) -> None:
    lenses = FakeLenses()
    lenses.shows = lambda config: config | {"name": "orders", "password": "********"} | become
    kube = FakeKube(lenses.calls)
    config = {"topic": "orders", "size": "102400000", "list": "a, b"}
    async with operator(lenses, kube) as op:
        op.kube.apply(updateStrategy="InPlace", config=config | {"password": "old"})
        await asyncio.sleep(30)
        if not restarted:
            op.kube.apply(updateStrategy="InPlace", config=config | {"password": "new"})
            await asyncio.sleep(60)
    async with operator(lenses, kube) as op:
        if restarted:
            op.kube.apply(updateStrategy="InPlace", config=config | {"password": "new"})
        await asyncio.sleep(600)
        assert op.said() == ("True", "Running", "Owned")
        assert lenses.connectors[PLACE].config["password"] == "new"
        assert len(lenses.asked("put_resource")) == 1


async def test_a_key_that_was_to_go_and_stays_is_not_taken_for_one_that_the_server_adds(op: Operator) -> None:
    op.kube.apply(updateStrategy="InPlace", config={"topic": "orders", "size": "1"})
    await asyncio.sleep(30)

    async def ignored(environment: str, document: str, *, precondition: object) -> None:
        op.lenses.calls.append(("put_resource", "orders"))

    op.lenses.put_resource = ignored  # type: ignore[method-assign]
    op.kube.apply(updateStrategy="InPlace", config={"topic": "orders"})
    await asyncio.sleep(300)
    assert op.said()[1] == "UpdateNotApplied"
    assert op.lenses.asked("delete_connector") == []


@pytest.mark.parametrize("seconds", [0.0, 200.0], ids=["lists fail", "lists hang"])
async def test_a_list_from_before_a_right_was_lost_proves_no_absence(op: Operator, seconds: float) -> None:
    op.kube.apply(deletionPolicy="Delete")
    op.kube.apply("another", namespace="logistics")
    await asyncio.sleep(30)
    everything = dict(op.lenses.connectors)
    poll = op.lenses.poll_connectors

    async def poll_connectors(*_: object, **__: object) -> Listing:
        await asyncio.sleep(seconds)
        raise errors.LensesUnreachable("list_connectors", reason="timeout")

    op.lenses.poll_connectors = poll_connectors  # type: ignore[method-assign]
    op.lenses.connectors.clear()
    op.kube.delete()
    await asyncio.sleep(45)
    assert op.kube.there()
    op.lenses.poll_connectors = poll  # type: ignore[method-assign]
    op.lenses.connectors.update(everything)
    await asyncio.sleep(400)
    assert not op.kube.there()
    assert PLACE not in op.lenses.connectors
    assert "Deleted" in op.reasons()


@pytest.mark.parametrize("broken", [1, 2, 3])
async def test_what_the_first_create_said_of_a_strangers_connector_holds_until_it_is_seen(broken: int) -> None:
    theirs = {"topic": "theirs"}
    async with operator() as op:
        absent = errors.ConnectorOrClusterNotFound("get_connector")
        op.lenses.fail("create_connector", errors.AlreadyExists("create_connector"))
        op.lenses.fail("create_connector", *[errors.AgentCallFailed("create_connector", status=400)] * broken)
        op.lenses.always("get_connector", absent)
        poll, op.lenses.poll_connectors = op.lenses.poll_connectors, _nothing_listed  # type: ignore[method-assign]
        op.lenses.connectors[PLACE] = Connector(dict(theirs))
        op.kube.apply()
        await asyncio.sleep(6)
        op.lenses.always("get_connector", None)
        op.lenses.poll_connectors = poll  # type: ignore[method-assign]
        await asyncio.sleep(120)
        assert op.said()[1:] == ("NotAdopted", "NotAdopted")
        assert op.lenses.connectors[PLACE] == Connector(theirs)


async def _nothing_listed(*_: object, **__: object) -> Listing:
    return Listing((), b"")


async def test_an_operation_that_has_failed_is_not_asked_for_again_by_a_pass_that_began_before() -> None:
    async with offsets_operator() as op:
        await op.runs()
        op.lenses.fail("reset_offsets", errors.LicenceRequired("reset_offsets"))
        write, look = op.offsets.write_status, op.lenses.poll_connector
        op.offsets.latency = 1.5

        async def slowly(*what: Any) -> Any:
            await asyncio.sleep(3.0)
            return await look(*what)

        async def unanswered(resource: LensesConnectorOffsets, status: OffsetsStatus) -> Any:
            after = await write(resource, status)
            if status.ready is not None and status.ready.reason == "OffsetsRejected":
                op.lenses.poll_connector = slowly  # type: ignore[assignment]
                raise KubeError("status", 0, "connection lost")
            return after

        op.offsets.write_status = unanswered  # type: ignore[method-assign]
        op.offsets.apply(action="Reset")
        await op.until_reason("OffsetsRejected")
        await asyncio.sleep(60)
        assert len(op.lenses.asked("reset_offsets")) == 1


async def test_a_stop_is_not_asked_for_again_within_a_second_though_saying_so_took_its_time() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delete, "QUIET", 0.0)
        patch.setattr(delete, "uniform", min)
        await _stops_at_most_once_a_second()


async def _stops_at_most_once_a_second() -> None:
    sent: list[float] = []
    async with operator() as op:
        op.kube.apply(deletionPolicy="DeleteWithOffsets")
        await asyncio.sleep(30)
        write = op.kube.write_status

        async def slowly(resource: LensesConnector, status: ConnectorStatus) -> Any:
            await asyncio.sleep(0.5)
            return await write(resource, status)

        async def broken(*_: str, precondition: object) -> None:
            sent.append(now())
            raise errors.Conflict("set_state")

        op.kube.write_status = slowly  # type: ignore[method-assign]
        op.lenses.set_state = broken  # type: ignore[assignment]
        op.kube.delete()
        await asyncio.sleep(60)
        assert len(sent) > 3
        assert all(later - before >= 1.0 for before, later in pairwise(sent))
