"""The real Argo CD and the real Flux beside a control plane, an operator for all of its namespaces, and Lenses."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops.support import CLUSTER, ENVIRONMENT, Cluster
from harness import build
from harness.argocd import ArgoCD
from harness.controlplane import ControlPlane
from harness.flux import Flux
from harness.kube import Kube
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import Operators
from harness.process import Launcher


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gitops")


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    with Launcher() as made:
        yield made


@pytest.fixture(scope="session")
def cluster(
    run_dir: Path, launcher: Launcher, control_plane: ControlPlane, operator_kube: Kube, lenses: RunningLenses
) -> Cluster:
    """With the operator at work."""
    lenses.control.add_environment(ENVIRONMENT, {CLUSTER: {"backend": "memory"}})
    operators = Operators(run_dir / "operator", control_plane, lenses, launcher)
    operators.start()
    return Cluster(operator_kube, lenses.control)


@pytest.fixture(scope="session")
def argocd(run_dir: Path, launcher: Launcher, control_plane: ControlPlane, cluster: Cluster) -> ArgoCD:
    _needs("argocd", "go", "git")
    return ArgoCD.start(run_dir, control_plane, cluster.kube, launcher)


@pytest.fixture(scope="session")
def flux(run_dir: Path, launcher: Launcher, control_plane: ControlPlane, cluster: Cluster) -> Flux:
    _needs("flux", "go")
    return Flux.start(run_dir, control_plane, cluster.kube, launcher)


def _needs(step: str, *programs: str) -> None:
    """A machine without these cannot; where they are, it must have been built."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{step} cannot be built or run here: {', '.join(missing)} is not on PATH")
    build.require(step)
