"""What a pass of the operator leaves behind shows in no diff, and what others apply is told apart by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from harness.kube import Kube, Object
from harness.kubectl import Kubectl
from harness.operator_fixtures import Place
from harness.waiting import HANG, wait_until
from integration.offsets.support import Offsets, at
from lenses_operator.resources.base import FINALIZER, RECONCILE, RESTART

EVERYTHING: dict[str, Any] = {
    "tasksMax": 1,
    "config": {"topic": "lines", "batch.size": 2000, "errors.log.enable": True, "text": "two\nlines\n"},
    "configFrom": [{"configMapRef": {"name": "defaults"}}, {"secretRef": {"name": "nothing", "optional": True}}],
    "state": "running",
    "autoRestart": {"enabled": True, "maxRestarts": 3},
    "deletionPolicy": "Delete",
    "adoptionPolicy": "IfIdentical",
    "updateStrategy": "Recreate",
    "suspend": False,
}
DEFAULTS = {"file": "/dev/null"}


@dataclass(frozen=True)
class Way:
    """How a GitOps tool applies: on the client with its last word kept in an annotation, or on the server."""

    kubectl: Kubectl
    kube: Kube
    flags: tuple[str, ...]

    def apply(self, *objects: Object) -> list[str]:
        """What became of each, such as `unchanged`."""
        lines = self.kubectl("apply", *self.flags, "-f", "-", stdin=yaml.safe_dump_all(objects)).splitlines()
        return [line.rpartition(" ")[2] for line in lines]

    def diff(self, *objects: Object) -> str:
        """Empty if there is none, as kubectl's exit code must agree.

        It reads each object twice; what the operator writes to its status in between shows as another resourceVersion.
        """

        def while_nobody_writes() -> tuple[str] | None:
            before = self._versions(objects)
            done = self.kubectl.run("diff", *self.flags, "-f", "-", stdin=yaml.safe_dump_all(objects))
            assert done.returncode == (1 if done.stdout else 0), done.stderr
            return (done.stdout,) if self._versions(objects) == before else None

        (shown,) = wait_until("a diff of what nobody writes to", while_nobody_writes, HANG)
        return shown

    def _versions(self, objects: tuple[Object, ...]) -> list[str | None]:
        places = [(each["kind"], each["metadata"]["namespace"], each["metadata"]["name"]) for each in objects]
        found = [self.kube.get(*place) for place in places]
        return [None if each is None else each["metadata"]["resourceVersion"] for each in found]


@pytest.fixture(params=[(), ("--server-side",)], ids=["client", "server"])
def way(request: pytest.FixtureRequest, kubectl: Kubectl, operator_kube: Kube) -> Way:
    return Way(kubectl, operator_kube, request.param)


@pytest.fixture
def manifests(place: Place) -> list[Object]:
    """As in Git: a connector with every field there is, and both sorts of offsets resources."""
    place.kube.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "defaults", "namespace": place.namespace},
            "data": DEFAULTS,
        }
    )
    offsets = Offsets(place)
    return [
        place.manifest(**EVERYTHING),
        offsets.manifest("look", action="Observe", refreshInterval="10m"),
        offsets.manifest("back", offsets=at(5)),
    ]


def applied(way: Way, place: Place, manifests: list[Object]) -> list[Object]:
    """The objects once the operator has done with them."""
    way.apply(*manifests)
    offsets = Offsets(place)
    offsets.wait_reason("Applied", "back")
    offsets.wait_reason("Observed", "look")
    place.wait_polls()
    return [place.wait_running(), offsets.get("look"), offsets.get("back")]


def versions(objects: list[Object]) -> list[tuple[str, int]]:
    return [(found["metadata"]["resourceVersion"], found["metadata"]["generation"]) for found in objects]


def written(found: Object) -> set[str]:
    """What the operator wrote, as paths of two names; everybody else here is kubectl."""
    return {
        f"{first[2:]}.{second[2:]}"
        for entry in found["metadata"]["managedFields"]
        if not entry["manager"].startswith("kubectl")
        for first, inner in entry["fieldsV1"].items()
        for second in inner
        if second != "."
    }


def managers(found: Object) -> set[str]:
    """By what names the operator's writes go."""
    entries = found["metadata"]["managedFields"]
    return {entry["manager"] for entry in entries if not entry["manager"].startswith("kubectl")}


