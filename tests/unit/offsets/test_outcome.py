"""A request whose answer was lost, and what may have happened to the connector since."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from lenses_operator.domain.offsets_text import gone_on
from lenses_operator.domain.policy import Policy
from lenses_operator.lenses import errors
from lenses_operator.lenses.models import OffsetsText
from unit.controllers.fakes import CONNECTOR
from unit.offsets.make import ASKED, BEFORE, FILE
from unit.offsets.rig import OffsetsOperator, offsets_operator
from unit.offsets.situations import ELSEWHERE

pytestmark = pytest.mark.virtual_time

LOST = errors.LensesUnreachable("alter_offsets", "no answer", reason="timeout")


def at(*positions: int | None) -> str:
    """Of partitions 0, 1, …"""
    return json.dumps([{"partition": {"n": n}, "offset": {"at": position}} for n, position in enumerate(positions)])


@pytest.mark.parametrize(
    ("asked", "before", "read", "gone"),
    [
        (at(5), at(1), at(1), False),
        (at(5), at(1), at(5), False),
        (at(5), at(1), at(6), True),
        (at(5, 5), at(1, 1), at(1, 5), False),
        (at(5, 5), at(1, 1), at(2, 5), True),
        (at(5), at(1, 1), at(5, 2), True),
        (at(5), "[]", "[]", False),
        (at(5), "[]", at(5), False),
        (at(5), "[]", at(5, 1), True),
        (at(5), at(1), "[]", True),
        (None, at(1, 2), at(1), False),
        (None, at(1, 2), "[]", False),
        (None, at(1, 2), at(1, 3), True),
        ('[{"partition": {"n": 0}, "offset": null}]', at(1), "[]", False),
        ('[{"partition": {"n": "0"}, "offset": {"at": 5.0}}]', at(1), at(5), False),
        (at(5), at(1, 2), json.dumps(json.loads(at(1, 2))[::-1]), False),
    ],
)
def test_what_stood_still_is_where_it_was_or_where_it_was_put(
    asked: str | None, before: str, read: str, gone: bool
) -> None:
    assert gone_on(asked, before, read) is gone


async def lose_the_answer(op: OffsetsOperator, carried_out: bool, action: str = "Alter") -> None:
    """Once it was sent, the policy keeps the operator from everything for a while, and the connector is let go."""
    await op.runs()
    operation = "alter_offsets" if action == "Alter" else "reset_offsets"
    op.lenses.fail(operation, LOST, carried_out=carried_out)
    op.offsets.apply(action=action)
    await op.until(lambda: op.lenses.asked(operation))
    op.policy = ELSEWHERE
    await op.until_reason("ConnectorNotReady")


def go_on(op: OffsetsOperator, position: int) -> None:
    op.lenses.offsets = json.dumps([{"partition": FILE, "offset": {"position": position}}])


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("action", ["Alter", "Reset"])
async def test_it_is_not_sent_again_to_a_connector_that_has_gone_on(
    op: OffsetsOperator, carried_out: bool, action: str
) -> None:
    await lose_the_answer(op, carried_out, action)
    go_on(op, 7 if carried_out else 1001)
    op.policy = Policy()
    await op.until_reason("OutcomeUnknown")
    assert op.how() == ("Failed", "False", "OutcomeUnknown")
    assert len(op.lenses.asked("alter_offsets", "reset_offsets")) == 1
    assert op.offsets.status().before == BEFORE
    assert op.offsets.status().offsets == tuple(json.loads(op.lenses.offsets))
    assert op.offsets_events[-1].warning
    await op.until(lambda: op.said()[1] == "Running")
    await op.operates("Applied", offsets=[{"partition": FILE, "offset": {"position": 6}}])


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("restarted", [False, True])
async def test_one_that_stood_still_gets_what_was_asked_for(carried_out: bool, restarted: bool) -> None:
    async with offsets_operator() as op:
        await lose_the_answer(op, carried_out)
        lenses, kube, offsets = op.lenses, op.kube, op.offsets
        if not restarted:
            op.policy = Policy()
            await op.until_reason("Applied")
    async with offsets_operator(lenses, kube, offsets) as op:
        await op.until_reason("Applied")
        assert json.loads(lenses.offsets) == ASKED
        assert len(lenses.sent) == 1


@pytest.mark.parametrize("asked", [False, True])
async def test_a_connector_that_does_not_stop_again_is_not_said_to_be_unchanged(
    op: OffsetsOperator, asked: bool
) -> None:
    if asked:
        await lose_the_answer(op, carried_out=True)
        connector: Any = op.connector
        connector.rest("RUNNING")
    else:
        await op.runs()
        op.offsets.apply()
    op.lenses.stops = False
    op.policy = Policy()
    await op.until_reason("StopTimeout")
    assert ("Nothing was changed" in op.words()) is not asked
    await asyncio.sleep(1)


def an_older_claim(op: OffsetsOperator) -> None:
    """Of a resource whose creation time is older: the API servers' clocks need not agree."""
    op.kube._uid = -100
    op.kube.apply(namespace="logistics", adoptionPolicy="Never")


