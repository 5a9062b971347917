"""What an upgrade leaves to the operator that works, and what can be taken back."""

from __future__ import annotations

from typing import Any

from harness.kube import Kube, Object
from harness.kubectl import Kubectl
from harness.waiting import wait_until
from integration.chart.support import NAME, Places, Release
from lenses_operator.kube.fencing import DEADLINE
from lenses_operator.kube.leader import DURATION, UNHELD

ROLE = f"{NAME}-leader-election"


def lease(cluster: Kube, release: Release) -> Object:
    found = cluster.get("Lease", release.system, NAME)
    assert found is not None
    return found


def holder(cluster: Kube, release: Release) -> str:
    return str((lease(cluster, release).get("spec") or {}).get("holderIdentity") or "")


def test_the_lease_is_its_holders_whatever_helm_does(
    release: Release, places: Places, admin: Kubectl, cluster: Kube
) -> None:
    place = places()
    release.install({"replicas": 2})
    assert "spec" not in lease(cluster, release) or not lease(cluster, release)["spec"]
    with release.running(admin) as operator:
        held_by = wait_until("a leader", lambda: holder(cluster, release), DEADLINE + DURATION)
        before = lease(cluster, release)["spec"]["renewTime"]
        release.install({"replicas": 1})
        assert holder(cluster, release) == held_by
        assert cluster.get("Role", release.system, ROLE) is not None, "the leader needs it while the upgrade ends it"
        wait_until("a renewal", lambda: lease(cluster, release)["spec"]["renewTime"] > before, DURATION)
        place.runs()
        assert operator.terminate() == 0
    assert holder(cluster, release) == ""
    release.uninstall()
    kept = lease(cluster, release)
    assert kept["metadata"]["annotations"][UNHELD] == "true"
    release.install({})
    assert lease(cluster, release)["metadata"]["uid"] == kept["metadata"]["uid"]


def test_a_lease_that_an_operator_made_is_left_to_it(release: Release, cluster: Kube) -> None:
    """By a chart that made none; helm would refuse to take it over."""
    made = cluster.create(
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": NAME, "namespace": release.system},
            "spec": {"holderIdentity": "somebody", "leaseDurationSeconds": 15},
        }
    )
    for replicas in (1, 2):
        release.install({"replicas": replicas})
        assert lease(cluster, release)["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_a_strategy_can_be_taken_back(release: Release, cluster: Kube) -> None:
    def strategy(said: dict[str, Any] | None) -> Any:
        release.install({"strategy": said} if said else {})
        deployment = cluster.get("Deployment", release.system, NAME)
        assert deployment is not None
        return deployment["spec"]["strategy"]

    assert strategy(None) == {"type": "Recreate"}
    rolling = {"maxSurge": 1, "maxUnavailable": 0}
    assert strategy({"type": "RollingUpdate"}) == {"type": "RollingUpdate", "rollingUpdate": rolling}
    assert strategy(None) == {"type": "Recreate"}
