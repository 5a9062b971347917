"""A person with the cluster role `edit` in one namespace, against the shared operator."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from harness import build
from harness.controlplane import PERSON, ControlPlane
from harness.helm import Helm
from harness.kube import Kube, KubeError
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import Place
from harness.waiting import wait_until
from integration.kubectl.support import Person, bind
from integration.offsets.support import ANY, Offsets


@pytest.fixture(scope="session")
def edit_role(operator_kube: Kube, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The usual role, with what the chart adds to it."""
    build.require("helm")
    for found in Helm(tmp_path_factory.mktemp("helm")).template():
        if (
            found["kind"] == "ClusterRole"
            and "rbac.authorization.k8s.io/aggregate-to-edit" in found["metadata"]["labels"]
        ):
            operator_kube.apply(found)

    def added() -> bool:
        rules = (operator_kube.get("ClusterRole", None, "edit") or {}).get("rules") or ()
        return any("lensesconnectors" in rule.get("resources", ()) and "patch" in rule["verbs"] for rule in rules)

    wait_until("the rules of the ClusterRole edit", added, 30)


@pytest.fixture
def person(
    edit_role: None,
    place: Place,
    operator_kube: Kube,
    control_plane: ControlPlane,
    lenses: RunningLenses,
    tmp_path: Path,
) -> Person:
    """Has the rights of `edit` in the place's namespace, and no access to Lenses unless it is given."""
    bind(operator_kube, place.namespace, "edit")
    with operator_kube.with_token(PERSON.token) as client:

        def may() -> bool:
            with suppress(KubeError):
                client.list("lc", place.namespace)
                return True
            return False

        wait_until("the rights", may, 20)
    token = tmp_path / "lenses-token"
    token.write_text(lenses.token)
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(control_plane.kubeconfig_for(PERSON).read_text())
    return Person(kubeconfig, place.namespace, lenses.url, token, tmp_path)


@pytest.fixture
def offsets(place: Place) -> Offsets:
    """Of a place whose connectors take any offsets."""
    place.control.set_plugins(place.environment, place.cluster, [ANY])
    return Offsets(place)
