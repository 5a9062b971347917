"""Labels and annotations by which a tool knows what it has made: it prunes, or takes over, whatever carries a copy."""

from __future__ import annotations

import re

_OWNERS = {
    "Argo CD": r"app\.kubernetes\.io/instance"
    r"|argocd\.argoproj\.io/(instance|tracking-id|installation-id|app-name|refresh)",
    "Flux": r"(kustomize|helm)\.toolkit\.fluxcd\.io/(name|namespace|checksum)|fluxcd\.io/sync-.*|helm\.fluxcd\.io/.*",
    "Helm": r"meta\.helm\.sh/.*|helm\.sh/chart|app\.kubernetes\.io/managed-by",
    "kubectl": r"kubectl\.kubernetes\.io/.*|applyset\.kubernetes\.io/.*|deployment\.kubernetes\.io/.*",
    "kustomize": r"(internal\.)?config\.(kubernetes|k8s)\.io/.*|kustomize\.config\.k8s\.io/.*",
    "kapp": r"kapp\.k14s\.io/(app|association|identity|original.*|nonce)",
    "Fleet": r"objectset\.rio\.cattle\.io/.*|fleet\.cattle\.io/.*",
    "Config Sync": r"(configmanagement|configsync)\.gke\.io/.*",
    "Skaffold": r"skaffold\.dev/.*",
    "the Operator Lifecycle Manager": r"olm\..*|operators\.coreos\.com/.*",
}
"""Only marks. What tells a tool how to go about an object, such as a sync wave or `helm.sh/resource-policy`, is the
user's word and holds for the new object as well."""
_PATTERNS = {owner: re.compile(pattern) for owner, pattern in _OWNERS.items()}


def owner_of(key: str) -> str | None:
    """The tool whose mark this key of a label or an annotation is."""
    return next((owner for owner, pattern in _PATTERNS.items() if pattern.fullmatch(key)), None)
