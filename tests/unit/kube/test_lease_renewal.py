"""Who leads renews its lease; who cannot has stopped before another leads."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lenses_operator.kube.fencing import DEADLINE
from lenses_operator.kube.leader import DURATION, RENEW, REQUEST, RETRY
from unit.controllers.virtualtime import now
from unit.kube.fakes import FakeApi
from unit.kube.lease import SKEW, Cut, Ended, Process, held_by, leading, made_unheld, released, spec
from unit.resources.make import NOW

pytestmark = pytest.mark.virtual_time

MALFORMED: list[Any] = ["nonsense"]
MADE_AGAIN = made_unheld(0)


async def test_it_is_renewed_as_long_as_it_is_held(api: FakeApi) -> None:
    me = await leading(api)
    since = spec(api)["acquireTime"]
    transitions = spec(api)["leaseTransitions"]
    for _ in range(600):
        await asyncio.sleep(1)
        assert me.fence.left > DEADLINE - RENEW - 1
    assert 600 / RENEW <= api.lease_calls.count("replace") <= 600 / RENEW * 2
    assert spec(api)["acquireTime"] == since
    assert spec(api)["leaseTransitions"] == transitions
    assert me.end is None


@pytest.mark.parametrize("way", ["hangs", "refuses"])
async def test_who_is_cut_off_has_stopped_before_another_leads(api: FakeApi, way: str) -> None:
    cut = Cut(api)
    old, new = await leading(api, "old", through=cut), Process(api, "new", lambda: now() - SKEW)
    taking = asyncio.create_task(new.acquire())
    await asyncio.sleep(10)
    setattr(cut, way, True)
    since = now()
    while not new.leads:
        stopped = old.fence.left < 0
        await asyncio.sleep(0.1)
    assert stopped
    assert old.fence.left < DEADLINE - DURATION + RETRY
    assert now() - since < 20
    await taking


@pytest.mark.parametrize("way", ["hangs", "refuses"])
async def test_an_outage_shorter_than_the_deadline_is_survived(api: FakeApi, way: str) -> None:
    cut = Cut(api)
    me = await leading(api, through=cut)
    await asyncio.sleep(1)
    setattr(cut, way, True)
    await asyncio.sleep(REQUEST)
    setattr(cut, way, False)
    for _ in range(100):
        await asyncio.sleep(1)
        assert me.leads


async def test_a_slow_renewal_counts_from_when_it_was_asked_for(api: FakeApi) -> None:
    api.lease = released()
    read = api.get_lease

    async def slow(namespace: str, name: str, timeout: float) -> dict[str, Any] | None:
        found = await read(namespace, name, timeout)
        await asyncio.sleep(REQUEST - 0.5)
        return found

    api.get_lease = slow  # type: ignore[method-assign]
    me = Process(api)
    await me.acquire()
    assert me.fence.left == pytest.approx(DEADLINE - REQUEST + 0.5)


async def test_another_holder_ends_the_process_at_the_next_renewal(api: FakeApi) -> None:
    me = await leading(api)
    api.lease = held_by("other")
    await asyncio.sleep(RENEW + 0.1)
    assert isinstance(me.end, Ended)
    assert spec(api)["holderIdentity"] == "other"


@pytest.mark.parametrize(
    "lost",
    [None, held_by(""), {"metadata": {"resourceVersion": "9"}}, MADE_AGAIN],
    ids=["deleted", "emptied", "no-spec", "made-again"],
)
async def test_a_lease_that_is_lost_is_put_back_before_another_takes_it(
    api: FakeApi, lost: dict[str, Any] | None
) -> None:
    api.server_time = NOW
    old, new = await leading(api, "old"), Process(api, "new")
    taking = asyncio.create_task(new.acquire())
    await asyncio.sleep(5)
    api.lease = lost
    late = asyncio.create_task(Process(api, "late").acquire())  # one that starts just now and has never seen a lease
    for _ in range(100):
        await asyncio.sleep(1)
        assert old.leads
        assert not taking.done()
        assert not late.done()
    assert spec(api)["holderIdentity"] == "old"
    taking.cancel()
    late.cancel()


async def test_a_lease_full_of_nonsense_ends_nothing_but_the_tenure(api: FakeApi) -> None:
    me = await leading(api)
    api.lease = {"metadata": {"resourceVersion": "9"}, "spec": MALFORMED}
    await asyncio.sleep(DEADLINE + 0.1)
    assert not me.leads
    assert me.end is None
    api.lease = None
    await asyncio.sleep(RENEW)
    assert me.leads  # it goes on trying; in a real process the watchdog has ended it
