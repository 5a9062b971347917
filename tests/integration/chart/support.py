"""An installed release, and its Deployment's pod as a process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness import paths
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
WRITES = "would need a writable volume"
WATCH_WRITES = f"""
import os, sys

def hook(event, arguments):
    if event == "open":
        path, _, flags = arguments
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) and not str(path).startswith("/dev/")
    else:
        writes = event in ("os.mkdir", "os.rename", "os.symlink", "os.link", "tempfile.mkstemp", "tempfile.mkdtemp")
    if writes:
        os.write(2, f"{{event}} {{arguments[0]}} {WRITES}\\n".encode())

sys.addaudithook(hook)
"""
"""Python runs it at the start: a read-only root file system, portably."""

MODES: dict[str, dict[str, Any]] = {
    "all namespaces": {},
    # Nothing but the watch tells this one that a Secret has changed.
    "some namespaces": {"watch": {"references": True}, "driftInterval": 86400},
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

    def install(self, values: Mapping[str, Any], *options: str, chart: Path = paths.CHART) -> str:
        """Install or upgrade it; what helm tells its user."""
        token = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "lenses-token"}}
        self.cluster.apply({**token, "stringData": {"token": f"{self.lenses.token}\n"}}, self.system)
        own = {"lenses": {"url": self.lenses.url}, "pollInterval": POLL_INTERVAL, "driftInterval": DRIFT_INTERVAL}
        said = self.helm.install(self.system, {**own, **values}, *options, chart=chart)
        if values.get("crds", {}).get("enabled", True):
            for crd in CRDS:
                self.cluster.wait_for("CustomResourceDefinition", None, crd, is_condition("Established"))
        return said

    def uninstall(self) -> None:
        self.helm.uninstall(self.system)

    def pod(self) -> Pod:
        """Of the Deployment as the API server has it."""
        deployment = self.cluster.get("Deployment", self.system, NAME)
        assert deployment is not None
        return Pod(self.cluster, deployment, self.directory / "pod")

    def token(self, kubectl: Kubectl) -> str:
        """A token of the chart's own service account, as its pod would get it."""
        return kubectl("create", "token", self.pod().service_account, "-n", self.system).strip()

    @contextmanager
    def running(self, kubectl: Kubectl, pod: Pod | None = None) -> Iterator[OperatorProcess]:
        """The pod at work, ready, with the rights of its service account and no others."""
        pod = pod or self.pod()
        pod.directory.mkdir(parents=True)
        (pod.directory / "sitecustomize.py").write_text(WATCH_WRITES)
        env = {"PYTHONPATH": f"{pod.directory}:{os.environ.get('PYTHONPATH', '')}", "PYTHONDONTWRITEBYTECODE": "1"}
        with Launcher() as launcher, pod.start(self._kubeconfig(kubectl, pod), launcher, env) as operator:
            yield operator.wait_ready()
        for trouble in ("Traceback", "orbidden", WRITES):
            assert trouble not in operator.text()

    def _kubeconfig(self, kubectl: Kubectl, pod: Pod) -> Path:
        """The certificates as a file, as a pod has them: from data in a kubeconfig the client would write one."""
        path = self.plane.kubeconfig_with(self.token(kubectl), pod.directory / "kubeconfig")
        config = yaml.safe_load(path.read_text())
        server = config["clusters"][0]["cluster"]
        del server["certificate-authority-data"]
        path.write_text(yaml.safe_dump({**config, "clusters": [{"name": "local", "cluster": {**server, **self._ca}}]}))
        return path

    @property
    def _ca(self) -> dict[str, str]:
        return {"certificate-authority": str(self.plane.ca)}


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
        ("GET", f"/api/v1/namespaces/{system}/secrets/{NAME}-digest-key"): True,
        ("PATCH", f"/api/v1/namespaces/{system}/secrets/{NAME}-digest-key"): True,
        ("PATCH", f"/api/v1/namespaces/{system}/secrets/lenses-token"): False,
        ("POST", f"/api/v1/namespaces/{system}/secrets"): False,
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
