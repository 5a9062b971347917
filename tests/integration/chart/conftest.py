"""A control plane of the chart's own tests: others' tests need the definitions that these install and remove."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from harness import build
from harness.controlplane import ControlPlane
from harness.helm import Helm, HelmError
from harness.kube import Kube
from harness.kubectl import Kubectl
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import Place
from integration.chart.support import CRDS, Places, Release


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    build.require("controlplane")
    with ControlPlane.start(tmp_path_factory.mktemp("chart-plane")) as started:
        yield started


@pytest.fixture(scope="session")
def cluster(plane: ControlPlane) -> Iterator[Kube]:
    """As the admin."""
    with Kube(plane.url, plane.token, plane.ca) as client:
        yield client


@pytest.fixture(scope="session")
def admin(plane: ControlPlane) -> Kubectl:
    return Kubectl(plane.kubeconfig)


@pytest.fixture(scope="session")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Renders, and has no cluster."""
    build.require("helm")
    return Helm(tmp_path_factory.mktemp("helm"))


@pytest.fixture
def system(cluster: Kube) -> Iterator[str]:
    """The namespace to install into; afterwards the definitions are gone from the cluster."""
    name = cluster.create_namespace("system")
    yield name
    cluster.delete("Namespace", None, name)
    for crd in CRDS:
        cluster.delete("CustomResourceDefinition", None, crd)
    for crd in CRDS:
        cluster.wait_gone("CustomResourceDefinition", None, crd)


@pytest.fixture
def release(
    plane: ControlPlane, cluster: Kube, lenses: RunningLenses, system: str, tmp_path: Path
) -> Iterator[Release]:
    """Not installed yet; uninstalled afterwards."""
    build.require("helm")
    made = Release(Helm(tmp_path / "helm", plane.kubeconfig), cluster, plane, lenses, system, tmp_path)
    yield made
    with suppress(HelmError):
        made.uninstall()


@pytest.fixture
def places(cluster: Kube, lenses: RunningLenses, system: str) -> Iterator[Places]:
    """Makes namespaces with a Lenses environment each; left before the definitions go."""
    made: list[Place] = []

    def make() -> Place:
        environment = f"env-{secrets.token_hex(4)}"
        lenses.control.add_environment(environment, {"connect": {"backend": "memory"}})
        made.append(Place(cluster, lenses.control, cluster.create_namespace("team"), environment, {}))
        return made[-1]

    yield make
    for place in made:
        if cluster.raw("GET", "/apis/connect.lenses.io/v1alpha1").is_success:
            place.leave()
