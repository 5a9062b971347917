"""The Kubernetes control plane, its client and kubectl."""

import re
from pathlib import Path

import pytest

from harness.controlplane import OPERATOR, ControlPlane
from harness.kube import Kube, KubeError, is_condition
from harness.kubectl import Kubectl, KubectlError
from harness.ports import is_free
from harness.process import ProcessFailedError

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: probes.tests.lenses.io}
spec:
  group: tests.lenses.io
  names: {kind: Probe, plural: probes}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""


def config_map(name: str, **data: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_two_run_side_by_side(kube: Kube, tmp_path: Path) -> None:
    with ControlPlane.start(tmp_path) as other, Kube(other.url, other.token, other.ca) as second:
        mine = kube.create_namespace("mine")
        theirs = second.create_namespace("theirs")
        assert second.get("Namespace", None, mine) is None
        assert kube.get("Namespace", None, theirs) is None
    kube.delete("Namespace", None, mine)


def test_keeps_its_data_when_it_starts_again(tmp_path: Path) -> None:
    with ControlPlane.start(tmp_path) as first, Kube(first.url, first.token, first.ca) as kube:
        kube.apply(config_map("kept", a="b"), "default")
    with ControlPlane.start(tmp_path, port=first.port) as again, Kube(again.url, again.token, again.ca) as kube:
        assert again.url == first.url
        assert kube.get("ConfigMap", "default", "kept") is not None


def test_the_api_server_alone_starts_again(tmp_path: Path) -> None:
    with ControlPlane.start(tmp_path) as plane, Kube(plane.url, plane.token, plane.ca) as kube:
        kube.apply(config_map("kept", a="b"), "default")
        plane.end_api_server()
        assert is_free(plane.port)
        plane.start_api_server()
        assert kube.get("ConfigMap", "default", "kept") is not None
        assert all(process.alive for process in plane.processes)


def test_a_failed_start_shows_why(control_plane: ControlPlane, tmp_path: Path) -> None:
    assert not is_free(control_plane.port)
    with pytest.raises(
        ProcessFailedError, match=r"(?s)kube-apiserver ended with code .*address already in use"
    ) as caught:
        ControlPlane.start(tmp_path, port=control_plane.port)
    assert len(str(caught.value).splitlines()) <= 31


def test_objects_are_applied_changed_and_deleted(kube: Kube, namespace: str) -> None:
    applied = kube.apply(config_map("a", one="1"), namespace)
    assert applied["metadata"]["managedFields"][0]["operation"] == "Apply"
    kube.patch("ConfigMap", namespace, "a", {"data": {"two": "2"}})
    found = kube.wait_for("ConfigMap", namespace, "a", lambda o: o["data"] == {"one": "1", "two": "2"})
    assert found in kube.list("ConfigMap", namespace)
    kube.delete("ConfigMap", namespace, "a")
    kube.wait_gone("ConfigMap", namespace, "a")
    kube.delete("ConfigMap", namespace, "a")
    with pytest.raises(KubeError, match="NotFound") as caught:
        kube.patch("ConfigMap", namespace, "a", {"data": {}})
    assert caught.value.status == 404


def test_waiting_in_vain_shows_the_object(kube: Kube, namespace: str) -> None:
    kube.create(config_map("a", colour="green"), namespace)
    with pytest.raises(AssertionError, match=r"(?s)ConfigMap .*/a: not within 0.2 s; it was:.*colour: green"):
        kube.wait_for("ConfigMap", namespace, "a", is_condition("Ready"), timeout=0.2)
    with pytest.raises(AssertionError, match="there was none"):
        kube.wait_for("ConfigMap", namespace, "b", lambda _: True, timeout=0.2)
    with pytest.raises(AssertionError, match=r"(?s)end of ConfigMap .*colour: green"):
        kube.wait_gone("ConfigMap", namespace, "a", timeout=0.2)


def test_definitions_are_served_once_installed(kube: Kube, namespace: str, tmp_path: Path) -> None:
    (tmp_path / "probes.yaml").write_text(CRD)
    kube.install_crds(tmp_path)
    probe = {"apiVersion": "tests.lenses.io/v1", "kind": "Probe", "metadata": {"name": "a"}}
    path = f"/apis/tests.lenses.io/v1/namespaces/{namespace}/probes"
    assert kube.raw("POST", path, probe).status_code == 201


def test_what_a_namespace_holds_goes_with_it(kube: Kube) -> None:
    name = kube.create_namespace()
    kube.create(config_map("a"), name)
    kube.delete("Namespace", None, name)
    kube.wait_gone("Namespace", None, name)
    assert kube.get("ConfigMap", name, "a") is None


def test_what_an_owner_owns_goes_with_it(kube: Kube, namespace: str) -> None:
    owner = kube.create(config_map("owner"), namespace)
    owned = config_map("owned")
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    kube.create({**owned, "metadata": {"name": "owned", "ownerReferences": [reference]}}, namespace)
    kube.delete("ConfigMap", namespace, "owner")
    kube.wait_gone("ConfigMap", namespace, "owned")


def test_requests_are_counted(kube: Kube, namespace: str) -> None:
    before = kube.metrics()
    for n in range(3):
        kube.apply(config_map("counted", n=str(n)), namespace)
    after = kube.metrics()
    counted = {"resource": "configmaps", "verb": "APPLY"}
    assert after.requests(**counted) - before.requests(**counted) == 3


def test_the_operator_has_no_rights_of_its_own(control_plane: ControlPlane, kube: Kube, namespace: str) -> None:
    with kube.with_token(OPERATOR.token) as operator, pytest.raises(KubeError, match=OPERATOR.name) as caught:
        operator.list("ConfigMap", namespace)
    assert caught.value.status == 403
    as_operator = Kubectl(control_plane.kubeconfig_for(OPERATOR))
    assert as_operator.run("auth", "can-i", "list", "configmaps", "-n", namespace).stdout.strip() == "no"


def test_kubectl_is_the_real_one(kubectl: Kubectl, namespace: str) -> None:
    manifest = f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: by-kubectl, namespace: {namespace}}}}}"
    assert kubectl("apply", "-f", "-", stdin=manifest) == "configmap/by-kubectl created\n"
    assert re.search(r"^by-kubectl +0 ", kubectl("get", "configmap", "-n", namespace), re.MULTILINE)
    with pytest.raises(KubectlError, match="NotFound"):
        kubectl("get", "configmap", "nothing", "-n", namespace)
