"""One operator is lost, another takes over: in time, and never do both act.

Every way to lose one takes as long as a lease, so all of them are tried at once, each with a pair of its own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.controlplane import ControlPlane
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import Place
from harness.process import Launcher
from harness.proxy import Proxy
from harness.waiting import crowding
from integration.ha.support import GIVE_UP, Pair
from lenses_operator.app import POLICY_CHECK
from lenses_operator.kube.leader import DURATION

TAKEOVER = 20.0
"""Seconds, from the contract; and after an orderly end:"""
HANDOVER = 2.0


def killed(pair: Pair) -> None:
    pair.start()
    pair.first.kill()
    lost = time.monotonic()
    pair.place.apply("after")
    assert pair.wait_takeover() - lost < TAKEOVER * crowding()
    pair.check("after")


def paused(pair: Pair) -> None:
    """In the middle of a create: it goes on with the answer that lets it create, when another has long done so."""
    pair.start()
    point = pair.place.control.add_breakpoint(pair.place.environment, "ValidateConnector", when="after")
    pair.place.apply("late")
    pair.place.control.wait_breakpoint(point, timeout=GIVE_UP)
    pair.first.pause()
    lost = time.monotonic()
    pair.place.control.release_breakpoint(point, "process")
    try:
        assert pair.wait_takeover() - lost < TAKEOVER * crowding()
        pair.place.wait_running("late", GIVE_UP)
    finally:
        pair.first.resume()
    pair.wait_end_of_first()
    pair.check("late")


def blocked(pair: Pair) -> None:
    """Its event loop hangs, so nothing on that loop can end it: here in reading a policy file that never comes."""
    policy = pair.run_dir / "policy.yaml"
    policy.write_text("rules: [{}]")
    pair.start(POLICY_FILE=policy)
    endless = policy.with_suffix(".pipe")
    os.mkfifo(endless)
    endless.replace(policy)
    lost = time.monotonic()
    ended = pair.wait_end_of_first()
    taken = pair.wait_takeover()
    assert ended < taken
    assert taken - lost < (TAKEOVER + POLICY_CHECK) * crowding()
    pair.check()


def refused(pair: Pair) -> None:
    _cut_off(pair, Proxy.refuse)


def hanging(pair: Pair) -> None:
    _cut_off(pair, Proxy.hang)


def _cut_off(pair: Pair, cut: Callable[[Proxy], None]) -> None:
    """From the API server alone: it could go on with Lenses, and the other sees it do nothing wrong."""
    with Proxy(pair.plane.port) as proxy:
        pair.start(pair.plane.kubeconfig_through(proxy.port))
        cut(proxy)
        lost = time.monotonic()
        pair.place.apply("after")
        ended = pair.wait_end_of_first()
        taken = pair.wait_takeover()
        assert pair.requests("first")[-1]["monotonic"] > lost
        assert ended < taken
        assert taken - lost < TAKEOVER * crowding()
        pair.check("after")


def terminated(pair: Pair) -> None:
    """While a request is under way for longer than a lease lasts, and with the Lease deleted meanwhile."""
    pair.start()
    point = pair.place.control.add_breakpoint(pair.place.environment, "CreateConnector")
    pair.place.apply("slow")
    pair.place.control.wait_breakpoint(point, timeout=GIVE_UP)
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(lambda: (pair.first.terminate(GIVE_UP), time.monotonic()))
        pair.delete_lease()
        pair.wait_renewed_for(DURATION + 2)
        assert not pair.requests("second")
        assert not ending.done()
        pair.place.control.release_breakpoint(point, "process")
        code, ended = ending.result()
    assert code == 0
    assert pair.wait_takeover() - ended < HANDOVER * crowding()
    pair.check("slow")


WAYS = (killed, paused, blocked, refused, hanging, terminated)


def test_takeover(
    own_places: Callable[[], Place], lenses: RunningLenses, control_plane: ControlPlane, tmp_path: Path
) -> None:
    failures: list[Exception] = []
    with Launcher() as launcher:
        pairs = [Pair(way.__name__, own_places(), lenses, control_plane, launcher, tmp_path) for way in WAYS]
        with ThreadPoolExecutor(len(WAYS)) as pool:
            running = [pool.submit(way, pair) for way, pair in zip(WAYS, pairs, strict=True)]
        for pair, outcome in zip(pairs, running, strict=True):
            failure = outcome.exception()
            if isinstance(failure, Exception):
                failure.add_note(pair.log())
                failures.append(failure)
    if failures:
        raise ExceptionGroup("takeover", failures)
