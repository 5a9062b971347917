"""The restart that the annotation asks for: written down, asked for and said to be under way, in this order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from harness.lenses.memory_connector import Task
from lenses_operator.commands.verbs.verb import GRACE, VERBS, Asked
from lenses_operator.kube.errors import KubeError
from lenses_operator.lenses import errors
from lenses_operator.resources.base import RESTART
from lenses_operator.resources.connector import ConnectorStatus, LensesConnector
from unit.controllers.fakes import RUNNING, FakeKube, FakeLenses, Operator, operator, steps
from unit.controllers.support import annotate

pytestmark = pytest.mark.virtual_time

UNDER_WAY = "The restart that the annotation asks for is under way."


class HeldLenses(FakeLenses):
    """Restarts wait until they are let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_for, self.let = asyncio.Event(), asyncio.Event()

    async def _gate(self, operation: str, *what: str) -> errors.LensesError | None:
        if operation in ("set_state", "restart_task"):
            self.asked_for.set()
            await self.let.wait()
        return await super()._gate(operation, *what)


@pytest.fixture
def lenses() -> HeldLenses:
    return HeldLenses()


def fail_task(op: Operator) -> None:
    op.held.tasks = [Task(0, "FAILED")]


def fail_connector(op: Operator) -> None:
    op.held.state = "FAILED"


def fail_nothing(_: Operator) -> None:
    pass


FAILS = pytest.mark.parametrize("fail", [fail_task, fail_connector, fail_nothing])


def waits(op: Operator) -> bool:
    """Whether `kubectl lenses restart --wait` goes on waiting, however long it has done so."""
    found = LensesConnector.read(op.kube.objects["payments", "orders"])
    return VERBS["restart"].outcome(found, Asked("1", found.metadata.generation, GRACE + 1)) is None


async def asked_for(op: Operator, lenses: HeldLenses, fail: Callable[[Operator], None]) -> None:
    """Until Lenses has the request."""
    await op.runs()
    fail(op)
    annotate(op, RESTART, "1")
    assert waits(op)
    await lenses.asked_for.wait()


@FAILS
async def test_nobody_is_told_of_its_end_before_it_was_asked_for(
    lenses: HeldLenses, kube: FakeKube, fail: Callable[[Operator], None]
) -> None:
    async with operator(lenses, kube) as op:
        await asked_for(op, lenses, fail)
        status = kube.status()
        assert status.last_handled_restart == "1", "a crash may lose it, never repeat it"
        assert {one.type for one in status.conditions} == {"Ready", "Reconciling"}
        assert UNDER_WAY in op.message()
        assert waits(op)
        lenses.let.set()
        await asyncio.sleep(30)
        assert op.said() == RUNNING
        assert {one.type for one in kube.status().conditions} == {"Ready"}
        assert not waits(op)


async def test_what_is_well_stays_ready_meanwhile(lenses: HeldLenses, kube: FakeKube) -> None:
    """Nobody is alerted of it, and the ten healthy minutes go on."""
    async with operator(lenses, kube) as op:
        await op.runs()
        before = kube.status().ready
        annotate(op, RESTART, "1")
        lenses.let.set()
        await asyncio.sleep(30)
        assert before is not None
        assert {status.ready.last_transition_time for status in kube.statuses if status.ready} == {
            before.last_transition_time
        }


@FAILS
async def test_cut_off_it_is_not_said_to_be_under_way_for_ever(
    lenses: HeldLenses, kube: FakeKube, fail: Callable[[Operator], None]
) -> None:
    """It is lost, since it might have been made."""
    async with operator(lenses, kube) as op:
        await asked_for(op, lenses, fail)
    assert UNDER_WAY in op.message()
    lenses.let.set()
    lenses.calls.clear()
    async with operator(lenses, kube, drift=86400.0) as op:
        await asyncio.sleep(60)
        assert UNDER_WAY not in op.message()
        assert not waits(op)
        assert not [step for step in steps(lenses.calls) if not step.startswith("status")]


NOTHING_DONE = {
    "rebalance": errors.Conflict("x"),
    "rebalance, by its words": errors.Conflict("x", status=500),
    "pause": errors.RateLimited("x", retry_after=2.0),
    "right missing": errors.Forbidden("x"),
    "not sent": errors.LensesUnreachable("x", reason="connect_timeout", maybe_done=False),
}
UNKNOWN = {
    "server error": errors.ServerError("x", detail="boom"),
    "call lost": errors.AgentCallFailed("x", status=400),
    "dropped": errors.LensesUnreachable("x", reason="dropped", maybe_done=True),
}


