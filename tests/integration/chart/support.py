"""An installed release, and its Deployment's pod as a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.controlplane import ControlPlane
from harness.helm import Helm
from harness.kube import Kube, Object, Objects, is_condition
from harness.kubectl import Kubectl
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import DRIFT_INTERVAL, POLL_INTERVAL, Place
from harness.operator_process import OperatorProcess
from harness.pod import Pod
from harness.process import Launcher

NAME = "lenses-operator"
CRDS = ("lensesconnectors.connect.lenses.io", "lensesconnectoroffsets.connect.lenses.io")
Places = Callable[[], Place]


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


def names(objects: Objects) -> set[str]:
    return {str(one["metadata"]["name"]) for one in objects}


def columns(definition: Object | None) -> list[str]:
    assert definition is not None
    return [column["name"] for column in definition["spec"]["versions"][0]["additionalPrinterColumns"]]
