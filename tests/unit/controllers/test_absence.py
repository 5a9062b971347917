"""Nothing is let go, or given to another, on less than the proof that the connector is gone."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from lenses_operator.controllers.connector.absence import Absence, note
from lenses_operator.domain.deleting import ABSENCE
from lenses_operator.domain.observed import Observed
from lenses_operator.lenses import errors
from lenses_operator.lenses.client import Listing
from unit.controllers.fakes import NAME, RUNNING, Connector, Operator
from unit.controllers.support import look_closely
from unit.controllers.virtualtime import now
from unit.resources.make import SENT

pytestmark = pytest.mark.virtual_time


async def test_two_proofs_of_absence_are_as_far_apart_as_they_were_asked_for_not_as_they_were_used(
    op: Operator,
) -> None:
    await op.applies()
    del op.lenses.connectors[NAME]
    asked: list[float] = []
    get, info = op.lenses.poll_connector, op.lenses.get_cluster_info

    async def poll_connector(*arguments: Any) -> Any:
        asked.append(now())
        return await get(*arguments)

    async def get_cluster_info(*arguments: str) -> Any:
        if len(asked) == 2:
            await asyncio.sleep(25)  # a cluster that restarts denies what it holds, and is slow
        return await info(*arguments)

    for double in (poll_connector, get_cluster_info):
        setattr(op.lenses, double.__name__, double)
    op.lenses.fail("delete_connector", errors.ServerError("delete_connector"))
    look_closely(op)
    await op.deletes(seconds=0.5)
    op.queue.add(next(iter(op.core.connectors._loader._memories)))  # something wakes it at once
    await asyncio.sleep(120)
    assert not op.kube.there()
    assert asked[-1] - asked[0] >= 2.0
    assert len(asked) >= 3


async def test_how_long_requests_take_is_no_time_between_two_denials(op: Operator) -> None:
    await op.applies()
    del op.lenses.connectors[NAME]
    answered: list[float] = []
    sent: list[float] = []
    get, delete = op.lenses.poll_connector, op.lenses.delete_connector

    async def poll_connector(*arguments: Any) -> Any:
        await asyncio.sleep(25)
        try:
            return await get(*arguments)
        finally:
            answered.append(now())

    async def delete_connector(*arguments: str, **options: Any) -> None:
        sent.append(now())
        await asyncio.sleep(25)
        await delete(*arguments, **options)

    for double in (poll_connector, delete_connector):
        setattr(op.lenses, double.__name__, double)
    await op.deletes(seconds=600)
    assert not op.kube.there()
    proof = next(at for at in answered if at >= sent[0] + 25)
    assert sent[-1] >= proof + ABSENCE


@pytest.mark.parametrize("seconds", [0.0, 200.0], ids=["lists fail", "lists hang"])
async def test_a_list_from_before_a_right_was_lost_proves_no_absence(op: Operator, seconds: float) -> None:
    op.kube.apply(deletionPolicy="Delete")
    await op.applies("another", namespace="logistics")
    everything = dict(op.lenses.connectors)
    poll = op.lenses.poll_connectors

    async def poll_connectors(*_: object, **__: object) -> Listing:
        await asyncio.sleep(seconds)
        raise errors.LensesUnreachable("list_connectors", reason="timeout")

    op.lenses.poll_connectors = poll_connectors  # type: ignore[method-assign]
    op.lenses.connectors.clear()
    await op.deletes(seconds=45)
    assert op.kube.there()
    op.lenses.poll_connectors = poll  # type: ignore[method-assign]
    op.lenses.connectors.update(everything)
    await asyncio.sleep(400)
    assert not op.kube.there()
    assert NAME not in op.lenses.connectors
    assert "Deleted" in op.reasons()


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
async def test_who_waits_for_a_name_has_it_when_the_deletion_of_a_vanished_owner_is_done(
    op: Operator, policy: str
) -> None:
    await op.applies(deletionPolicy=policy)
    await op.applies(namespace="logistics", adoptionPolicy="Always")
    assert op.said(namespace="logistics") == ("False", "Conflict", "Conflict")
    op.kube.vanish()
    await asyncio.sleep(60)
    assert op.said(namespace="logistics") == RUNNING


def test_the_time_that_a_look_takes_is_no_absence() -> None:
    """Its first tries may have broken: the answer says nothing of the time before it."""
    memory = SimpleNamespace(absence=Absence(), written=SimpleNamespace(awaiting_baseline=False))
    context: Any = SimpleNamespace(looked_at=80.0, seen_since=lambda _: False, memory=memory)
    note(context, Observed.absent(), 100.0)
    assert memory.absence.since == 100.0
    context.looked_at = 110.0
    note(context, Observed.absent(), 111.0)
    assert memory.absence.since == 100.0, "the first one counts"


@pytest.mark.parametrize(
    ("operation", "spec"), [("put_resource", {"updateStrategy": "InPlace"}), ("create_connector", {})]
)
@pytest.mark.parametrize("late", [2.0, 20.0])
async def test_a_write_that_arrives_after_the_connector_was_deleted_leaves_none_behind(
    op: Operator, operation: str, spec: dict[str, Any], late: float
) -> None:
    """It had no answer, and makes the connector anew."""
    await op.applies(**spec)
    op.lenses.fail(operation, errors.LensesUnreachable(operation), carried_out=operation == "create_connector")
    op.kube.apply(config={"topic": "new"}, **spec)
    op.lenses.calls.clear()
    async with asyncio.timeout(60):
        while not op.lenses.asked(operation):
            await asyncio.sleep(0.001)
    await asyncio.sleep(0.1)
    op.kube.delete()
    await asyncio.sleep(late)
    assert op.kube.there()
    op.lenses.connectors[NAME] = Connector(SENT)
    await asyncio.sleep(200)
    assert op.lenses.connectors == {}
    assert not op.kube.there()
    assert "Deleted" in op.reasons()
