"""Which cluster a command is about, with kubectl's options. The client, which takes long to import, is not needed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from lenses_operator.kube.errors import KubeError

_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True)
class Access:
    """None: what the kubeconfig says."""

    kubeconfig: Path | None = None
    context: str | None = None
    namespace: str | None = None

    @property
    def named(self) -> bool:
        """Whether a cluster is named, instead of the one around this process."""
        return bool(self.kubeconfig or self.context)


DEFAULT = Access()


def in_pod() -> bool:
    """Whether this process has a ServiceAccount of its own."""
    return bool(os.environ.get("KUBERNETES_SERVICE_HOST"))


def as_pod(access: Access) -> bool:
    """Whether the cluster is reached with the pod's own ServiceAccount."""
    return in_pod() and not access.named


def own_namespace() -> str:
    """Of the pod; `default` elsewhere."""
    try:
        return _NAMESPACE.read_text().strip()
    except OSError:
        return "default"


def home_of(access: Access) -> str:
    """The namespace for what names none: the context's, or the pod's own. Raises KubeError for a bad kubeconfig."""
    if access.namespace:
        return access.namespace
    if as_pod(access):
        return own_namespace()
    from kubernetes.aio.config.config_exception import ConfigException
    from kubernetes.aio.config.kube_config import list_kube_config_contexts
    from yaml import YAMLError

    file = str(access.kubeconfig) if access.kubeconfig else None
    try:
        contexts, current = list_kube_config_contexts(file)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError, ValueError, YAMLError) as error:
        raise KubeError("Kubernetes access", 0, " ".join(str(error).split())) from error
    named = (one for one in contexts if one["name"] == access.context)
    chosen = next(named, None) if access.context else current
    return str(((chosen or {}).get("context") or {}).get("namespace") or "default")
