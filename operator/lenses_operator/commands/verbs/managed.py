"""Who keeps a resource as a file says: Argo CD, Flux or helm, told by labels, annotations and managedFields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ARGO_CD, FLUX, HELM = "Argo CD", "Flux", "helm"
MANAGERS = {
    "argocd-controller": ARGO_CD,
    "argocd-application-controller": ARGO_CD,
    "kustomize-controller": FLUX,
    "helm-controller": FLUX,
    "helm": HELM,
}
"""Field managers, by what these tools call themselves."""
TRACKING = "argocd.argoproj.io/tracking-id"
INSTANCES = ("argocd.argoproj.io/instance", "app.kubernetes.io/instance")
FLUX_KINDS = {"kustomize.toolkit.fluxcd.io": "Kustomization", "helm.toolkit.fluxcd.io": "HelmRelease"}
RELEASE = "meta.helm.sh/release-name"
RELEASE_NAMESPACE = "meta.helm.sh/release-namespace"
WHEN = {
    ARGO_CD: "at its next sync (at once with selfHeal)",
    FLUX: "when it next reconciles",
    HELM: "with the next helm upgrade",
}


@dataclass(frozen=True)
class Manager:
    """`owner`: what of the tool has the file, `Kustomization flux-system/apps`. `sets`: whether it sets the field."""

    tool: str
    owner: str
    sets: bool

    def warning(self, field: str) -> str:
        """What becomes of a change to `field` that is made here alone."""
        if self.sets:
            fate = f"which puts {field} back {WHEN[self.tool]}"
        else:
            fate = f"whose file does not set {field}: it would stay as it is set here, and the file would not show it"
        return (
            f"it belongs to {self.tool} ({self.owner}), {fate}. Change it there; --force changes it here all the same"
        )


def manager_of(body: Mapping[str, Any], field: tuple[str, str]) -> Manager | None:
    """`field`: `("spec", "state")`. None: nobody but people, as far as the object tells."""
    metadata = body["metadata"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    written = dict(_written(metadata, field))
    found = (
        _flux(labels)
        or _argo_cd(body, labels, annotations, known=ARGO_CD in written)
        or _helm(annotations)
        or next(((tool, "by managedFields") for tool in (FLUX, ARGO_CD, HELM) if tool in written), None)
    )
    if found is None:
        return None
    tool, owner = found
    return Manager(tool, owner, any(written.values()))


def _flux(labels: Mapping[str, str]) -> tuple[str, str] | None:
    for group, kind in FLUX_KINDS.items():
        if name := labels.get(f"{group}/name"):
            namespace = labels.get(f"{group}/namespace")
            return FLUX, f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
    return None


def _argo_cd(
    body: Mapping[str, Any], labels: Mapping[str, str], annotations: Mapping[str, str], *, known: bool
) -> tuple[str, str] | None:
    """A tracking id is `app:group/Kind:namespace/name`, and says nothing where it was copied from another object.

    `known`: Argo CD is among the field managers; the labels alone are others' as well.
    """
    metadata = body["metadata"]
    application, _, about = annotations.get(TRACKING, "").partition(":")
    if about.endswith(f":{metadata.get('namespace')}/{metadata['name']}"):
        return ARGO_CD, f"Application {application.replace('_', '/', 1)}"
    if annotations.get(TRACKING) or not (known or INSTANCES[0] in labels):
        return None
    return next(((ARGO_CD, f"Application {labels[key]}") for key in INSTANCES if labels.get(key)), None)


def _helm(annotations: Mapping[str, str]) -> tuple[str, str] | None:
    if name := annotations.get(RELEASE):
        namespace = annotations.get(RELEASE_NAMESPACE)
        return HELM, f"release {name} in namespace {namespace}" if namespace else f"release {name}"
    return None


def _written(metadata: Mapping[str, Any], field: tuple[str, str]) -> Iterator[tuple[str, bool]]:
    """The tools among the field managers, and whether each has the field."""
    first, second = field
    for entry in sorted(metadata.get("managedFields") or (), key=lambda one: _has(one, first, second)):
        tool = MANAGERS.get(entry.get("manager", ""))
        if tool and entry.get("subresource", "") == "":
            yield tool, _has(entry, first, second)


def _has(entry: Mapping[str, Any], first: str, second: str) -> bool:
    return f"f:{second}" in ((entry.get("fieldsV1") or {}).get(f"f:{first}") or {})
