"""What changes while a request waits for its turn is heeded: nothing is destroyed or created on what held before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from lenses_operator.domain.policy import Policy, Rule
from unit.controllers.fakes import NAME, Connector, FakeLenses, Operator
from unit.controllers.support import look_closely
from unit.offsets.rig import OffsetsOperator, offsets_operator
from unit.resources.make import CLASS

pytestmark = pytest.mark.virtual_time

TURN = 20.0
WRITES = ("create_connector", "delete_connector", "put_resource", "reset_offsets", "alter_offsets")


async def runs(op: Operator, **spec: Any) -> None:
    await op.applies(**spec)
    assert op.said()[1] == "Running"
    op.lenses.calls.clear()
    op.lenses.turn = TURN


@pytest.mark.parametrize("strategy", ["Recreate", "InPlace"])
async def test_a_configuration_taken_back_is_not_written(op: Operator, strategy: str) -> None:
    await runs(op, config={"topic": "a"}, updateStrategy=strategy)
    await op.applies(seconds=TURN / 2, config={"topic": "by mistake"}, updateStrategy=strategy)
    assert op.said()[1] == "Progressing"
    await op.applies(seconds=300, config={"topic": "a"}, updateStrategy=strategy)
    assert op.lenses.asked(*WRITES) == []
    assert op.said() == ("True", "Running", "Owned")


@pytest.mark.parametrize("strategy", ["Recreate", "InPlace"])
async def test_a_configuration_replaced_by_another_is_not_written_but_that_one_is(op: Operator, strategy: str) -> None:
    await runs(op, config={"topic": "a"}, updateStrategy=strategy)
    await op.applies(seconds=TURN / 2, config={"topic": "by mistake"}, updateStrategy=strategy)
    await op.applies(seconds=300, config={"topic": "b"}, updateStrategy=strategy)
    assert op.lenses.connectors[NAME].config["topic"] == "b"
    assert len(op.lenses.asked("create_connector", "put_resource")) == 1
    assert op.said() == ("True", "Running", "Owned")
    assert op.reasons().count("ConfigUpdated") == 1


async def test_a_new_resource_that_is_edited_is_created_once_as_it_is_then(op: Operator) -> None:
    op.lenses.turn = TURN
    await op.applies(seconds=TURN / 2, config={"topic": "by mistake"})
    await op.applies(seconds=300, config={"topic": "b"})
    assert len(op.lenses.asked("create_connector")) == 1
    assert op.lenses.connectors[NAME].config["topic"] == "b"
    assert op.said() == ("True", "Running", "Owned")


async def test_a_new_resource_that_is_deleted_creates_nothing_and_goes(op: Operator) -> None:
    op.lenses.turn = TURN
    await op.applies(seconds=TURN / 2)
    await op.deletes(seconds=300)
    assert op.lenses.asked("create_connector") == []
    assert op.kube.objects == {}


@pytest.mark.parametrize("policy", ["Delete", "DeleteWithOffsets"])
async def test_a_deletion_that_is_told_to_retain_retains(op: Operator, policy: str) -> None:
    await runs(op, deletionPolicy=policy)
    await op.deletes(seconds=TURN / 2)
    assert op.kube.objects
    await op.applies(seconds=300, deletionPolicy="Retain")
    assert op.lenses.asked(*WRITES) == []
    assert NAME in op.lenses.connectors
    assert op.kube.objects == {}


def forbid(op: Operator) -> None:
    op.policy = Policy((Rule(namespaces=("elsewhere",)),))


def claim(op: Operator) -> None:
    """By another resource whose creation time is older: the API servers' clocks need not agree."""
    op.kube._uid = -100
    op.kube.apply(namespace="logistics", adoptionPolicy="Never")


@pytest.mark.parametrize("happens", [forbid, claim])
async def test_who_is_no_longer_entitled_creates_nothing(op: Operator, happens: Callable[[Operator], None]) -> None:
    op.lenses.turn = TURN
    await op.applies(seconds=TURN / 2, config={"topic": "mine"})
    happens(op)
    await asyncio.sleep(TURN)
    assert all(found.config.get("topic") != "mine" for found in op.lenses.connectors.values())


@pytest.mark.parametrize("policy", ["Delete", "DeleteWithOffsets"])
async def test_a_deletion_does_not_take_the_connector_of_an_older_claim(op: Operator, policy: str) -> None:
    await runs(op, deletionPolicy=policy)
    await op.deletes(seconds=TURN / 2)
    claim(op)
    await asyncio.sleep(300)
    assert op.lenses.asked("delete_connector", "reset_offsets") == []
    assert NAME in op.lenses.connectors
    assert [namespace for namespace, _ in op.kube.objects] == ["logistics"], "the younger has been let go"


async def test_what_nothing_happens_to_is_done_when_its_turn_comes(op: Operator) -> None:
    op.lenses.connectors["others"] = Connector({"connector.class": CLASS})
    await runs(op, config={"topic": "a"})
    await op.applies(seconds=4 * TURN, config={"topic": "b"})
    assert op.lenses.connectors[NAME].config["topic"] == "b"
    await op.deletes(seconds=8 * TURN)
    assert set(op.lenses.connectors) == {"others"}
    assert op.kube.objects == {}


