"""All pollers together, in virtual time: so many lists a second, evenly, and what is urgent first."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from lenses_operator.domain.polling import BURST, REGULAR, Allowance
from lenses_operator.lenses import errors
from lenses_operator.lenses.client import Listing
from lenses_operator.lenses_state.list_budget import ListBudget
from lenses_operator.lenses_state.poller import KNOWN_FOR
from lenses_operator.lenses_state.pollers import PATIENCE, Pollers
from lenses_operator.resources.base import ObjectKey
from unit.controllers.fakes import Connector, FakeLenses
from unit.controllers.virtualtime import now
from unit.lenses_state.rig import running, session

pytestmark = pytest.mark.virtual_time

INTERVAL, RATE = 15.0, 2.0
TOKENS = 80
STRETCHED = TOKENS / RATE / REGULAR


class Lenses(FakeLenses):
    """Keeps when each list was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.connectors["a"] = Connector({})
        self.lists: list[tuple[float, str]] = []
        self.silent: set[str] = set()

    async def poll_connectors(
        self, environment: str, known: Listing | None = None, *, cluster: str | None = None
    ) -> Listing:
        self.lists.append((now(), environment))
        if environment in self.silent:
            raise errors.Unauthorized("list_connectors")
        return await super().poll_connectors(environment, known, cluster=cluster)

    def since(self, begun: float) -> list[tuple[float, str]]:
        return [one for one in self.lists if one[0] >= begun]


class Rig:
    """Many tokens, which are as many lists; the first `shared` of them see one environment, each other its own."""

    def __init__(self, tokens: int = TOKENS, shared: int = 0, rate: float = RATE) -> None:
        self.lenses = Lenses()
        self.woken: list[ObjectKey] = []
        self.environments = Pollers(INTERVAL, rate, self.woken.append, lambda _: [])
        for number in range(tokens):
            self.join(number, f"env-{number}" if number >= shared else "shared")

    def join(self, number: int, environment: str) -> ObjectKey:
        key = ObjectKey("LensesConnector", "payments", f"c-{number}")
        self.environments.subscribe(environment, "connect-eu", session(f"token-{number}", self.lenses), key)
        return key

    def most_in(self, seconds: float, begun: float) -> int:
        """Lists within any such time."""
        times = [at for at, _ in self.lenses.since(begun)]
        return max(sum(1 for at in times if start <= at < start + seconds) for start in times)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with running(Rig()) as started:
        yield started


async def test_few_lists_wait_for_nothing() -> None:
    async with running(Rig(tokens=8)) as rig:
        begun = now()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert {at for at, _ in rig.lenses.lists} == {begun}
        await asyncio.sleep(100 * INTERVAL)
        assert len(rig.lenses.lists) == pytest.approx(8 * 100 / 0.95, rel=0.03)


async def test_many_keep_to_the_budget_and_each_has_its_turn(rig: Rig) -> None:
    begun = now()
    await asyncio.sleep((TOKENS - BURST * RATE) / RATE - 1)
    assert rig.most_in(1.0, begun + 0.1) <= RATE + 1
    await asyncio.sleep(BURST + 2)
    assert len({name for _, name in rig.lenses.lists}) == TOKENS, "every first list"
    assert len(rig.lenses.lists) <= RATE * (now() - begun) + BURST * RATE
    begun = now()
    await asyncio.sleep(20 * STRETCHED)
    counts = Counter(name for _, name in rig.lenses.since(begun))
    assert len(counts) == TOKENS
    assert max(counts.values()) - min(counts.values()) <= 4, "evenly"
    assert len(rig.lenses.since(begun)) <= RATE * 20 * STRETCHED
    assert len(rig.lenses.since(begun)) > 0.85 * RATE * 20 * STRETCHED, "and the budget is used"


async def test_the_interval_in_force_is_told_and_shrinks_again(rig: Rig) -> None:
    await asyncio.sleep(TOKENS / RATE + 1)
    assert {status.every for status in rig.environments.poller_statuses()} == {STRETCHED}
    for number in range(20, TOKENS):
        rig.environments.unsubscribe(ObjectKey("LensesConnector", "payments", f"c-{number}"))
    assert {status.every for status in rig.environments.poller_statuses()} == {INTERVAL}


async def test_a_new_token_is_tried_at_once_among_many_lists(rig: Rig) -> None:
    await asyncio.sleep(3 * STRETCHED)
    for number in (7, 70):
        begun = now()
        rig.environments.poll_now(f"token-{number}")
        await asyncio.sleep(1)
        assert f"env-{number}" in {name for _, name in rig.lenses.since(begun)}


async def test_no_haste_exceeds_the_budget_or_leaves_the_others_out(rig: Rig) -> None:
    await asyncio.sleep(3 * STRETCHED)
    begun = now()
    while now() < begun + 4 * STRETCHED:
        for number in range(8):
            rig.environments.poll_now(f"token-{number}")
        await asyncio.sleep(0.5)
    since = rig.lenses.since(begun)
    assert len(since) <= RATE * (now() - begun) + BURST * RATE
    hasty = {f"env-{number}" for number in range(8)}
    others = Counter(name for _, name in since if name not in hasty)
    assert sum(others.values()) >= (len(since) - BURST * RATE) / 4 - 1
    assert len(others) == TOKENS - 8, "they are late, and all have a turn"
    last = {name: at for at, name in rig.lenses.lists}
    due = [number for number in range(8, TOKENS) if last[f"env-{number}"] < now() - STRETCHED]
    latest = max(due, key=lambda number: last[f"env-{number}"])
    begun = now()
    rig.environments.poll_now(f"token-{latest}")
    await asyncio.sleep(8 / RATE * 2)
    assert f"env-{latest}" in {name for _, name in rig.lenses.since(begun)}, "though it waits among the others"


