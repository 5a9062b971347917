"""Pollers come with the first resource of an environment and go with the last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from lenses_operator.controllers.environments import Environments
from lenses_operator.lenses import errors
from lenses_operator.lenses.client import LensesClient
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import ConnectorKey
from unit.controllers.fakes import Connector, FakeLenses
from unit.controllers.virtualtime import virtual_time

A, B = (ObjectKey("LensesConnector", "payments", name) for name in "ab")


class Rig:
    def __init__(self) -> None:
        self.lenses = FakeLenses()
        self.lenses.connectors["connect-eu", "a"] = Connector({})
        self.woken: list[ObjectKey] = []
        self.environments = Environments(cast("LensesClient", self.lenses), 15.0, self.woken.append, self.claimants)

    def claimants(self, connector: ConnectorKey) -> list[ObjectKey]:
        return [key for key in (A, B) if connector == ConnectorKey("prod", "connect-eu", key.name)]

    def lists(self) -> list[str]:
        return [call[1] for call in self.lenses.calls]


@asynccontextmanager
async def running() -> AsyncIterator[Rig]:
    rig = Rig()
    try:
        yield rig
    finally:
        await rig.environments.close()


@virtual_time
async def test_the_first_list_wakes_whoever_joined_meanwhile() -> None:
    async with running() as rig:
        assert rig.environments.polled(), "nothing is waited for where nothing is called for"
        assert rig.environments.join("prod", A) is None
        assert rig.environments.join("prod", B) is None
        assert not rig.environments.polled()
        await asyncio.sleep(1)
        assert set(rig.woken) == {A, B}
        assert rig.environments.polled()
        assert rig.environments.join("prod", A) is not None
        assert rig.lists() == ["prod"]


@virtual_time
async def test_each_environment_has_one_poller() -> None:
    async with running() as rig:
        for environment in ("prod", "dev", "prod"):
            rig.environments.join(environment, A)
        await asyncio.sleep(14.9 * 0.9)
        assert rig.lists() == ["prod", "dev"]


@virtual_time
async def test_a_list_wakes_who_claims_what_changed_and_nobody_else() -> None:
    async with running() as rig:
        rig.environments.join("prod", A)
        rig.environments.join("prod", B)
        await asyncio.sleep(1)
        rig.woken.clear()
        rig.lenses.connectors["connect-eu", "b"] = Connector({})
        await asyncio.sleep(40)
        assert rig.woken == [B]


@virtual_time
async def test_who_asks_is_looked_at_after_the_next_list_once() -> None:
    async with running() as rig:
        rig.environments.join("prod", A)
        await asyncio.sleep(1)
        rig.woken.clear()
        rig.environments.recheck("prod", A)
        await asyncio.sleep(60)
        assert rig.woken == [A]


@virtual_time
async def test_losing_an_environment_and_its_return_wake_all_its_members() -> None:
    async with running() as rig:
        rig.environments.join("prod", A)
        rig.environments.join("dev", B)
        await asyncio.sleep(1)
        rig.woken.clear()
        lost = errors.Unauthorized("list_connectors")
        rig.lenses.always("list_connectors", lost)
        await asyncio.sleep(40)
        assert sorted(rig.woken) == [A, B]
        view = rig.environments.join("prod", A)
        assert view is not None
        assert view.error is lost
        rig.lenses.always("list_connectors", None)
        await asyncio.sleep(20)
        assert sorted(rig.woken) == [A, A, B, B]


@virtual_time
async def test_the_poller_ends_with_its_last_resource() -> None:
    async with running() as rig:
        rig.environments.join("prod", A)
        rig.environments.join("prod", B)
        rig.environments.leave("prod", A)
        await asyncio.sleep(40)
        before = len(rig.lists())
        assert before >= 3
        rig.environments.forget(B)
        rig.environments.forget(B)
        rig.environments.leave("prod", A)
        await asyncio.sleep(100)
        assert len(rig.lists()) == before


@virtual_time
async def test_coming_back_begins_with_a_new_list() -> None:
    async with running() as rig:
        rig.environments.join("prod", A)
        await asyncio.sleep(1)
        rig.environments.leave("prod", A)
        assert rig.environments.join("prod", A) is None
        await asyncio.sleep(1)
        assert rig.environments.join("prod", A) is not None
        assert len(rig.lists()) == 2
