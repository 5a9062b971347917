"""A lease that is released is free at once, unless something may still be under way."""

from __future__ import annotations

import asyncio

import pytest

from lenses_operator.kube.api import KubeError
from lenses_operator.kube.leader import DURATION, REQUEST, RETRY
from unit.controllers.virtualtime import now
from unit.kube.fakes import FakeApi
from unit.kube.lease import Cut, Process, held_by, leading, spec

pytestmark = pytest.mark.virtual_time


async def test_release_lets_the_next_one_in_at_once(api: FakeApi) -> None:
    me, next_one = await leading(api), Process(api, "next")
    waiting = asyncio.create_task(next_one.acquire())
    await asyncio.sleep(20)
    await me.release(idle=True)
    gone = now()
    assert not me.leads
    assert spec(api)["holderIdentity"] == ""
    await waiting
    assert now() - gone <= RETRY
    assert spec(api)["holderIdentity"] == "next"


async def test_what_may_still_be_under_way_keeps_the_next_one_out_until_the_lease_runs_out(api: FakeApi) -> None:
    me = await leading(api)
    await me.release(idle=False)
    gone = now()
    assert not me.leads
    assert spec(api)["holderIdentity"] == "me"
    await Process(api, "next").acquire()
    assert now() - gone > DURATION


async def test_releasing_leaves_anothers_lease_alone(api: FakeApi) -> None:
    me = await leading(api)
    api.lease = held_by("other")
    await me.release(idle=True)
    assert spec(api)["holderIdentity"] == "other"


async def test_a_renewal_that_comes_in_between_does_not_keep_the_lease(api: FakeApi) -> None:
    me = await leading(api)
    api.fail("replace_lease", KubeError("update lease", 409, "outdated"))
    await me.release(idle=True)
    assert spec(api)["holderIdentity"] == ""


@pytest.mark.parametrize("way", ["hangs", "refuses"])
async def test_a_release_that_fails_is_no_error_and_takes_no_longer_than_a_request(api: FakeApi, way: str) -> None:
    cut = Cut(api)
    me = await leading(api, through=cut)
    setattr(cut, way, True)
    begun = now()
    await me.release(idle=True)
    assert now() - begun <= REQUEST
    assert spec(api)["holderIdentity"] == "me"


async def test_nothing_is_renewed_after_a_release_nor_where_nothing_was_acquired(api: FakeApi) -> None:
    await Process(api).release(idle=True)
    assert api.lease is None
    me = await leading(api)
    await me.release(idle=True)
    calls = len(api.lease_calls)
    await asyncio.sleep(60)
    assert len(api.lease_calls) == calls
