"""Ready, and in need of a restart: what is said of either."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.lenses_state.pollers import Pollers
from lenses_operator.observability.probes import LIST_STUCK, QUEUE_STUCK, Probes
from lenses_operator.resources.base import ObjectKey
from lenses_operator.workqueue.queue import WorkQueue
from unit.controllers.fakes import FakeLenses
from unit.lenses_state.rig import running, session
from unit.resources.make import resource

pytestmark = pytest.mark.virtual_time

NOT_LISTED = ["the resources have not been listed yet"]
NOT_POLLED = ["an environment's connectors have not been listed yet"]


class Rig:
    def __init__(self) -> None:
        self.queue: WorkQueue[ObjectKey] = WorkQueue()
        self.cache = ConnectorCache()
        self.list_age = 0.0
        self.kinds: list[str] = []
        self.environments = Pollers(15.0, 10.0, self.queue.add, lambda _: ())
        self.session = session("operator", FakeLenses())
        self.probes = Probes(self.queue, self.cache, self.environments, lambda: self.list_age, lambda: self.kinds)

    def hold(self, name: str, environment: str) -> ObjectKey:
        held = resource(name, uid=name, environment=environment)
        self.cache.upsert(held)
        return held.key

    async def poll(self, environment: str, key: ObjectKey) -> None:
        self.environments.subscribe(environment, "connect-eu", self.session, key)
        await asyncio.sleep(1)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with running(Rig()) as started:
        yield started


async def test_who_stands_by_needs_neither_lenses_nor_the_lease(rig: Rig) -> None:
    rig.hold("a", "prod")
    assert rig.probes.missing() == NOT_LISTED
    rig.probes.stand_by()
    assert rig.probes.missing() == []
    rig.queue.add(rig.hold("b", "test"))
    await asyncio.sleep(10 * QUEUE_STUCK)
    assert rig.probes.problems() == [], "keys wait for the lease, and that is as it should be"


async def test_a_missing_kind_is_all_that_is_said(rig: Rig) -> None:
    """Nothing can be listed without it; and one that goes later makes a working operator unready."""
    rig.kinds = ["no LensesConnector"]
    assert rig.probes.missing() == ["no LensesConnector"]
    rig.probes.begin()
    assert rig.probes.missing() == ["no LensesConnector"]
    rig.kinds = []
    assert rig.probes.missing() == []


async def test_who_works_is_ready_once_every_environment_was_listed_also_those_nobody_got_to_yet(rig: Rig) -> None:
    first, also, second = rig.hold("a", "prod"), rig.hold("b", "prod"), rig.hold("c", "test")
    rig.probes.begin()
    assert rig.probes.missing() == NOT_POLLED
    rig.environments.subscribe("prod", "connect-eu", rig.session, first)
    rig.probes.passed(first)
    assert rig.probes.missing() == NOT_POLLED
    await asyncio.sleep(1)
    assert rig.probes.missing() == NOT_POLLED, "no pass over the other environment yet"
    await rig.poll("test", second)
    assert rig.probes.missing() == [], f"{also} may take its time, its environment is listed"


async def test_a_resource_that_asks_nothing_of_lenses_is_waited_for_only_until_its_pass(rig: Rig) -> None:
    refused, gone = rig.hold("a", "forbidden"), rig.hold("b", "prod")
    rig.probes.begin()
    rig.probes.passed(refused)
    assert rig.probes.missing() == NOT_POLLED
    rig.cache.remove(gone, "b")
    assert rig.probes.missing() == []


async def test_with_nothing_to_do_it_is_ready_at_once(rig: Rig) -> None:
    rig.probes.begin()
    assert rig.probes.missing() == []
    assert rig.probes.problems() == []


async def test_a_queue_that_does_not_move_needs_a_restart(rig: Rig) -> None:
    rig.probes.begin()
    rig.queue.add(rig.hold("a", "prod"))
    assert rig.probes.problems() == []
    await asyncio.sleep(QUEUE_STUCK)
    assert rig.probes.problems() == []
    await asyncio.sleep(1)
    assert "no pass and no request to Lenses has ended for 241 s" in rig.probes.problems()[0]
    rig.queue.progressed()
    assert rig.probes.problems() == [], "a request of a pass that goes on has ended"
    await asyncio.sleep(QUEUE_STUCK + 1)
    assert rig.probes.problems() != []
    await rig.queue.get()
    assert rig.probes.problems() == []


async def test_lists_that_do_not_go_on_need_a_restart_also_while_standing_by(rig: Rig) -> None:
    rig.probes.stand_by()
    rig.list_age = LIST_STUCK
    assert rig.probes.problems() == []
    rig.list_age += 1
    assert "no list of the resources" in rig.probes.problems()[0]
