"""What docs/gitops.md says of Flux and of kustomize, with Flux' own kustomize-controller."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml

from gitops.support import BOOLEANS, ENVIRONMENT, INVALID, TIMEOUT, Cluster, connector, offsets
from harness.flux import Flux, Source
from harness.kube import Kube
from harness.paths import ROOT
from harness.waiting import wait_until

DOC = (ROOT / "docs" / "gitops.md").read_text()
REFERENCES = (ROOT / "gitops" / "kustomize" / "name-references.yaml").read_text()
LONG = 2**53 + 1


class Setting:
    """A source, a Kustomization and a namespace, all of one name."""

    def __init__(self, name: str, flux: Flux, cluster: Cluster) -> None:
        self.name, self.flux, self.cluster = name, flux, cluster
        cluster.kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self.source: Source = flux.source(name)

    def begin(self, files: Mapping[str, str | None], **spec: Any) -> None:
        """The Kustomization, once all of this is well."""
        revision = self.source.commit(files)
        self.flux.kustomization(self.name, self.source, self.name, **spec)
        self.flux.wait(self.name, revision)

    def commit(self, files: Mapping[str, str | None], *, status: str = "True") -> str:
        """The message of Ready afterwards."""
        return str(self.flux.wait(self.name, self.source.commit(files), status=status)["message"])

    def reason(self, name: str, kind: str = "lc") -> str:
        return self.cluster.ready(self.name, name, kind)[1]

    def spec(self, name: str) -> dict[str, Any]:
        found = self.cluster.get(self.name, name)
        assert found is not None
        return dict(found["spec"])


@pytest.fixture
def setting(flux: Flux, cluster: Cluster) -> Iterator[Callable[[str], Setting]]:
    made: list[Setting] = []

    def make(name: str) -> Setting:
        made.append(Setting(name, flux, cluster))
        return made[-1]

    yield make
    for one in made:
        if flux.get(one.name):
            flux.delete(one.name)


def test_a_kustomizations_life(setting: Callable[[str], Setting], flux: Flux, kube: Kube) -> None:
    here = setting("life")
    good = connector("life-a", "tasksMax: 1", config={**BOOLEANS, "errors.retry.timeout": str(LONG)})
    here.begin({"a.yaml": good, "b.yaml": connector("life-b", "state: stopped", "suspend: false")})
    assert (here.reason("life-a"), here.reason("life-b")) == ("Running", "Stopped")
    assert here.spec("life-a")["config"]["errors.retry.timeout"] == LONG

    def versions() -> list[tuple[str, int]]:
        found = kube.list("lc", "life")
        return [(one["metadata"]["name"], one["metadata"]["generation"]) for one in found]

    for _ in range(3):
        flux.reconcile("life")
    assert versions() == [("life-a", 1), ("life-b", 1)], "reconciled again and again, written once"

    assert "Failed" in here.commit({"bad.yaml": connector("life-bad", config=INVALID)}, status="False")
    assert here.reason("life-bad") == "ConfigInvalid"
    here.commit({"bad.yaml": connector("life-bad")})
    assert here.reason("life-bad") == "Running"

    here.commit({"bad.yaml": None, "o.yaml": offsets("life-o", "life-b", "action: Reset")})
    here.cluster.wait_connectors(["life-a", "life-b"], absent=["life-bad"])
    assert here.reason("life-o", "lco") == "Applied"


def test_suspended_is_not_current_unless_the_expressions_say_so(setting: Callable[[str], Setting], flux: Flux) -> None:
    documents = [one for block in DOC.split("```yaml\n")[1:] for one in yaml.safe_load_all(block.partition("```")[0])]
    expressions = next(one["spec"]["healthCheckExprs"] for one in documents if "healthCheckExprs" in one["spec"])
    here = setting("suspended")
    revision = here.source.commit({"a.yaml": connector("suspended-a", "suspend: true")})
    flux.kustomization("suspended", here.source, "suspended", timeout="5s")
    assert "timeout" in flux.wait("suspended", revision, status="False")["message"]
    flux.kustomization("suspended", here.source, "suspended", healthCheckExprs=expressions)
    flux.wait("suspended", revision)
    assert here.reason("suspended-a") == "Suspended"
    here.commit({"a.yaml": connector("suspended-a")})
    failed = here.commit({"bad.yaml": connector("suspended-bad", config=INVALID)}, status="False")
    assert "Failed" in failed
    here.commit({"bad.yaml": None})


def test_what_git_names_is_put_back_and_what_it_does_not_name_is_left(
    setting: Callable[[str], Setting], flux: Flux
) -> None:
    here = setting("drift")
    here.begin({"a.yaml": connector("drift-a", "state: running"), "b.yaml": connector("drift-b")})
    for name in ("drift-a", "drift-b"):
        here.cluster.patch("drift", name, {"state": "paused", "suspend": True})
    flux.kustomization("drift", here.source, "drift", wait=False)
    flux.reconcile("drift")
    wait_until("state of drift-a", lambda: here.spec("drift-a")["state"] == "running", TIMEOUT)
    assert here.spec("drift-a")["suspend"] is True
    assert {key: here.spec("drift-b")[key] for key in ("state", "suspend")} == {"state": "paused", "suspend": True}


def test_a_deletion_waits_only_with_wait_for_termination(setting: Callable[[str], Setting], flux: Flux) -> None:
    """While Lenses cannot be reached, so that the objects stay."""
    quick, patient = setting("quick"), setting("patient")
    quick.begin({"a.yaml": connector("quick-a"), "b.yaml": connector("quick-b")})
    patient.begin({"a.yaml": connector("patient-a")}, deletionPolicy="WaitForTermination", timeout="10m")
    control = quick.cluster.control
    fault = control.add_fault(ENVIRONMENT, drop="before")
    try:
        quick.commit({"b.yaml": None})
        assert quick.cluster.get("quick", "quick-b") is not None, "pruned, and not waited for"
        for name in ("quick", "patient"):
            flux.delete(name)
        wait_until("end of the Kustomization quick", lambda: flux.get("quick") is None, TIMEOUT)
        assert quick.cluster.get("quick", "quick-a") is not None
        wait_until("deletion of patient-a", lambda: patient.reason("patient-a") == "DeletionBlocked", TIMEOUT)
        assert flux.get("patient") is not None
    finally:
        control.remove_fault(fault)
    wait_until("end of the Kustomization patient", lambda: flux.get("patient") is None, TIMEOUT)
    assert patient.cluster.get("patient", "patient-a") is None
    patient.cluster.wait_connectors(absent=["quick-a", "quick-b", "patient-a"])


def test_an_unchangeable_field_fails_the_kustomization(setting: Callable[[str], Setting]) -> None:
    here = setting("fixed")
    here.begin({"a.yaml": connector("fixed-a")})
    said = here.commit({"a.yaml": connector("fixed-a", cluster="other")}, status="False")
    assert "cannot be changed" in said
    here.commit({"a.yaml": connector("fixed-a")})


def test_post_build_and_references_that_the_worker_resolves(setting: Callable[[str], Setting], flux: Flux) -> None:
    plain, doubled = "${file:/etc/keys.properties:password}", "$${file:/etc/keys.properties:password}"
    here = setting("built")
    left = {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}
    files = {
        "doubled.yaml": connector("built-doubled", "suspend: true", config={"a": f'"{doubled}"', "b": '"${zone}"'}),
        "left.yaml": connector("built-left", "suspend: true", config={"a": f'"{plain}"'}, annotations=left),
    }
    here.begin(files, wait=False, postBuild={"substitute": {"zone": "eu"}})
    assert here.spec("built-doubled")["config"]["a"] == plain
    assert here.spec("built-doubled")["config"]["b"] == "eu"
    assert here.spec("built-left")["config"]["a"] == plain
    broken = {"broken.yaml": connector("built-broken", "suspend: true", config={"a": f'"{plain}"'})}
    revision = here.source.commit(broken)
    wait_until(
        "the revision to be tried",
        lambda: (flux.get("built") or {})["status"].get("lastAttemptedRevision") == revision,
        TIMEOUT,
    )
    found = here.cluster.get("built", "built-broken")
    assert found is None or found["spec"]["config"]["a"] != plain


def test_names_that_kustomize_changes(setting: Callable[[str], Setting]) -> None:
    here = setting("names")
    kustomization = (
        "namePrefix: eu-\nresources: [x.yaml]\nconfigurations: [name-references.yaml]\n"
        "secretGenerator: [{name: keys, literals: [topic=lines]}]\n"
    )
    one = connector("names", "configFrom: [{secretRef: {name: keys}}]", config={"topic": None})
    files = {"kustomization.yaml": kustomization, "name-references.yaml": REFERENCES}
    here.begin({**files, "x.yaml": one + "---\n" + offsets("look", "names")})
    assert (here.reason("eu-names"), here.reason("eu-look", "lco")) == ("Running", "Observed")
