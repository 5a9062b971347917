"""One list for all: a passing failure is doubted once, then reported once."""

from __future__ import annotations

import asyncio
import logging
from typing import cast

import pytest

from lenses_operator.lenses import errors
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses_state.list_budget import ListBudget
from lenses_operator.lenses_state.poller import ClusterPoller, ConnectorName
from unit.controllers.fakes import Connector, FakeLenses, Task
from unit.controllers.virtualtime import START, now

pytestmark = pytest.mark.virtual_time

ORDERS = ("connect-eu", "orders")
NOBODY: frozenset[ConnectorName] = frozenset()
"""With which each good list is told."""
DOWN = errors.ServerError("list_connectors", detail="down")


class Rig:
    def __init__(self) -> None:
        self.lenses = FakeLenses()
        self.lenses.connectors["orders"] = Connector({})
        self.changes: list[frozenset[ConnectorName] | None] = []
        self.seen_by_others: list[int] = []
        """How many changes had been told in the turn after each."""
        self.poller = ClusterPoller(
            cast("LensesClient", self.lenses),
            "prod",
            "connect-eu",
            lambda: 15.0,
            ListBudget(10.0),
            self._changed,
            uniform=lambda _, high: high,
        )

    async def _changed(self, names: frozenset[ConnectorName] | None) -> None:
        self.changes.append(names)
        asyncio.get_running_loop().call_soon(lambda: self.seen_by_others.append(len(self.changes)))

    def lost(self) -> bool:
        return self.poller.view is not None and self.poller.view.error is not None

    async def polls(self, times: int = 1) -> None:
        for _ in range(times):
            await self.poller.poll()


@pytest.fixture
async def rig() -> Rig:
    return Rig()


async def test_the_first_list_concerns_everybody(rig: Rig) -> None:
    seen = rig.poller.view
    assert seen is None
    await rig.polls()
    assert rig.changes == [None]
    assert rig.poller.view is not None
    assert set(rig.poller.view.entries) == {ORDERS}


async def test_that_it_is_lost_and_that_it_is_back_is_logged_once(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "lenses_operator")
    await rig.polls(3)
    rig.lenses.always("list_connectors", DOWN)
    await rig.polls(5)
    rig.lenses.always("list_connectors", None)
    await rig.polls(3)
    ours = [record for record in caplog.records if record.name.startswith("lenses_operator")]
    assert [line.getMessage() for line in ours] == [
        "list of connectors failed: list connectors: Lenses answered 500",
        "cluster back",
    ]
    assert {(line.__dict__["environment"], line.__dict__["cluster"]) for line in ours} == {("prod", "connect-eu")}


async def test_then_only_what_changed(rig: Rig) -> None:
    await rig.polls(2)
    rig.lenses.connectors["orders"].rest("PAUSED")
    rig.lenses.connectors["new"] = Connector({})
    await rig.polls()
    rig.lenses.connectors["orders"].tasks = [Task(0, "FAILED")]
    await rig.polls()
    del rig.lenses.connectors["new"]
    await rig.polls()
    assert rig.changes == [
        None,
        *[NOBODY],
        *[NOBODY, frozenset({ORDERS, ("connect-eu", "new")})],
        *[NOBODY, frozenset({ORDERS})],
        *[NOBODY, frozenset({("connect-eu", "new")})],
    ]