async def restarted(op: Operator, fail: Callable[[Operator], None], *refusals: errors.LensesError) -> list[str]:
    """The requests that the annotation leads to where the first ones are answered so."""
    await op.runs()
    fail(op)
    for operation in ("set_state", "restart_task"):
        op.lenses.fail(operation, *refusals)
    annotate(op, RESTART, "1")
    await asyncio.sleep(3600)
    return [step for step in steps(op.lenses.calls) if step.startswith(("set_state", "restart_task"))]


@FAILS
@pytest.mark.parametrize("refusal", NOTHING_DONE.values(), ids=NOTHING_DONE)
async def test_what_was_certainly_not_done_is_asked_for_until_it_is(
    kube: FakeKube, fail: Callable[[Operator], None], refusal: errors.LensesError
) -> None:
    """Else whoever waits would be told that all is well, and nothing had been restarted."""
    async with operator(FakeLenses(), kube) as op:
        asked = await restarted(op, fail, refusal, refusal)
        assert len(asked) == 3
        assert len(set(asked)) == 1
        assert op.said() == RUNNING
        assert not waits(op)
        assert [event for event in op.events if event.reason == "RestartUnanswered"] == []


@pytest.mark.parametrize("refusal", NOTHING_DONE.values(), ids=NOTHING_DONE)
async def test_meanwhile_it_is_said_why_and_what_is_well_is_not_called_into_question(
    kube: FakeKube, refusal: errors.LensesError
) -> None:
    async with operator(FakeLenses(), kube) as op:
        await op.runs()
        before = kube.status().ready
        op.lenses.always("set_state", refusal)
        annotate(op, RESTART, "1")
        await asyncio.sleep(300)
        assert before is not None
        assert "It has been refused so far and is retried for up to ten minutes: " in op.message()
        assert op.message().startswith("1 of 1 tasks running. " + UNDER_WAY)
        assert waits(op)
        assert {status.ready.last_transition_time for status in kube.statuses if status.ready} == {
            before.last_transition_time
        }
        assert len(kube.statuses) <= 10, "the same words are not written again and again"
        op.lenses.always("set_state", None)
        await asyncio.sleep(300)
        assert op.said() == RUNNING
        assert not waits(op)
        assert "refused" not in op.message()


@pytest.mark.parametrize("refusal", NOTHING_DONE.values(), ids=NOTHING_DONE)
async def test_what_is_refused_for_long_is_given_up_and_said(kube: FakeKube, refusal: errors.LensesError) -> None:
    """A connector that is well must not be called into question for good."""
    async with operator(FakeLenses(), kube) as op:
        op.lenses.always("set_state", refusal)
        assert 3 <= len(await restarted(op, fail_nothing)) <= 30
        assert "refused for ten minutes" in op.event("NotRestarted").message
        assert op.event("NotRestarted").warning
        assert op.said() == RUNNING
        asked = len(op.lenses.asked("set_state"))
        await asyncio.sleep(7200)
        assert len(op.lenses.asked("set_state")) == asked


@FAILS
@pytest.mark.parametrize("failure", UNKNOWN.values(), ids=UNKNOWN)
async def test_what_may_have_been_done_is_not_repeated_and_said(
    kube: FakeKube, fail: Callable[[Operator], None], failure: errors.LensesError
) -> None:
    async with operator(FakeLenses(), kube) as op:
        assert len(await restarted(op, fail, failure)) == 1
        assert "give the annotation another value" in op.event("RestartUnanswered").message


async def test_a_refused_restart_is_over_once_it_makes_no_sense(kube: FakeKube) -> None:
    async with operator(FakeLenses(), kube) as op:
        await op.runs()
        op.lenses.fail("set_state", errors.Conflict("x"))
        annotate(op, RESTART, "1")
        await asyncio.sleep(0.5)
        await op.applies(suspend=True)
        assert "spec.suspend is true" in op.event("NotRestarted").message
        await op.applies(suspend=False, seconds=3600)
        assert len(op.lenses.asked("set_state")) == 1


@pytest.mark.parametrize("carried", [True, False])
async def test_one_that_could_not_be_written_down_for_certain_is_not_lost(
    kube: FakeKube, monkeypatch: pytest.MonkeyPatch, *, carried: bool
) -> None:
    write, failures = kube.write_status, iter([True])

    async def interrupted(resource: LensesConnector, status: ConnectorStatus) -> LensesConnector | None:
        fails = status.last_handled_restart == "1" and next(failures, False)
        after = await write(resource, status) if carried or not fails else None
        if fails:
            raise KubeError("status", 0, "connection lost")
        return after

    monkeypatch.setattr(kube, "write_status", interrupted)
    async with operator(FakeLenses(), kube) as op:
        assert len(await restarted(op, fail_task)) == 1
        assert next(failures, None) is None
