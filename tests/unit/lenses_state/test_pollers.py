"""Pollers come with the first resource of an environment and token and go with the last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest

from lenses_operator.lenses import errors
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.models import ConnectorListItem
from lenses_operator.lenses_state.poller import SLICE, View
from lenses_operator.lenses_state.pollers import SLICE as WOKEN
from lenses_operator.lenses_state.pollers import Pollers
from lenses_operator.lenses_state.reader import Reader
from lenses_operator.lenses_state.sessions import Session
from lenses_operator.observability.logging import about, request_id
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import ConnectorKey
from unit.controllers.fakes import Connector, FakeLenses
from unit.controllers.virtualtime import START, now
from unit.lenses_state.rig import running, session

pytestmark = pytest.mark.virtual_time

A, B = (ObjectKey("LensesConnector", "payments", name) for name in "ab")


class Rig:
    def __init__(self) -> None:
        self.lenses = FakeLenses()
        self.lenses.connectors["a"] = Connector({})
        self.woken: list[ObjectKey] = []
        self.environments = Pollers(15.0, 10.0, self.woken.append, self.claimants)
        self.sessions = {name: session(name, self.lenses) for name in ("operator", "payments/team")}

    def join(self, environment: str, key: ObjectKey, session: str = "operator") -> View | None:
        return self.environments.subscribe(environment, "connect-eu", self.sessions[session], key)

    def claimants(self, connector: ConnectorKey) -> list[ObjectKey]:
        return [key for key in (A, B) if connector == ConnectorKey("prod", "connect-eu", key.name)]

    def lists(self) -> list[str]:
        return [call[1] for call in self.lenses.calls]


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with running(Rig()) as started:
        yield started


async def test_the_first_list_wakes_whoever_joined_meanwhile(rig: Rig) -> None:
    assert rig.environments.polled(), "nothing is waited for where nothing is called for"
    assert rig.join("prod", A) is None
    assert rig.join("prod", B) is None
    assert not rig.environments.polled()
    await asyncio.sleep(1)
    assert set(rig.woken) == {A, B}
    assert rig.environments.polled()
    assert rig.join("prod", A) is not None
    assert rig.lists() == ["prod"]


async def test_thousands_whom_the_first_list_concerns_are_woken_some_at_a_time(rig: Rig) -> None:
    keys = [ObjectKey("LensesConnector", "payments", f"c{number}") for number in range(3 * WOKEN + 1)]
    turns = [0]
    """By how many were woken in each turn of the event loop."""

    def wake(key: ObjectKey) -> None:
        rig.woken.append(key)
        if not turns[-1]:
            asyncio.get_running_loop().call_soon(turns.append, 0)
        turns[-1] += 1

    rig.environments = Pollers(15.0, 10.0, wake, rig.claimants)
    for key in keys:
        rig.join("prod", key)
    await asyncio.sleep(1)
    assert sorted(rig.woken) == sorted(keys)
    assert turns == [WOKEN, WOKEN, WOKEN, 1, 0]


async def test_each_environment_has_one_poller(rig: Rig) -> None:
    rig.join("prod", A)
    rig.join("dev", B)
    rig.join("prod", A)
    await asyncio.sleep(14.9 * 0.9)
    assert rig.lists() == ["prod", "dev"]


async def test_a_list_wakes_who_claims_what_changed_and_nobody_else(rig: Rig) -> None:
    rig.join("prod", A)
    rig.join("prod", B)
    await asyncio.sleep(1)
    rig.woken.clear()
    rig.lenses.connectors["b"] = Connector({})
    await asyncio.sleep(40)
    assert rig.woken == [B]


async def test_who_asks_is_looked_at_after_the_next_list_once(rig: Rig) -> None:
    rig.join("prod", A)
    await asyncio.sleep(1)
    rig.woken.clear()
    rig.environments.recheck(A)
    await asyncio.sleep(60)
    assert rig.woken == [A]


async def test_who_asks_between_two_parts_of_a_list_is_looked_at_after_the_next_one(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_at: list[float] = []

    def claimants(_: ConnectorKey) -> list[ObjectKey]:
        if not asked_at:
            rig.environments.recheck(A)
            asked_at.append(now())
        return []

    monkeypatch.setattr(rig.environments, "_claimants", claimants)
    rig.join("prod", A)
    await asyncio.sleep(1)
    rig.woken.clear()
    rig.lenses.connectors = {f"c{number}": Connector({}) for number in range(3 * SLICE)}
    while not asked_at:
        await asyncio.sleep(0.1)
    await asyncio.sleep(5)
    assert rig.woken == []
    await asyncio.sleep(15)
    assert rig.woken == [A]


async def test_losing_an_environment_and_its_return_wake_all_its_members(rig: Rig) -> None:
    rig.join("prod", A)
    rig.join("dev", B)
    await asyncio.sleep(1)
    rig.woken.clear()
    lost = errors.Unauthorized("list_connectors")
    rig.lenses.always("list_connectors", lost)
    await asyncio.sleep(40)
    assert sorted(rig.woken) == [A, B]
    view = rig.join("prod", A)
    assert view is not None
    assert view.error is lost
    rig.lenses.always("list_connectors", None)
    await asyncio.sleep(20)
    assert sorted(rig.woken) == [A, A, B, B]


async def test_how_they_stand(rig: Rig) -> None:
    rig.join("prod", A)
    assert list(rig.environments.poller_statuses()) == []
    await asyncio.sleep(1)
    rig.join("prod", B, "payments/team")
    await asyncio.sleep(1)
    found = list(rig.environments.poller_statuses())
    assert [(status.environment, status.error) for status in found] == [("prod", None)] * 2
    assert [status.read_at for status in found] == pytest.approx([START, START + 1], abs=0.1)
    lost = errors.Unauthorized("list_connectors")
    rig.lenses.always("list_connectors", lost)
    await asyncio.sleep(40)
    assert [status.error for status in rig.environments.poller_statuses()] == [lost, lost]
    assert all((status.read_at or 0) < now() - 20 for status in rig.environments.poller_statuses())


async def test_a_poller_does_not_bear_the_name_of_the_pass_that_began_it(rig: Rig) -> None:
    ids: list[str] = []

    class Asked(FakeLenses):
        async def list_connectors(self, environment: str) -> list[ConnectorListItem]:
            ids.append(request_id())
            return await super().list_connectors(environment)

    client = cast("LensesClient", Asked())
    rig.sessions["operator"] = Session("operator", client, Reader(client, now))
    with about(request="1a2b3c4d"):
        rig.join("prod", A)
    await asyncio.sleep(20)
    assert ids == ["", ""]


async def test_the_poller_ends_with_its_last_resource(rig: Rig) -> None:
    rig.join("prod", A)
    rig.join("prod", B)
    rig.environments.unsubscribe(A)
    await asyncio.sleep(40)
    before = len(rig.lists())
    assert before >= 3
    rig.environments.unsubscribe(B)
    rig.environments.unsubscribe(B)
    rig.environments.unsubscribe(A)
    await asyncio.sleep(100)
    assert len(rig.lists()) == before


async def test_coming_back_begins_with_a_new_list(rig: Rig) -> None:
    rig.join("prod", A)
    await asyncio.sleep(1)
    rig.environments.unsubscribe(A)
    assert rig.join("prod", A) is None
    await asyncio.sleep(1)
    assert rig.join("prod", A) is not None
    assert len(rig.lists()) == 2


async def test_a_list_seen_with_one_token_says_nothing_to_another(rig: Rig) -> None:
    rig.join("prod", A)
    await asyncio.sleep(1)
    assert rig.join("prod", B, "payments/team") is None
    await asyncio.sleep(1)
    assert rig.join("prod", B, "payments/team") is not None
    assert rig.lists() == ["prod", "prod"]


async def test_another_token_is_another_poller_and_the_old_one_ends(rig: Rig) -> None:
    rig.join("prod", A)
    await asyncio.sleep(1)
    assert rig.join("prod", A, "payments/team") is None
    rig.lenses.calls.clear()
    await asyncio.sleep(13)
    assert rig.lists() == ["prod"]


async def test_a_new_token_is_tried_at_once_wherever_it_is_used(rig: Rig) -> None:
    rig.join("prod", A)
    rig.join("prod", B, "payments/team")
    await asyncio.sleep(1)
    rig.lenses.calls.clear()
    rig.environments.poll_now("payments/team")
    await asyncio.sleep(1)
    assert rig.lists() == ["prod"]


async def test_who_left_is_not_looked_at(rig: Rig) -> None:
    rig.join("prod", A)
    rig.join("prod", B)
    await asyncio.sleep(1)
    rig.woken.clear()
    rig.environments.recheck(A)
    rig.environments.unsubscribe(A)
    rig.environments.recheck(A)
    await asyncio.sleep(40)
    assert rig.woken == []


async def test_whether_one_environment_was_listed(rig: Rig) -> None:
    assert not rig.environments.polled("prod"), "nobody asked for it"
    rig.join("prod", A)
    assert not rig.environments.polled("prod")
    await asyncio.sleep(1)
    assert rig.environments.polled("prod")
    assert not rig.environments.polled("test")
