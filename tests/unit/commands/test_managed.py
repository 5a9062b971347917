"""Who has the file of a resource, told by what each tool leaves in it."""

from __future__ import annotations

from typing import Any

import pytest

from lenses_operator.commands.verbs.managed import ARGO_CD, FLUX, HELM, manager_of
from unit.resources.make import body

STATE = ("spec", "state")
TRACKING = "argocd.argoproj.io/tracking-id"
OURS = "connect.lenses.io/LensesConnector:payments/orders"


def written(manager: str, *fields: str, **more: Any) -> dict[str, Any]:
    return {"manager": manager, "fieldsV1": {"f:spec": {f"f:{name}": {} for name in fields}}, **more}


def made(
    labels: dict[str, str] | None = None, annotations: dict[str, str] | None = None, *managed: dict[str, Any]
) -> dict[str, Any]:
    found = body()
    found["metadata"] |= {"labels": labels or {}, "annotations": annotations or {}, "managedFields": list(managed)}
    return found


FLUX_LABELS = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
RELEASE_LABELS = {"helm.toolkit.fluxcd.io/name": "conn", "helm.toolkit.fluxcd.io/namespace": "flux-system"}
RELEASE = {"meta.helm.sh/release-name": "conn", "meta.helm.sh/release-namespace": "payments"}


@pytest.mark.parametrize(
    ("found", "tool", "owner"),
    [
        (made(FLUX_LABELS), FLUX, "Kustomization flux-system/apps"),
        (made(RELEASE_LABELS, RELEASE), FLUX, "HelmRelease flux-system/conn"),
        (made(None, RELEASE), HELM, "release conn in namespace payments"),
        (made(None, {TRACKING: f"shop:{OURS}"}), ARGO_CD, "Application shop"),
        (made(None, {TRACKING: f"argocd_shop:{OURS}"}), ARGO_CD, "Application argocd/shop"),
        (made({"argocd.argoproj.io/instance": "shop"}), ARGO_CD, "Application shop"),
        (
            made({"app.kubernetes.io/instance": "shop"}, None, written("argocd-controller", "state")),
            ARGO_CD,
            "Application shop",
        ),
        (made(None, None, written("kustomize-controller", "class")), FLUX, "by managedFields"),
        (made(None, None, written("helm", "class")), HELM, "by managedFields"),
    ],
)
def test_each_tool_is_known(found: dict[str, Any], tool: str, owner: str) -> None:
    manager = manager_of(found, STATE)
    assert manager is not None
    assert (manager.tool, manager.owner) == (tool, owner)


@pytest.mark.parametrize(
    "found",
    [
        made(),
        made({"app.kubernetes.io/instance": "shop", "app.kubernetes.io/managed-by": "Helm"}),
        made(None, {TRACKING: "shop:connect.lenses.io/LensesConnector:payments/another"}),
        made(None, None, written("kubectl-client-side-apply", "state"), written("kubectl-lenses", "state")),
        made(None, None, written("helm", "state", subresource="status")),
    ],
)
def test_a_persons_resource_is_nobodys(found: dict[str, Any]) -> None:
    """A label that others set as well, a tracking id that was copied along, and other field managers prove nothing."""
    assert manager_of(found, STATE) is None


def test_whether_the_file_sets_the_field() -> None:
    sets = manager_of(made(FLUX_LABELS, None, written("kustomize-controller", "state")), STATE)
    leaves = manager_of(made(FLUX_LABELS, None, written("kustomize-controller", "class")), STATE)
    assert sets is not None
    assert leaves is not None
    assert "puts spec.state back when it next reconciles" in sets.warning("spec.state")
    assert "Kustomization flux-system/apps" in sets.warning("spec.state")
    assert "does not set spec.state" in leaves.warning("spec.state")
    assert all("--force" in one.warning("spec.state") for one in (sets, leaves))
