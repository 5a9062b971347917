"""One at a time, by our own clock; who loses the lease has stopped before another can have it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

import pytest

from lenses_operator.kube.api import KubeError
from lenses_operator.kube.fencing import DEADLINE, Fence
from lenses_operator.kube.leader import DURATION, RELEASED, RENEW, REQUEST, RETRY, UNHELD, Leader
from unit.controllers.virtualtime import START, now
from unit.kube.fakes import SILENT, FakeApi
from unit.resources.make import NOW

pytestmark = pytest.mark.virtual_time

SKEW = 1e6
"""Seconds between two processes' clocks."""
MALFORMED: list[Any] = ["nonsense"]


class Ended(BaseException):
    """Stands for the end of the process."""


def end(why: str) -> NoReturn:
    raise Ended(why)


class Clocked(Fence):
    """By virtual time, and without a thread: whether it is over is asked with `left`."""

    def __init__(self, clock: Callable[[], float] = now) -> None:
        super().__init__(clock=clock, end=end)
        self.guarded = False

    def guard(self) -> None:
        self.guarded = True


class Process:
    """A leader with its tenure."""

    def __init__(self, api: FakeApi, identity: str = "me", clock: Callable[[], float] = now) -> None:
        self.tenure = Clocked(clock)
        self.leader = Leader(api.as_api(), "ops", "lenses-operator", identity, self.tenure)
        self.acquire, self.release = self.leader.acquire, self.leader.release

    @property
    def leads(self) -> bool:
        return self.tenure.left >= 0

    @property
    def end(self) -> BaseException | None:
        """What renewing has ended with."""
        task = self.leader._renewing
        return task.exception() if task is not None and task.done() else None


class Cut:
    """The same API as another process sees it: it can be out of reach for this one alone."""

    def __init__(self, api: FakeApi) -> None:
        self._api = api
        self.hangs = False
        self.refuses = False

    def as_api(self) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._api, name)

        async def cut(*arguments: Any) -> Any:
            if self.hangs:
                await asyncio.sleep(10_000)
            if self.refuses:
                raise SILENT
            return await call(*arguments)

        return cut


def held_by(holder: str, **spec: Any) -> dict[str, Any]:
    base = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": "1999-01-01T00:00:00.000000Z"}
    return {"metadata": {"name": "lenses-operator", "resourceVersion": "7"}, "spec": base | spec}


def released() -> dict[str, Any]:
    return held_by("", leaseDurationSeconds=RELEASED)


def made_unheld(seconds: float) -> dict[str, Any]:
    """As the chart makes it, so many seconds ago by the API server's clock."""
    made = (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata = {"name": "lenses-operator", "resourceVersion": "7", "creationTimestamp": made}
    return {"metadata": metadata | {"labels": {"made": "by-chart"}, "annotations": {UNHELD: "true"}}}


MADE_AGAIN = made_unheld(0)


def spec(api: FakeApi) -> dict[str, Any]:
    assert api.lease is not None
    found: dict[str, Any] = api.lease["spec"]
    return found


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
    assert me.tenure.guarded
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


async def test_it_is_renewed_as_long_as_it_is_held(api: FakeApi) -> None:
    api.lease = released()
    me = Process(api)
    await me.acquire()
    since = spec(api)["acquireTime"]
    transitions = spec(api)["leaseTransitions"]
    for _ in range(600):
        await asyncio.sleep(1)
        assert me.tenure.left > DEADLINE - RENEW - 1
    assert 600 / RENEW <= api.lease_calls.count("replace") <= 600 / RENEW * 2
    assert spec(api)["acquireTime"] == since
    assert spec(api)["leaseTransitions"] == transitions
    assert me.end is None


@pytest.mark.parametrize("way", ["hangs", "refuses"])
async def test_who_is_cut_off_has_stopped_before_another_leads(api: FakeApi, way: str) -> None:
    api.lease = released()
    cut = Cut(api)
    old, new = Process(cut, "old"), Process(api, "new", lambda: now() - SKEW)  # type: ignore[arg-type]
    await old.acquire()
    taking = asyncio.create_task(new.acquire())
    await asyncio.sleep(10)
    setattr(cut, way, True)
    since = now()
    while not new.leads:
        stopped = old.tenure.left < 0
        await asyncio.sleep(0.1)
    assert stopped
    assert old.tenure.left < DEADLINE - DURATION + RETRY
    assert now() - since < 20
    await taking


@pytest.mark.parametrize("way", ["hangs", "refuses"])
async def test_an_outage_shorter_than_the_deadline_is_survived(api: FakeApi, way: str) -> None:
    api.lease = released()
    cut = Cut(api)
    me = Process(cut)  # type: ignore[arg-type]
    await me.acquire()
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
    assert me.tenure.left == pytest.approx(DEADLINE - REQUEST + 0.5)


async def test_another_holder_ends_the_process_at_the_next_renewal(api: FakeApi) -> None:
    api.lease = released()
    me = Process(api)
    await me.acquire()
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
    api.lease, api.server_time = released(), NOW
    old, new = Process(api, "old"), Process(api, "new")
    await old.acquire()
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


async def test_a_lease_full_of_nonsense_ends_nothing_but_the_tenure(
    api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.lease = released()
    me = Process(api)
    await me.acquire()
    api.lease = {"metadata": {"resourceVersion": "9"}, "spec": MALFORMED}
    await asyncio.sleep(DEADLINE + 0.1)
    assert not me.leads
    assert me.end is None
    api.lease = None
    await asyncio.sleep(RENEW)
    assert me.leads  # it goes on trying; in a real process the watchdog has ended it


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


async def test_release_lets_the_next_one_in_at_once(api: FakeApi) -> None:
    api.lease = released()
    me, next_one = Process(api), Process(api, "next")
    await me.acquire()
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
    api.lease = released()
    me = Process(api)
    await me.acquire()
    await me.release(idle=False)
    gone = now()
    assert not me.leads
    assert spec(api)["holderIdentity"] == "me"
    await Process(api, "next").acquire()
    assert now() - gone > DURATION


async def test_releasing_leaves_anothers_lease_alone(api: FakeApi) -> None:
    api.lease = released()
    me = Process(api)
    await me.acquire()
    api.lease = held_by("other")
    await me.release(idle=True)
    assert spec(api)["holderIdentity"] == "other"


async def test_a_renewal_that_comes_in_between_does_not_keep_the_lease(api: FakeApi) -> None:
    api.lease = released()
    me = Process(api)
    await me.acquire()
    api.fail("replace_lease", KubeError("update lease", 409, "outdated"))
    await me.release(idle=True)
    assert spec(api)["holderIdentity"] == ""


@pytest.mark.parametrize("way", ["hangs", "refuses"])
async def test_a_release_that_fails_is_no_error_and_takes_no_longer_than_a_request(api: FakeApi, way: str) -> None:
    api.lease = released()
    cut = Cut(api)
    me = Process(cut)  # type: ignore[arg-type]
    await me.acquire()
    setattr(cut, way, True)
    begun = now()
    await me.release(idle=True)
    assert now() - begun <= REQUEST
    assert spec(api)["holderIdentity"] == "me"


async def test_nothing_is_renewed_after_a_release_nor_where_nothing_was_acquired(api: FakeApi) -> None:
    await Process(api).release(idle=True)
    assert api.lease is None
    api.lease = released()
    me = Process(api)
    await me.acquire()
    await me.release(idle=True)
    calls = len(api.lease_calls)
    await asyncio.sleep(60)
    assert len(api.lease_calls) == calls
