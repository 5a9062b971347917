"""One at a time, by our own clock; losing the lease ends the process."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

import pytest

from lenses_operator.kube.api import KubeError
from lenses_operator.kube.leader import DEADLINE, DURATION, RENEW, REQUEST, Leader
from unit.controllers.virtualtime import START, now, virtual_time
from unit.kube.fakes import SILENT, FakeApi


class Ended(BaseException):
    """Stands for the end of the process."""


def end() -> NoReturn:
    raise Ended


def leader(api: FakeApi, identity: str = "me") -> Leader:
    return Leader(api.as_api(), "ops", "lenses-operator", identity, clock=now, end=end)


def held_by(holder: str, **spec: Any) -> dict[str, Any]:
    base = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": "1999-01-01T00:00:00.000000Z"}
    return {"metadata": {"name": "lenses-operator", "resourceVersion": "7"}, "spec": base | spec}


def spec(api: FakeApi) -> dict[str, Any]:
    assert api.lease is not None
    found: dict[str, Any] = api.lease["spec"]
    return found


async def ended(group: asyncio.Task[None]) -> bool:
    """Whether holding has ended the process."""
    try:
        await group
    except BaseExceptionGroup as errors:
        return errors.subgroup(Ended) is not None
    except Ended:
        return True
    return False


def test_a_process_ends_well_before_another_may_take_over() -> None:
    assert RENEW + REQUEST < DEADLINE <= DURATION - REQUEST


@virtual_time
@pytest.mark.parametrize(
    "lease", [None, held_by(""), held_by("me"), {**held_by(""), "spec": {}}], ids=["none", "released", "own", "empty"]
)
async def test_a_free_lease_is_taken_at_once(lease: dict[str, Any] | None) -> None:
    api = FakeApi()
    api.lease = lease
    await leader(api).acquire()
    assert now() == START
    assert spec(api)["holderIdentity"] == "me"
    assert spec(api)["leaseDurationSeconds"] == DURATION


@virtual_time
async def test_anothers_lease_is_waited_for_by_our_own_clock_however_old_its_time_stamps() -> None:
    api = FakeApi()
    api.lease = held_by("other")
    await leader(api).acquire()
    assert DURATION < now() - START <= DURATION + 2 * RENEW
    assert spec(api)["holderIdentity"] == "me"
    assert spec(api)["leaseTransitions"] == 1


@virtual_time
async def test_every_renewal_of_the_other_begins_the_wait_anew() -> None:
    api = FakeApi()
    api.lease = held_by("other")
    waiting = asyncio.create_task(leader(api).acquire())
    for version in range(20):
        await asyncio.sleep(10)
        api.lease["metadata"]["resourceVersion"] = str(1000 + version)
    assert not waiting.done()
    await waiting
    assert now() - START > 200 + DURATION - RENEW


@virtual_time
async def test_who_loses_the_race_for_a_free_lease_does_not_lead() -> None:
    api = FakeApi()
    api.fail("create_lease", KubeError("create lease", 409, "exists"))
    waiting = asyncio.create_task(leader(api).acquire())
    await asyncio.sleep(1)
    assert not waiting.done()
    api.lease = held_by("other")
    await asyncio.sleep(10)
    assert not waiting.done()
    waiting.cancel()


@virtual_time
async def test_two_at_once_never_lead_at_the_same_time() -> None:
    api = FakeApi()
    leading: list[str] = []

    async def run(name: str) -> None:
        await leader(api, name).acquire()
        leading.append(name)

    tasks = [asyncio.create_task(run(name)) for name in ("a", "b", "c")]
    await asyncio.sleep(DURATION - 1)
    assert len(leading) == 1
    assert spec(api)["holderIdentity"] == leading[0]
    for task in tasks:
        task.cancel()


@virtual_time
async def test_it_is_renewed_as_long_as_it_is_held() -> None:
    api = FakeApi()
    me = leader(api)
    await me.acquire()
    since = spec(api)["acquireTime"]
    holding = asyncio.create_task(me.hold())
    await asyncio.sleep(600)
    assert not holding.done()
    assert api.lease_calls.count("replace") == pytest.approx(600 / RENEW, abs=2)
    assert spec(api)["acquireTime"] == since
    assert spec(api)["leaseTransitions"] == 0
    holding.cancel()


@virtual_time
async def test_an_outage_shorter_than_the_deadline_is_survived() -> None:
    api = FakeApi()
    me = leader(api)
    await me.acquire()
    holding = asyncio.create_task(me.hold())
    api.always("get_lease", SILENT)
    await asyncio.sleep(DEADLINE - 2 * RENEW)
    api.always("get_lease", None)
    await asyncio.sleep(100)
    assert not holding.done()
    holding.cancel()


@virtual_time
@pytest.mark.parametrize("call", ["get_lease", "replace_lease"])
async def test_renewal_failing_past_the_deadline_ends_the_process_in_time(call: str) -> None:
    api = FakeApi()
    me = leader(api)
    await me.acquire()
    acquired = now()
    api.always(call, SILENT)
    assert await ended(asyncio.create_task(me.hold()))
    assert DEADLINE < now() - acquired < DURATION


@virtual_time
async def test_a_request_that_hangs_does_not_keep_the_process_alive() -> None:
    api = FakeApi()
    me = leader(api)
    await me.acquire()
    acquired = now()

    async def hang(namespace: str, name: str, timeout: float) -> dict[str, Any] | None:
        await asyncio.sleep(10_000)
        raise AssertionError

    api.get_lease = hang  # type: ignore[method-assign]
    assert await ended(asyncio.create_task(me.hold()))
    assert DEADLINE < now() - acquired < DURATION


@virtual_time
async def test_a_slow_renewal_counts_from_when_it_was_asked_for() -> None:
    api = FakeApi()
    me = leader(api)
    read = api.get_lease

    async def slow(namespace: str, name: str, timeout: float) -> dict[str, Any] | None:
        await asyncio.sleep(8)
        return await read(namespace, name, timeout)

    api.get_lease = slow  # type: ignore[method-assign]
    await me.acquire()
    assert await ended(asyncio.create_task(me.hold()))
    assert now() - START < DURATION


@virtual_time
async def test_another_holder_ends_the_process_at_the_next_renewal() -> None:
    api = FakeApi()
    me = leader(api)
    await me.acquire()
    api.lease = held_by("other")
    assert await ended(asyncio.create_task(me.hold()))
    assert now() - START <= RENEW + 1


@virtual_time
async def test_release_lets_the_next_one_in_at_once() -> None:
    api = FakeApi()
    me = leader(api)
    await me.acquire()
    await me.release()
    assert spec(api)["holderIdentity"] == ""
    await leader(api, "next").acquire()
    assert now() == START
    assert spec(api)["holderIdentity"] == "next"


@virtual_time
async def test_releasing_leaves_anothers_lease_alone() -> None:
    api = FakeApi()
    me = leader(api)
    await me.acquire()
    api.lease = held_by("other")
    await me.release()
    assert spec(api)["holderIdentity"] == "other"


@virtual_time
async def test_a_release_that_fails_is_no_error() -> None:
    api = FakeApi()
    me = leader(api)
    await me.acquire()
    api.always("replace_lease", SILENT)
    await me.release()
    assert spec(api)["holderIdentity"] == "me"