async def test_offsets_of_an_operation_that_was_edited_are_not_sent() -> None:
    async with offsets_operator() as op:
        await _asked(op)
        await op.operates("Applied", offsets=[{"partition": {"filename": "/data/orders"}, "offset": {"position": 7}}])
        assert len(op.lenses.asked("alter_offsets")) == 1
        assert op.offsets.status().offsets == ({"partition": {"filename": "/data/orders"}, "offset": {"position": 7}},)


async def test_offsets_of_an_operation_that_was_deleted_are_not_sent() -> None:
    async with offsets_operator() as op:
        await _asked(op)
        op.offsets.delete()
        await op.until(lambda: op.said() == ("True", "Running", "Owned"))
        await asyncio.sleep(300)
        assert op.lenses.asked("alter_offsets") == []


async def test_a_stop_for_an_operation_that_was_deleted_is_not_sent() -> None:
    async with offsets_operator() as op:
        await op.runs()
        op.lenses.turn = TURN
        op.offsets.apply()
        await asyncio.sleep(TURN / 2)
        op.offsets.delete()
        await asyncio.sleep(300)
        assert op.lenses.asked("set_state") == []
        assert op.said() == ("True", "Running", "Owned")


@pytest.mark.parametrize(
    "wish", [{"state": "running"}, {"state": "stopped", "config": {"topic": "b"}}], ids=["resume", "nothing"]
)
async def test_whatever_waits_when_an_operation_comes_is_looked_at_anew(wish: dict[str, Any]) -> None:
    async with offsets_operator() as op:
        await op.applies(seconds=60, state="stopped")
        op.lenses.turn = TURN
        op.lenses.calls.clear()
        await op.applies(seconds=TURN / 2, **wish)
        await op.operates("Applied")
        assert [call[0] for call in op.lenses.asked("set_state", "alter_offsets")] == ["alter_offsets"]


@pytest.mark.parametrize("strategy", ["Recreate", "InPlace"])
async def test_an_update_waits_for_an_operation_that_came_before_it_was_sent(strategy: str) -> None:
    async with offsets_operator() as op:
        await op.applies(seconds=60, updateStrategy=strategy)
        op.lenses.turn = TURN
        op.lenses.calls.clear()
        await op.applies(seconds=TURN / 2, updateStrategy=strategy, config={"topic": "b"})
        await op.operates("Applied")
        assert op.lenses.asked("delete_connector", "put_resource") == []
        await op.until(lambda: op.said()[1] == "Running")
        assert op.lenses.connectors[NAME].config["topic"] == "b"


async def _asked(op: OffsetsOperator) -> None:
    """An Alter waits for its turn."""
    await op.runs()
    op.lenses.turn = TURN
    op.offsets.apply()
    await op.until(lambda: op.offsets.status().phase == "Applying")
    await asyncio.sleep(TURN / 2)
    assert op.lenses.asked("alter_offsets") == []


def meanwhile(lenses: FakeLenses, operation: str, happens: Callable[[], object], seconds: float = 20.0) -> None:
    """The next such request takes so long, and that happens before its answer is there."""
    call = getattr(lenses, operation)

    async def slow(*arguments: Any, **named: Any) -> Any:
        setattr(lenses, operation, call)
        happens()
        await asyncio.sleep(seconds)
        return await call(*arguments, **named)

    setattr(lenses, operation, slow)


@pytest.mark.parametrize("why", [claim, forbid], ids=["an older claim", "another policy"])
async def test_what_is_no_longer_entitled_when_validate_has_answered_creates_nothing(
    op: Operator,
    why: Callable[[Operator], None],
) -> None:
    meanwhile(op.lenses, "validate", lambda: why(op))
    await op.applies(seconds=60)
    assert len(op.lenses.asked("create_connector")) == (1 if why is claim else 0), "the other's own, or none"


@pytest.mark.parametrize("why", [claim, forbid], ids=["an older claim", "another policy"])
@pytest.mark.parametrize("strategy", ["Recreate", "InPlace"])
async def test_what_is_no_longer_entitled_when_validate_has_answered_replaces_nothing(
    op: Operator, why: Callable[[Operator], None], strategy: str
) -> None:
    await op.applies()
    meanwhile(op.lenses, "validate", lambda: why(op))
    op.lenses.calls.clear()
    await op.applies(seconds=60, config={"topic": "new"}, updateStrategy=strategy)
    assert op.lenses.asked("delete_connector", "put_resource", "create_connector") == []


@pytest.mark.parametrize("policy", ["Delete", "DeleteWithOffsets"])
async def test_what_somebody_let_go_by_hand_while_lenses_answered_is_not_deleted(op: Operator, policy: str) -> None:
    await op.applies(deletionPolicy=policy, state="stopped")
    look_closely(op)
    meanwhile(op.lenses, "poll_connector", op.kube.vanish)
    await op.deletes(seconds=120)
    assert op.lenses.asked("delete_connector", "reset_offsets") == []


async def test_a_state_that_is_taken_back_is_not_asked_for(op: Operator) -> None:
    await runs(op)
    await op.applies(seconds=TURN / 2, state="paused")
    await op.applies(seconds=300, suspend=True, state="paused")
    assert op.lenses.asked("set_state") == []
    assert op.held.state == "RUNNING"
