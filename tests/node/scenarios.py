"""What only a pod on a kubelet shows; each scenario has a release, a team and a Lenses environment of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from harness.waiting import wait_until
from integration.offsets.support import Offsets
from lenses_operator.kube.leader import DURATION
from lenses_operator.lenses.transport import QUICK
from node.support import FIGURES, GIVE_UP, NAME, Release

LEASE_AND_MORE = DURATION + 2
"""Seconds after which another pod would have taken a Lease that is not renewed."""
IDLE = 80.0
"""MiB; from the contract."""
START = 2.0
"""Seconds of CPU up to ready: about one, and a machine whose cores are shared counts more."""
A_PASS = 4.0
"""Seconds in which a pod that is ready would do what there is to do, if it worked."""
CONNECTORS = 1000
DOCTOR = 50.0
"""MiB that a `doctor` may take beside the operator."""
TRIES = 5
"""For what takes the operator to go on meanwhile: on a busy machine it may fail to renew its Lease, and begins anew."""
HUNG = 140.0
"""Seconds after which a process that hangs has been restarted: 60 of failing probes and 10 to end, and what a busy
machine adds; the pod's own grace alone would be 120 more."""


def fresh(release: Release) -> None:
    """A start is small, and logs no failing probe once it has ended; the pod is as confined as the chart says."""
    release.install()
    [pod] = release.wait_ready()
    cpu = release.cpu(pod)
    release.wait_leader()
    release.place.apply()
    release.place.wait_running(timeout=GIVE_UP)
    memory = release.memory(pod)
    FIGURES.append(f"start: {cpu:.2f} s of CPU until ready, {memory:.0f} MiB idle")
    assert cpu < START
    assert memory < IDLE
    events = release.kube.events(release.system, pod)
    assert not [event for event in events if "Liveness" in event["message"] or "Readiness" in event["message"]]
    [operator] = release.processes(pod)
    status = Path(f"/proc/{operator}/status").read_text()
    for line in ("Uid:\t65532\t65532", "CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert line in status
    code, said = release.exec(pod, "python", "-c", "open('/file', 'w')")
    assert code
    assert "Read-only file system" in said


def deleted_during_a_create(release: Release) -> None:
    """The pod goes, and its resource too: its successor waits, and lets nothing stay in Lenses."""
    release.install()
    release.wait_ready()
    _gone_during_a_create(
        release, lambda pod: release.kubectl("delete", "pod", pod, "-n", release.system, "--wait=false")
    )


def evicted_during_a_create(release: Release) -> None:
    """As `kubectl drain` does it, with another pod at hand that is ready all the while: it waits like a new one."""
    release.install({"replicas": 2})
    release.wait_ready(2)
    _gone_during_a_create(release, release.evict)


def _gone_during_a_create(release: Release, take: Callable[[str], object]) -> None:
    old = release.wait_leader()
    place = release.place
    point = place.control.add_breakpoint(place.environment, "CreateConnector")
    place.apply()
    place.control.wait_breakpoint(point, timeout=GIVE_UP)
    with release.following(old) as log:
        replicas = len(release.pods())
        take(old)
        place.delete()
        release.wait_ready(replicas, other_than=old)
        release.wait_renewed_for(LEASE_AND_MORE, old)
        assert place.writes() == ["CreateConnector"]
        place.control.release_breakpoint(point, "process")
        release.wait_gone(old)
    place.wait_gone(timeout=GIVE_UP)
    assert release.wait_leader(other_than=old)
    assert place.connector() is None
    assert release.changes() == ["CreateConnector", "DeleteConnector"]
    said = log.read_text()
    for words in (
        f"SIGTERM: ending, waiting up to 100 s for 1 resource: {release.name}/orders",
        f"still waiting for 1 resource: {release.name}/orders",
        "lease released",
        "ended after ",
    ):
        assert words in said, said


def deleted_during_an_alter(release: Release) -> None:
    """Offsets are altered once, whoever sees it through."""
    release.install()
    release.wait_ready()
    old = release.wait_leader()
    place, offsets = release.place, Offsets(release.place)
    place.apply()
    place.wait_running(timeout=GIVE_UP)
    point = place.control.add_breakpoint(place.environment, "AlterConnectorOffsets")
    offsets.apply()
    place.control.wait_breakpoint(point, timeout=GIVE_UP)
    release.kubectl("delete", "pod", old, "-n", release.system, "--wait=false")
    release.wait_ready(other_than=old)
    release.wait_renewed_for(A_PASS, old)
    place.control.release_breakpoint(point, "process")
    offsets.wait_reason("Applied", timeout=GIVE_UP)
    place.wait_running(timeout=GIVE_UP)
    release.wait_gone(old)
    first, *others = place.requests("AlterConnectorOffsets")
    lost = first["finished"] - first["monotonic"] > QUICK.read  # on a machine so busy its answer came late
    assert lost or not others


def scaled_down_by_an_upgrade(release: Release) -> None:
    """Helm takes nothing away that the leader needs while it ends, and every pod is replaced."""
    release.install({"replicas": 2})
    release.wait_ready(2)
    old = release.wait_leader()
    place = release.place
    point = place.control.add_breakpoint(place.environment, "CreateConnector")
    place.apply()
    place.control.wait_breakpoint(point, timeout=GIVE_UP)
    with release.following(old) as log:
        release.install({"replicas": 1, "podLabels": {"changed": "yes"}})
        place.delete()
        release.wait_renewed_for(LEASE_AND_MORE, old)
        place.control.release_breakpoint(point, "process")
        release.wait_gone(old)
    assert "lease released" in log.read_text(), log.read_text()
    place.wait_gone(timeout=GIVE_UP)
    release.wait_ready()
    assert place.connector() is None
    assert release.changes() == ["CreateConnector", "DeleteConnector"]


def hung(release: Release) -> None:
    """A process that does nothing any more is restarted, without the grace that one in order gets."""
    release.install()
    [pod] = release.wait_ready()
    release.wait_leader()
    for pid in release.processes(pod):
        os.kill(pid, signal.SIGSTOP)
    wait_until(f"restart of {pod}", lambda: release.container(pod)["restartCount"], HUNG, 0.5)
    release.wait_ready()
    release.place.apply()
    release.place.wait_running(timeout=GIVE_UP)


def doctor_beside_the_operator(release: Release) -> None:
    """In the operator's container and below its limit, with as many connectors as it has to look after."""
    place = release.place
    names = [f"c{number}" for number in range(CONNECTORS)]
    place.control.add_connectors(place.environment, place.cluster, names)
    manifests = [place.manifest(name, suspend=True) for name in names]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(place.kube.apply, manifests))
    release.install({"resources": {"limits": {"memory": "192Mi"}, "requests": {"memory": "64Mi"}}})
    [pod] = release.wait_ready()
    release.wait_leader()

    def all_seen() -> bool:
        return all(
            (found.get("status") or {}).get("observedGeneration") for found in place.kube.list("lc", place.namespace)
        )

    wait_until("every connector looked at", all_seen, GIVE_UP, 1.0)
    for _ in range(TRIES):
        restarts = release.container(pod)["restartCount"]
        code, said, peak = _doctor(release, pod)
        container: dict[str, Any] = release.container(pod)
        reason = container["lastState"].get("terminated", {}).get("reason")
        assert reason != "OOMKilled"
        if container["restartCount"] == restarts:
            break
        release.wait_ready()
        release.wait_leader()
    FIGURES.append(f"doctor: {peak:.0f} MiB beside the operator, {CONNECTORS} connectors")
    assert code == 0, said
    assert f"all: {CONNECTORS}, none stalled" in said
    assert peak < DOCTOR


