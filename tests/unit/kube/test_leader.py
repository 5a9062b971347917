"""One at a time, by our own clock: who may take a lease, and when."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest

from lenses_operator.kube.api import KubeError
from lenses_operator.kube.fencing import DEADLINE
from lenses_operator.kube.leader import DURATION, RENEW, REQUEST, RETRY, UNHELD
from unit.controllers.virtualtime import START, now
from unit.kube.fakes import SILENT, FakeApi
from unit.kube.lease import SKEW, Process, held_by, made_unheld, released, spec
from unit.resources.make import NOW

pytestmark = pytest.mark.virtual_time


def test_a_process_ends_well_before_another_may_take_over() -> None:
    # A renewal that fails is tried once more in time, and what was begun at the last moment has time to end.
    assert RENEW + 2 * REQUEST + RETRY <= DEADLINE
    assert DEADLINE + REQUEST < DURATION


def test_others_notice_within_the_bounds_of_the_contract() -> None:
    assert RETRY < 2
    assert DURATION + 2 * RETRY + REQUEST <= 20


@pytest.mark.parametrize("lease", [released(), held_by("me")], ids=["released", "own"])
async def test_a_free_lease_is_taken_at_once(api: FakeApi, lease: dict[str, Any]) -> None:
    api.lease = lease
    me = Process(api)
    await me.acquire()
    assert now() == START
    assert me.leads
    assert me.fence.guarded
    assert spec(api)["holderIdentity"] == "me"
    assert spec(api)["leaseDurationSeconds"] == DURATION


@pytest.mark.parametrize(
    "lease",
    [None, held_by(""), {**held_by(""), "spec": {}}, {"metadata": {"resourceVersion": "7"}}, held_by("other")],
    ids=["none", "emptied", "no-spec", "nothing-in-it", "other"],
)
async def test_a_lease_that_somebody_may_hold_is_waited_for_by_our_own_clock(
    api: FakeApi, lease: dict[str, Any] | None
) -> None:
    api.lease = lease
    me = Process(api)
    assert not me.leads
    await me.acquire()
    assert DURATION < now() - START <= DURATION + 2 * RETRY
    assert spec(api)["holderIdentity"] == "me"
    assert spec(api)["leaseTransitions"] == (0 if lease is None else 1)


async def test_a_lease_that_was_made_unheld_is_taken_at_once(api: FakeApi) -> None:
    api.lease, api.server_time = made_unheld(DEADLINE + 1), NOW
    me = Process(api)
    await me.acquire()
    assert now() == START
    assert spec(api)["holderIdentity"] == "me"


@pytest.mark.parametrize("known", [True, False])
async def test_one_so_young_that_a_holder_of_the_one_before_may_live_is_not(api: FakeApi, known: bool) -> None:
    """The API server's clock tells, or, where it does not say, our own."""
    api.lease, api.server_time = made_unheld(DEADLINE - 1), NOW if known else None
    taking = asyncio.create_task(Process(api).acquire())
    await asyncio.sleep(DURATION - 1)
    assert not taking.done()
    api.server_time = NOW + timedelta(seconds=2) if known else None
    await asyncio.sleep(2 * RETRY if known else DURATION)
    assert taking.done()


async def test_who_has_seen_another_hold_it_does_not_believe_that_it_never_was(api: FakeApi) -> None:
    api.lease, api.server_time = held_by("other"), NOW
    taking = asyncio.create_task(Process(api).acquire())
    await asyncio.sleep(1)
    api.lease = made_unheld(100)
    await asyncio.sleep(DURATION - 1)
    assert not taking.done()
    await taking


@pytest.mark.parametrize("change", ["annotations", "spec"])
async def test_an_emptied_lease_is_not_one_that_was_made_unheld(api: FakeApi, change: str) -> None:
    api.lease, api.server_time = made_unheld(100), NOW
    if change == "spec":
        api.lease["spec"] = {"holderIdentity": "", "leaseDurationSeconds": 15}
    else:
        del api.lease["metadata"]["annotations"]
    await Process(api).acquire()
    assert now() - START > DURATION


async def test_what_the_chart_wrote_stays_also_when_a_deleted_lease_is_put_back(api: FakeApi) -> None:
    api.lease, api.server_time = made_unheld(100), NOW
    await Process(api).acquire()
    assert api.lease["metadata"]["labels"] == {"made": "by-chart"}
    api.lease = None
    await asyncio.sleep(RENEW + 0.1)
    put_back: Any = api.lease
    assert put_back["metadata"]["labels"] == {"made": "by-chart"}
    assert put_back["metadata"]["annotations"] == {UNHELD: "true"}


async def test_a_longer_duration_that_the_holder_claims_is_granted(api: FakeApi) -> None:
    api.lease = held_by("other", leaseDurationSeconds=40)
    await Process(api).acquire()
    assert now() - START > 40


async def test_every_renewal_of_the_other_begins_the_wait_anew(api: FakeApi) -> None:
    api.lease = held_by("other")
    waiting = asyncio.create_task(Process(api).acquire())
    for version in range(20):
        await asyncio.sleep(10)
        api.lease["metadata"]["resourceVersion"] = str(1000 + version)
    assert not waiting.done()
    await waiting
    assert now() - START > 200 + DURATION - RETRY


async def test_who_loses_the_race_for_a_free_lease_does_not_lead(api: FakeApi) -> None:
    api.lease = released()
    api.fail("replace_lease", KubeError("update lease", 409, "outdated"))
    me = Process(api)
    waiting = asyncio.create_task(me.acquire())
    await asyncio.sleep(0.1)
    assert not me.leads
    api.lease = held_by("other")
    await asyncio.sleep(10)
    assert not waiting.done()
    assert not me.leads
    waiting.cancel()


async def test_of_many_at_once_one_leads(api: FakeApi) -> None:
    api.lease = released()
    all_of_them = [Process(api, name, lambda n=n: now() + n * SKEW) for n, name in enumerate("abc")]  # type: ignore[misc]
    tasks = [asyncio.create_task(one.acquire()) for one in all_of_them]
    for _ in range(100):
        await asyncio.sleep(1)
        assert [one.leads for one in all_of_them].count(True) == 1
        assert [task.done() for task in tasks].count(True) == 1
    for task in tasks:
        task.cancel()


async def test_an_outage_is_logged_once(api: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    api.lease = held_by("other")
    api.always("get_lease", SILENT)
    waiting = asyncio.create_task(Process(api).acquire())
    with caplog.at_level(logging.WARNING):
        await asyncio.sleep(60)
        assert len(caplog.records) == 1
        api.always("get_lease", None)
        await asyncio.sleep(5)
        api.always("get_lease", SILENT)
        await asyncio.sleep(60)
        assert len(caplog.records) == 2
    waiting.cancel()
