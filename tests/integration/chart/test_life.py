"""The operator does its whole work with the arguments, files and rights the chart gives it, and may do nothing else."""

from __future__ import annotations

import pytest

from harness.kubectl import Kubectl
from harness.operator_fixtures import TIMEOUT, Place
from harness.pod import Pod
from harness.waiting import wait_until
from integration.chart.support import NAME, Places, Release, may_not, values_of
from integration.offsets.support import BEFORE, Offsets

CONFIG_FROM = [
    {"configMapRef": {"name": "defaults"}},
    {"key": "topic", "secretKeyRef": {"name": "secret", "key": "topic"}},
]


def references(place: Place) -> None:
    for kind, name, data in (("Secret", "secret", {"topic": "hidden"}), ("ConfigMap", "defaults", {"batch": "7"})):
        labels = {"connect.lenses.io/watch": "true"}
        made = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": labels}}
        place.kube.apply({**made, "stringData" if kind == "Secret" else "data": data}, place.namespace)


@pytest.mark.parametrize("name", ["all namespaces", "some namespaces"])
def test_whole_life(release: Release, places: Places, admin: Kubectl, name: str) -> None:
    place, other = places(), places()
    rules = [{"environments": [place.environment]}]
    release.install({"replicas": 2, "policy": {"rules": rules}, **values_of(name, place.namespace)})
    pod = release.pod()
    with release.running(admin, pod) as operator:
        references(place)
        place.apply(config={"file": "/dev/null"}, configFrom=CONFIG_FROM)
        place.wait_running(timeout=60)  # where there is no Lease yet it is waited for as if somebody held it
        connector = place.connector()
        assert connector is not None
        assert connector["config"] | {"topic": "hidden", "batch": "7"} == connector["config"]
        assert place.wait_event("Created")
        lease = place.kube.get("Lease", release.system, NAME)
        assert lease is not None
        assert lease["spec"]["holderIdentity"]

        with place.kube.with_token(release.token(admin)) as kube:
            may_not(kube, name, release.system, place, other)

        place.control.set_offsets(place.environment, place.cluster, "orders", BEFORE)
        offsets = Offsets(place)
        offsets.apply_until("Applied")
        place.wait_running()
        assert '"position": 5' in offsets.now()

        if name == "some namespaces":
            watched(place)
            place.kube.delete("Namespace", None, place.namespace)
            place.kube.wait_gone("Namespace", None, place.namespace)
        else:
            token_is_reloaded(release, place, pod)
            policy_is_reloaded(release, place, pod)
            offsets.delete()
            place.delete_and_wait()
        assert place.connector() is None
        assert operator.terminate() == 0
    lease = place.kube.get("Lease", release.system, NAME)
    assert lease is not None
    assert not lease["spec"].get("holderIdentity")


def watched(place: Place) -> None:
    """A labelled Secret is watched, by the right that only this mode's switch gives."""
    place.kube.patch("Secret", place.namespace, "secret", {"stringData": {"topic": "other"}})
    place.wait_connector(predicate=lambda found: found["config"]["topic"] == "other")
    place.wait_running()


def token_is_reloaded(release: Release, place: Place, pod: Pod) -> None:
    place.control.add_token("rotated", name="rotated")
    place.kube.patch("Secret", release.system, "lenses-token", {"stringData": {"token": "rotated"}})
    pod.refresh()
    wait_until("use of the new token", lambda: place.requests()[-1]["token"] == "rotated", TIMEOUT)


def policy_is_reloaded(release: Release, place: Place, pod: Pod) -> None:
    place.kube.patch("ConfigMap", release.system, f"{NAME}-policy", {"data": {"policy.yaml": "rules: []\n"}})
    pod.refresh()
    place.wait_reason("NotAllowed")