def _doctor(release: Release, pod: str) -> tuple[int, str, float]:
    """Exit code, what it says, and the most MiB that it took."""
    [operator] = release.processes(pod)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(release.exec, pod, "lenses-operator", "doctor")
        peak = 0.0
        while not running.done():
            peak = max(peak, release.anonymous(pod, operator))
        return *running.result(), peak


def strategy_and_back(release: Release) -> None:
    """RollingUpdate has the next pod ready before this one ends; Recreate can be had again."""
    release.install({"strategy": {"type": "RollingUpdate"}})
    [first] = release.wait_ready()
    release.wait_leader()
    release.install({"strategy": {"type": "RollingUpdate"}, "podLabels": {"changed": "yes"}})
    [second] = release.wait_ready(other_than=first)
    assert release.wait_leader(other_than=first) == second
    release.wait_gone(first)
    release.install({"podLabels": {"changed": "yes"}})
    deployment = release.kube.get("Deployment", release.system, NAME)
    assert deployment is not None
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


SCENARIOS: dict[str, Callable[[Release], None]] = {
    scenario.__name__.replace("_", "-"): scenario
    for scenario in (
        fresh,
        deleted_during_a_create,
        evicted_during_a_create,
        deleted_during_an_alter,
        scaled_down_by_an_upgrade,
        hung,
        doctor_beside_the_operator,
        strategy_and_back,
    )
}
