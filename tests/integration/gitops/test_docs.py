"""What docs/gitops.md and gitops/ show can be sent."""

from __future__ import annotations

import re
from typing import Any

import yaml

from harness.kube import Kube
from harness.kubectl import Kubectl
from harness.paths import ROOT
from integration.gitops.support import DOC, documents

OURS = "connect.lenses.io/v1alpha1"
THEIRS = {
    "Application": ("argoproj.io/v1alpha1", {"project", "source", "destination"}),
    "Kustomization": ("kustomize.toolkit.fluxcd.io/v1", {"interval", "sourceRef", "path", "prune"}),
}


def ours() -> list[dict[str, Any]]:
    return [document for document in documents() if document["apiVersion"] == OURS]


def test_our_kinds_are_admitted(operator_kube: Kube, kubectl: Kubectl, namespace: str) -> None:
    """By the verb that can send them: a name to be made up cannot be applied."""
    for how, sent in (
        ("apply", [one for one in ours() if "name" in one["metadata"]]),
        ("create", [one for one in ours() if "generateName" in one["metadata"]]),
    ):
        said = kubectl(how, "--dry-run=server", "-n", namespace, "-f", "-", stdin=yaml.safe_dump_all(sent))
        assert said.count("(server dry run)") == len(sent) > 0


def test_the_others_are_of_a_kind_there_is() -> None:
    found = [document for document in documents() if document["apiVersion"] != OURS]
    assert {document["kind"] for document in found} == set(THEIRS)
    for document in found:
        version, required = THEIRS[document["kind"]]
        assert document["apiVersion"] == version
        assert set(document["spec"]) >= required


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", DOC.read_text()):
        assert target.startswith("https://") or (DOC.parent / target).exists(), target


def test_argo_cds_config_map_takes_the_keys(kube: Kube, kubectl: Kubectl, namespace: str) -> None:
    """By the command the docs name, beside what is there."""
    file = ROOT / "gitops" / "argocd" / "argocd-cm.yaml"
    kubectl("create", "configmap", "argocd-cm", "-n", namespace, "--from-literal=url=https://argocd.example.com")
    keys = yaml.safe_load(file.read_text())
    keys["metadata"]["namespace"] = namespace
    kubectl("patch", "configmap", "argocd-cm", "-n", namespace, "--patch", yaml.safe_dump(keys))
    found = kube.get("ConfigMap", namespace, "argocd-cm")
    assert found is not None
    assert found["data"] == {"url": "https://argocd.example.com", **keys["data"]}
