"""Install, upgrade and uninstall with the real helm; and what docs/install.md says of getting out of a mess."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from harness import paths
from harness.controlplane import PERSON, ControlPlane
from harness.helm import HelmError
from harness.kube import Kube, KubeError, is_condition
from harness.kubectl import Kubectl
from harness.operator_fixtures import Place
from harness.waiting import HANG, wait_until
from integration.chart.support import CRDS, NAME, Places, Release, columns, may_not, values_of

DEFINITION = "CustomResourceDefinition"
DOCS = (paths.ROOT / "docs" / "install.md").read_text()


def altered(directory: Path) -> Path:
    """A later chart, whose LensesConnector shows one column more."""
    chart = directory / "later"
    shutil.copytree(paths.CHART, chart)
    path = chart / "files" / "crds" / "lensesconnectors.yaml"
    definition = yaml.safe_load(path.read_text())
    column = {"name": "Later", "type": "string", "jsonPath": ".spec.class"}
    definition["spec"]["versions"][0]["additionalPrinterColumns"].append(column)
    path.write_text(yaml.safe_dump(definition))
    return chart


def test_definitions_live_longer_than_the_release(
    release: Release, places: Places, admin: Kubectl, cluster: Kube, tmp_path: Path
) -> None:
    """They may have been there before it, too."""
    place = places()
    admin("apply", "--server-side", "-f", str(paths.CRDS))
    with pytest.raises(HelmError, match="invalid ownership metadata"):
        release.install({})
    said = release.install({}, "--take-ownership")
    assert f"kubectl rollout status deployment/{NAME} -n {release.system}" in said
    first = place.apply()
    assert "Later" not in columns(cluster.get(DEFINITION, None, CRDS[0]))

    later = altered(tmp_path)
    if release.helm.forces:
        with pytest.raises(HelmError, match=r'conflict with "kubectl": \.spec\.versions'):
            release.install({}, chart=later)
    release.install({}, *release.helm.forces, chart=later)
    assert "Later" in columns(cluster.get(DEFINITION, None, CRDS[0]))

    release.uninstall()
    assert cluster.get("Deployment", release.system, NAME) is None
    for crd in CRDS:
        cluster.wait_for(DEFINITION, None, crd, is_condition("Established"))

    release.install({})
    assert columns(cluster.get(DEFINITION, None, CRDS[0])) == columns(
        yaml.safe_load((paths.CRDS / "lensesconnectors.yaml").read_text())
    )
    found = place.get()
    assert found is not None
    assert found["metadata"]["uid"] == first["metadata"]["uid"]
    assert found["spec"] == first["spec"]

    release.install({"crds": {"keep": False}})
    release.uninstall()
    for crd in CRDS:
        cluster.wait_gone(DEFINITION, None, crd)


def test_an_upgrade_leaves_the_digest_key(release: Release, cluster: Kube) -> None:
    """What the operator has filled the chart's empty Secret with."""
    release.install({})
    cluster.patch("Secret", release.system, f"{NAME}-digest-key", {"stringData": {"key": "filled"}})
    before = cluster.get("Secret", release.system, f"{NAME}-digest-key")
    assert before is not None
    for extra in ((), release.helm.forces):
        release.install({"driftInterval": 60}, *extra)
        after = cluster.get("Secret", release.system, f"{NAME}-digest-key")
        assert after is not None
        assert (after["metadata"]["uid"], after["data"]) == (before["metadata"]["uid"], before["data"])
    release.uninstall()
    assert cluster.get("Secret", release.system, f"{NAME}-digest-key") is None


def test_aggregated_roles(release: Release, places: Places, cluster: Kube) -> None:
    """Who has the usual role of a namespace has the matching rights there, and on no status."""
    place = places()
    release.install({})

    with cluster.with_token(PERSON.token) as person:
        for_person = Place(person, place.control, place.namespace, place.environment, {})
        bind(cluster, place.namespace, "view")
        wait_until("the right to read", lambda: allowed(for_person.get), 10)
        with pytest.raises(KubeError, match="403"):
            for_person.apply()
        bind(cluster, place.namespace, "edit")
        wait_until("the right to write", lambda: allowed(for_person.apply), 10)
        with pytest.raises(KubeError, match="403"):
            person.patch("lc", place.namespace, "orders", {"status": {"state": "RUNNING"}}, subresource="status")
        for_person.delete()
        assert place.get() is None


def bind(cluster: Kube, namespace: str, role: str) -> None:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": role}}
    cluster.apply({**binding, "roleRef": reference, "subjects": [{"kind": "User", "name": PERSON.name}]}, namespace)


def allowed(call: Callable[[], object]) -> bool:
    try:
        call()
    except KubeError as error:
        if error.status != 403:
            raise
        return False
    return True


def test_rescue(release: Release, places: Places, admin: Kubectl, plane: ControlPlane) -> None:
    """The operator went first: what it held stays, until the documented commands let go. With Roles only, besides."""
    place, other = places(), places()
    release.install({"replicas": 2, **values_of("roles only", place.namespace)})
    with release.running(admin):
        place.apply()
        place.apply("payments")
        place.wait_running()
        place.wait_running("payments")
        with place.kube.with_token(release.token(admin)) as kube:
            may_not(kube, "roles only", release.system, place, other)
    release.uninstall()
    place.delete()
    held = place.get()
    assert held is not None
    assert held["metadata"]["deletionTimestamp"]
    assert held["metadata"]["finalizers"] == ["connect.lenses.io/connector"]

    run_documented("## Rescue", plane.kubeconfig)
    place.wait_gone()
    assert place.connector() is not None
    kept = place.get("payments")
    assert kept is not None
    assert kept["metadata"]["finalizers"] == ["connect.lenses.io/connector"]


def run_documented(heading: str, kubeconfig: Path) -> None:
    """The commands below a heading, with the kubectl of the tests."""
    section = DOCS.partition(f"{heading}\n")[2].partition("\n#")[0]
    (commands,) = re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    path = f"{paths.KUBECTL.parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "KUBECONFIG": str(kubeconfig)}
    subprocess.run(["bash", "-euo", "pipefail", "-c", commands], env=env, check=True, timeout=HANG)