def test_nothing_shows_and_nothing_is_written_again(way: Way, place: Place, manifests: list[Object]) -> None:
    before = applied(way, place, manifests)
    assert before[0]["metadata"]["finalizers"] == [FINALIZER]
    mark = place.mark()
    assert way.diff(*manifests) == ""
    assert set(way.apply(*manifests)) == {"serverside-applied" if way.flags else "unchanged"}
    place.wait_polls()
    after = [place.wait_running(), Offsets(place).get("look"), Offsets(place).get("back")]
    assert versions(after) == versions(before)
    assert place.writes(since=mark) == []
    for found, besides in zip(after, [{"metadata.finalizers"}, set(), set()], strict=True):
        fields = written(found)
        assert {"status.conditions", "status.observedGeneration"} <= fields
        assert {field for field in fields if not field.startswith("status.")} == besides
        assert managers(found) == {"lenses-operator"}
    # And a change that there is does show.
    changed = place.manifest(**EVERYTHING | {"config": EVERYTHING["config"] | {"batch.size": 3000}})
    shown = way.diff(changed, *manifests[1:]).splitlines()
    assert {"-    batch.size: 2000", "+    batch.size: 3000"} <= set(shown)


def test_an_action_is_no_drift(way: Way, place: Place) -> None:
    """What Argo CD's actions set, and people with `kubectl annotate`."""
    manifest = place.manifest()
    way.apply(manifest)
    place.wait_running()
    way.kubectl("annotate", "lc", "orders", "-n", place.namespace, f"{RESTART}=now", f"{RECONCILE}=now")
    place.wait(predicate=lambda found: found["status"].get("lastHandledRestart") == "now")
    place.wait(predicate=lambda found: found["status"].get("lastHandledReconcile") == "now")
    assert way.diff(manifest) == ""
    way.apply(manifest)
    annotations = place.wait_running()["metadata"]["annotations"]
    assert (annotations[RESTART], annotations[RECONCILE]) == ("now", "now")


def test_two_managers_each_own_a_key_of_the_config(place: Place, kubectl: Kubectl) -> None:
    base = place.manifest(config={"file": "/dev/null", "topic": "lines"})
    Way(kubectl, place.kube, ("--server-side", "--field-manager=base")).apply(base)
    team = {**base, "spec": {"config": {"batch.size": 500}}}
    Way(kubectl, place.kube, ("--server-side", "--field-manager=team")).apply(team)
    place.wait_connector(predicate=lambda found: found["config"].get("batch.size") == "500")
    found = place.wait_running()
    assert found["spec"]["config"] == {"file": "/dev/null", "topic": "lines", "batch.size": 500}
    done = kubectl.run(
        *("apply", "--server-side", "--field-manager=team", "-f", "-"),
        stdin=yaml.safe_dump({**base, "spec": {"config": {"batch.size": 500, "topic": "others"}}}),
    )
    assert done.returncode == 1
    assert 'conflict with "base"' in done.stderr
    assert ".spec.config.topic" in done.stderr
    Way(kubectl, place.kube, ("--server-side", "--field-manager=base")).apply(base)
    assert place.wait_running()["spec"]["config"]["batch.size"] == 500


def test_replacing_the_object_costs_nothing(place: Place, kubectl: Kubectl) -> None:
    """`Replace=true` takes the finalizer away, which is not in Git; the operator puts it back."""
    manifest = place.manifest()
    Way(kubectl, place.kube, ()).apply(manifest)
    place.wait_running()
    mark = place.mark()
    kubectl("replace", "-f", "-", stdin=yaml.safe_dump(manifest))
    place.wait(predicate=lambda found: found["metadata"].get("finalizers") == [FINALIZER])
    place.wait_running()
    assert place.writes(since=mark) == []
