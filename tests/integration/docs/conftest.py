"""One operator for the namespaces of the documentation; a fresh Lenses for each page."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.controlplane import ControlPlane
from harness.kube import Kube
from harness.kubectl import Kubectl
from harness.lenses.control import Json
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import Operators
from harness.operator_process import OperatorProcess
from harness.process import Launcher
from integration.docs.stage import NAMESPACES, Stage


@pytest.fixture(scope="module")
def docs_operator(
    operator_kube: Kube, control_plane: ControlPlane, lenses: RunningLenses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    for name in NAMESPACES:
        operator_kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    with Launcher() as launcher:
        operators = Operators(tmp_path_factory.mktemp("docs-operator"), control_plane, lenses, launcher)
        yield operators.start(*NAMESPACES, WATCH_REFERENCES="true")
        assert "Traceback" not in operators.log()


@pytest.fixture
def stages(
    docs_operator: OperatorProcess, operator_kube: Kube, lenses: RunningLenses, kubectl: Kubectl, tmp_path: Path
) -> Iterator[Callable[..., Stage]]:
    """Makes the stage of one page: see `Stage.add_environments`."""
    made: list[Stage] = []
    kubeconfig = tmp_path / "kubeconfig"
    shutil.copy(kubectl.kubeconfig, kubeconfig)
    Kubectl(kubeconfig)("config", "set-context", "--current", "--namespace", NAMESPACES[0])

    def make(**backends: Json) -> Stage:
        stage = Stage(operator_kube, lenses.control, kubeconfig, tmp_path, lenses.url, lenses.token)
        made.append(stage)
        stage.add_environments(**backends)
        return stage

    yield make
    for stage in made:
        stage.clear()