@pytest.mark.parametrize(
    "failure",
    [
        DOWN,
        errors.LensesUnreachable("x"),
        errors.UnusableAnswer("x", status=200),
        errors.AgentNotConnected("x"),
        errors.RateLimited("x"),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_a_passing_failure_is_doubted_once_and_then_reported_once(rig: Rig, failure: errors.LensesError) -> None:
    await rig.polls()
    rig.lenses.always("list_connectors", failure)
    await rig.polls()
    assert not rig.lost()
    assert rig.changes == [None]
    await rig.polls()
    assert rig.lost()
    assert rig.changes == [None, None]
    await rig.polls(5)
    assert rig.changes == [None, None]
    assert rig.poller.view is not None
    assert set(rig.poller.view.entries) == {ORDERS}, "what was seen last stays"


@pytest.mark.parametrize(
    "failure",
    [errors.EnvironmentNotFound("x"), errors.Unauthorized("x"), errors.Forbidden("x"), errors.LicenceRequired("x")],
    ids=lambda failure: type(failure).__name__,
)
async def test_a_considered_answer_is_believed_at_once(rig: Rig, failure: errors.LensesError) -> None:
    await rig.polls()
    rig.lenses.fail("list_connectors", failure)
    await rig.polls()
    assert rig.lost()
    assert rig.changes == [None, None]


async def test_another_failure_is_news(rig: Rig) -> None:
    await rig.polls()
    rig.lenses.fail("list_connectors", DOWN, DOWN, errors.Unauthorized("x"), errors.Unauthorized("x"), DOWN)
    await rig.polls(5)
    assert len(rig.changes) == 4


async def test_recovery_concerns_everybody(rig: Rig) -> None:
    await rig.polls()
    rig.lenses.fail("list_connectors", DOWN, DOWN)
    await rig.polls(3)
    assert not rig.lost()
    assert rig.changes == [None, None, None]


async def test_two_failures_that_do_not_follow_each_other_are_both_doubted(rig: Rig) -> None:
    await rig.polls()
    rig.lenses.fail("list_connectors", DOWN, None, DOWN, None)
    await rig.polls(4)
    assert rig.changes == [None, frozenset(), frozenset()]


async def test_a_first_list_that_fails_is_told_so_that_nobody_waits_in_silence(rig: Rig) -> None:
    rig.lenses.fail("list_connectors", DOWN)
    await rig.polls()
    assert rig.lost()
    assert rig.changes == [None]


async def test_the_rhythm_is_the_interval_and_quicker_in_doubt(rig: Rig) -> None:
    times: list[float] = []
    read = rig.lenses.list_connectors

    async def timed(environment: str) -> object:
        times.append(now() - START)
        return await read(environment)

    rig.lenses.list_connectors = timed  # type: ignore[method-assign, assignment]
    rig.lenses.fail("list_connectors", None, DOWN)
    task = asyncio.create_task(rig.poller.run())
    await asyncio.sleep(34)
    rig.poller.poll_now()
    await asyncio.sleep(0.01)
    task.cancel()
    assert times == pytest.approx([0, 15, 17, 32, 34], abs=0.1)


async def test_the_view_is_as_old_as_the_question(rig: Rig) -> None:
    await asyncio.sleep(5)
    await rig.polls()
    assert rig.poller.view is not None
    assert rig.poller.view.asked_at == pytest.approx(START + 5)


async def test_thousands_that_changed_are_told_some_at_a_time_and_others_have_turns_in_between(rig: Rig) -> None:
    rig.lenses.connectors = {f"c{number}": Connector({}) for number in range(1000)}
    await rig.polls()
    for connector in rig.lenses.connectors.values():
        connector.rest("PAUSED")
    del rig.lenses.connectors["c7"]
    rig.lenses.connectors["new"] = Connector({})
    await rig.polls()
    parts = rig.changes[2:]
    assert len(parts) > 1
    assert rig.seen_by_others[2:] == list(range(3, len(rig.changes) + 1)), "nothing else had a turn between two of them"
    named = [name for part in parts if part is not None for name in part]
    assert sorted(named) == sorted(("connect-eu", name) for name in [*rig.lenses.connectors, "c7"])


async def test_a_list_that_says_the_same_keeps_its_entries_and_concerns_nobody(rig: Rig) -> None:
    await rig.polls()
    assert rig.poller.view is not None
    entries, asked_at = rig.poller.view.entries, rig.poller.view.asked_at
    await asyncio.sleep(15)
    await rig.polls()
    assert rig.poller.view.entries is entries
    assert rig.poller.view.asked_at > asked_at
    assert rig.changes == [None, frozenset()]


async def test_the_same_list_after_it_was_lost_concerns_everybody(rig: Rig) -> None:
    await rig.polls()
    rig.lenses.fail("list_connectors", DOWN, DOWN)
    await rig.polls(2)
    assert rig.lost()
    await rig.polls()
    assert not rig.lost()
    assert set(rig.poller.view.entries if rig.poller.view else ()) == {ORDERS}
    assert rig.changes == [None, None, None]


async def test_an_error_that_nobody_foresaw_is_told_and_the_lists_go_on(rig: Rig) -> None:
    read = rig.lenses.list_connectors
    answers: list[Exception | None] = [None, KeyError("name"), RecursionError(), None]

    async def odd(environment: str) -> object:
        error = answers.pop(0) if answers else None
        if error is not None:
            raise error
        return await read(environment)

    rig.lenses.list_connectors = odd  # type: ignore[method-assign, assignment]
    task = asyncio.create_task(rig.poller.run())
    await asyncio.sleep(20)
    assert rig.lost()
    await asyncio.sleep(40)
    assert not task.done()
    assert not rig.lost()
    task.cancel()


async def test_a_wish_to_list_again_that_comes_during_a_list_is_heeded_right_after_it(rig: Rig) -> None:
    read = rig.lenses.list_connectors
    times: list[float] = []

    async def slow(environment: str) -> object:
        times.append(now() - START)
        await asyncio.sleep(1)
        return await read(environment)

    rig.lenses.list_connectors = slow  # type: ignore[method-assign, assignment]
    task = asyncio.create_task(rig.poller.run())
    await asyncio.sleep(0.5)
    rig.poller.poll_now()
    await asyncio.sleep(5)
    task.cancel()
    assert times == pytest.approx([0, 1], abs=0.1)
