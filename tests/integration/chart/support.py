"""An installed release, and its Deployment's pod as a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.controlplane import ControlPlane
from harness.helm import Helm
from harness.kube import Kube, Object, is_condition
from harness.kubectl import Kubectl
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import DRIFT_INTERVAL, POLL_INTERVAL, Place
from harness.operator_process import OperatorProcess
from harness.pod import Pod
from harness.process import Launcher

NAME = "lenses-operator"
CRDS = ("lensesconnectors.connect.lenses.io", "lensesconnectoroffsets.connect.lenses.io")
OURS = "/apis/connect.lenses.io/v1alpha1/namespaces"
Places = Callable[[], Place]

MODES: dict[str, dict[str, Any]] = {
    "all namespaces": {},
    "some namespaces": {"watch": {"references": True}},
    "roles only": {"rbac": {"ownKindsClusterWide": False}},
}


def values_of(name: str, namespace: str) -> dict[str, Any]:
    """The mode's, with this as the one namespace that is watched where it is some."""
    chosen = MODES[name]
    if name == "all namespaces":
        return chosen
    return {**chosen, "watch": {**chosen.get("watch", {}), "namespaces": [namespace]}}


@dataclass(frozen=True)
class Release:
    """Release `lenses-operator` in namespace `system`, working with the test's Lenses."""

    helm: Helm
    cluster: Kube
    plane: ControlPlane
    lenses: RunningLenses
    system: str
    directory: Path

    def install(self, values: Mapping[str, Any], **options: Any) -> str:
        """Install or upgrade it; what helm tells its user."""
        token = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "lenses-token"}}
        self.cluster.apply({**token, "stringData": {"token": f"{self.lenses.token}\n"}}, self.system)
        own = {"lenses": {"url": self.lenses.url}, "pollInterval": POLL_INTERVAL, "driftInterval": DRIFT_INTERVAL}
        said = self.helm.install(self.system, {**own, **values}, **options)
        if values.get("crds", {}).get("enabled", True):
            for crd in CRDS:
                self.cluster.wait_for("CustomResourceDefinition", None, crd, is_condition("Established"))
        return said

    def uninstall(self) -> None:
        self.helm.uninstall(self.system)

    def pod(self, number: int = 1) -> Pod:
        """Of the Deployment as the API server has it."""
        deployment = self.cluster.get("Deployment", self.system, NAME)
        assert deployment is not None
        return Pod(self.cluster, deployment, self.directory / f"pod-{number}")

    def token(self, kubectl: Kubectl) -> str:
        """A token of the chart's own service account, as its pod would get it."""
        return kubectl("create", "token", self.pod().service_account, "-n", self.system).strip()

    @contextmanager
    def running(self, kubectl: Kubectl, pod: Pod | None = None) -> Iterator[OperatorProcess]:
        """The pod at work, ready, with the rights of its service account and no others."""
        pod = pod or self.pod()
        pod.directory.mkdir(parents=True)
        kubeconfig = self.plane.kubeconfig_with(self.token(kubectl), pod.directory / "kubeconfig")
        with Launcher() as launcher, pod.start(kubeconfig, launcher) as operator:
            yield operator.wait_ready()
        assert "Traceback" not in operator.text()
        assert " 403 " not in operator.text()


def columns(definition: Object | None) -> list[str]:
    assert definition is not None
    return [column["name"] for column in definition["spec"]["versions"][0]["additionalPrinterColumns"]]


def may_not(kube: Kube, name: str, system: str, place: Place, other: Place) -> None:
    """Its service account is refused what it has no use for, and let through where it has."""
    everywhere = name == "all namespaces"
    mine, theirs = place.namespace, other.namespace
    lease = "/apis/coordination.k8s.io/v1/namespaces"
    asked = {
        ("GET", f"/api/v1/namespaces/{mine}/secrets/secret"): True,
        ("GET", f"/api/v1/namespaces/{theirs}/secrets/any"): everywhere,
        ("GET", f"/api/v1/namespaces/{theirs}/configmaps/any"): everywhere,
        ("GET", f"/api/v1/namespaces/{system}/secrets/lenses-token"): everywhere,
        ("GET", f"/api/v1/namespaces/{mine}/secrets"): name == "some namespaces",
        ("GET", f"/api/v1/namespaces/{mine}/configmaps"): name == "some namespaces",
        ("GET", "/api/v1/secrets"): False,
        ("GET", f"{lease}/{system}/leases/{NAME}"): True,
        ("GET", f"{lease}/{system}/leases/other"): False,
        ("GET", f"{lease}/{mine}/leases/{NAME}"): False,
        ("DELETE", f"{lease}/{system}/leases/{NAME}"): False,
        ("GET", f"{OURS}/{theirs}/lensesconnectors"): name != "roles only",
        ("PATCH", f"{OURS}/{theirs}/lensesconnectors/any"): name != "roles only",
        ("PUT", f"{OURS}/{mine}/lensesconnectors/orders"): False,
        ("POST", f"{OURS}/{mine}/lensesconnectors"): False,
        ("DELETE", f"{OURS}/{mine}/lensesconnectors/orders"): False,
        ("DELETE", f"{OURS}/{mine}/lensesconnectoroffsets"): False,
        ("PUT", f"/api/v1/namespaces/{mine}/secrets/secret"): False,
        ("GET", f"/api/v1/namespaces/{mine}/pods"): False,
        ("GET", f"/api/v1/namespaces/{mine}/events"): False,
        ("GET", "/api/v1/namespaces"): False,
        ("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"): False,
        ("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles"): False,
    }
    got = {
        (method, path): kube.raw(method, path, {} if method != "GET" else None).status_code != 403
        for method, path in asked
    }
    assert {key: let for key, let in got.items() if let is not asked[key]} == {}