def another_policy(op: OffsetsOperator) -> None:
    op.policy = ELSEWHERE


def deletion(op: OffsetsOperator) -> None:
    op.kube.delete()


@pytest.mark.parametrize("happens", [an_older_claim, another_policy, deletion])
@pytest.mark.parametrize("action", ["Alter", "Reset"])
async def test_nothing_is_changed_of_a_connector_that_is_no_longer_its_own_when_lenses_answers(
    op: OffsetsOperator, happens: Callable[[OffsetsOperator], None], action: str
) -> None:
    await op.runs()
    op.lenses.always("delete_connector", LOST)
    get_offsets = op.lenses.get_offsets

    async def slow(*arguments: str) -> OffsetsText:
        setattr(op.lenses, "get_offsets", get_offsets)  # noqa: B010 - a double of the method
        happens(op)
        await asyncio.sleep(5)
        return await get_offsets(*arguments)

    setattr(op.lenses, "get_offsets", slow)  # noqa: B010
    op.offsets.apply(action=action)
    await op.until(lambda: op.lenses.asked("get_offsets"))
    await asyncio.sleep(60)
    assert op.lenses.asked("alter_offsets", "reset_offsets") == []


@pytest.mark.parametrize("refused", [True, False])
async def test_an_outcome_that_is_not_known_quotes_the_last_answer(op: OffsetsOperator, refused: bool) -> None:
    no = errors.ServerError("alter_offsets", status=500, detail="its tasks haven't stopped completely yet")
    await op.runs()
    op.lenses.always("alter_offsets", no if refused else LOST)
    op.offsets.apply()
    await op.until(lambda: len(op.lenses.asked("alter_offsets")) >= 2)
    op.policy = ELSEWHERE
    await op.until_reason("ConnectorNotReady")
    go_on(op, 77)
    op.policy = Policy()
    await op.until_reason("OutcomeUnknown")
    assert ("the last answer was: its tasks haven't stopped completely yet;" in op.words()) is refused
    assert ("no answer confirmed it" in op.words()) is not refused


def removal(op: OffsetsOperator) -> None:
    op.lenses.connectors.clear()


@pytest.mark.parametrize("happens", [an_older_claim, another_policy, deletion, removal])
@pytest.mark.parametrize("action", ["Alter", "Reset"])
async def test_what_was_accepted_is_over_once_the_connector_is_let_go(
    op: OffsetsOperator, monkeypatch: pytest.MonkeyPatch, happens: Callable[[OffsetsOperator], None], action: str
) -> None:
    """Lenses still shows the offsets of before, so that it would look as if nothing had been sent."""
    await op.runs()
    before = await op.lenses.get_offsets(*CONNECTOR)

    async def stale(*_: str) -> OffsetsText:
        return before

    monkeypatch.setattr(op.lenses, "get_offsets", stale)
    op.offsets.apply(action=action)
    operation = "alter_offsets" if action == "Alter" else "reset_offsets"
    await op.until(lambda: op.lenses.asked(operation))
    await asyncio.sleep(0.01)
    happens(op)
    await op.until_reason("Applied")
    assert "could not be read back" in op.words()
    assert op.offsets.status().applied_generation == 1
    assert len(op.lenses.asked(operation)) == 1