async def test_a_list_that_already_waits_is_hurried() -> None:
    budget = ListBudget(1.0)
    order: list[Any] = []

    async def ask(name: str) -> None:
        await budget.turn(name, urgent=False)
        order.append(name)

    async with asyncio.TaskGroup() as group:
        for name in "abcdefghij":
            group.create_task(ask(name))
        await asyncio.sleep(0.5)
        assert order == list("abcde")
        budget.prioritize("j")
        budget.prioritize("nobody")
    assert order == list("abcdejfghi")


async def test_one_who_gives_up_waiting_takes_no_turn() -> None:
    budget = ListBudget(1.0)
    waiting = [asyncio.create_task(budget.turn(number, urgent=number % 2 == 0)) for number in range(8)]
    await asyncio.sleep(0.1)
    for task in waiting[5:]:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    begun = now()
    await asyncio.sleep(BURST)
    await budget.turn("later", urgent=False)
    assert now() == begun + BURST


@pytest.mark.parametrize("urgent", [False, True])
async def test_one_who_is_called_off_just_as_turns_are_given_takes_none(urgent: bool) -> None:
    budget = ListBudget(1.0)
    for number in range(int(BURST)):
        await budget.turn(number, urgent=urgent)
    waiting = [asyncio.create_task(budget.turn(name, urgent=urgent)) for name in ("first", "second")]
    await asyncio.sleep(0.5)
    waiting[0].cancel()
    budget._allowance = Allowance.full(1.0, now())  # as after a turn of the loop that took long
    await budget.turn("third", urgent=urgent)
    await waiting[1]


async def test_an_environment_that_is_down_is_asked_about_as_often_as_ever() -> None:
    """What has something to do there waits for a list: with the stretched interval it would be for minutes."""
    async with running(Rig(shared=TOKENS // 2)) as rig:
        await asyncio.sleep(3 * STRETCHED)
        rig.lenses.silent = {"shared", f"env-{TOKENS - 1}"}
        await asyncio.sleep(3 * STRETCHED)
        begun = now()
        await asyncio.sleep(10 * INTERVAL)
        counts = Counter(name for _, name in rig.lenses.since(begun))
        assert all(counts[name] >= 9 for name in rig.lenses.silent)
        assert counts[f"env-{TOKENS - 2}"] <= 1 + 10 * INTERVAL / (0.9 * STRETCHED)
        assert len(rig.lenses.since(begun)) <= RATE * 10 * INTERVAL + BURST * RATE


async def test_when_one_list_of_an_environment_is_back_all_of_them_are_asked_for() -> None:
    shared = TOKENS // 2
    async with running(Rig(shared=shared)) as rig:
        await asyncio.sleep(3 * STRETCHED)
        rig.lenses.silent = {"shared"}
        await asyncio.sleep(3 * STRETCHED)
        assert sum(status.error is not None for status in rig.environments.poller_statuses()) == shared
        rig.lenses.silent = set()
        begun = now()
        while all(name != "shared" for _, name in rig.lenses.since(begun)):
            await asyncio.sleep(0.5)
        await asyncio.sleep(shared / RATE * 4 / 3 + 1)  # three turns of four
        assert now() < begun + 0.8 * STRETCHED
        assert all(status.error is None for status in rig.environments.poller_statuses())


async def test_a_cluster_stays_known_between_lists_that_are_far_apart() -> None:
    """Its workers may be starting again, however long ago it was that it showed its connectors."""
    tokens, rate = 90, 0.1
    every = tokens / rate / REGULAR
    assert every > KNOWN_FOR
    async with running(Rig(tokens=tokens, rate=rate)) as rig:
        await asyncio.sleep(tokens / rate + 1)
        rig.lenses.always("list_connectors", errors.ServerError("list_connectors", detail="starting"))
        await asyncio.sleep(1.4 * every)
        view = rig.environments.subscribe(
            "env-5", "connect-eu", session("token-5", rig.lenses), ObjectKey("LensesConnector", "payments", "c-5")
        )
        assert view is not None
        assert view.error is not None
        assert view.listed


async def test_nobody_waits_for_a_first_list_longer_than_with_few(rig: Rig) -> None:
    key = rig.join(TOKENS, "late")
    await asyncio.sleep(PATIENCE + 1)
    assert "late" not in {name for _, name in rig.lenses.lists}, "its turn is still to come"
    assert rig.environments.patience(key) == 0


async def test_of_environments_that_are_gone_nothing_is_kept() -> None:
    async with running(Rig(tokens=6)) as rig:
        rig.lenses.silent = {"env-1", "env-2"}
        await asyncio.sleep(3 * INTERVAL)
        for number in range(5):
            rig.environments.unsubscribe(ObjectKey("LensesConnector", "payments", f"c-{number}"))
        assert not rig.environments.polled("env-1")
        assert rig.environments.polled("env-5")
        kept = vars(rig.environments).values()
        assert not any("env-1" in str(one) for one in kept if isinstance(one, dict))
