"""The versions that docs/gitops.md names are those that `make test-gitops` builds."""

from __future__ import annotations

import re

from harness.paths import HARNESS, ROOT

DOC = (ROOT / "docs" / "gitops.md").read_text()
MODULES = {
    "Argo CD": ("argocd", "github.com/argoproj/argo-cd/v3"),
    "Flux": ("flux", "github.com/fluxcd/kustomize-controller"),
}


def test_versions() -> None:
    shown = dict(re.findall(r"^\| (Argo CD|Flux) \([^|]*\) \| ([\d.]+) \|", DOC, re.MULTILINE))
    built = {}
    for tool, (folder, module) in MODULES.items():
        required = re.search(
            rf"{re.escape(module)} v([\d.]+)$", (HARNESS / folder / "go.mod").read_text(), re.MULTILINE
        )
        assert required, tool
        built[tool] = required[1]
    assert shown == built
