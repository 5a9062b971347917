"""Where the kinds the tests use live in the Kubernetes API."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

OURS = "connect.lenses.io/v1alpha1"
RBAC = "rbac.authorization.k8s.io/v1"
ADMISSION = "admissionregistration.k8s.io/v1"


@dataclass(frozen=True)
class Kind:
    """A kind and how to address it."""

    name: str
    api_version: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
        """The URL path of one object, or of the list when no name is given; of all namespaces when none is given."""
        root = "/api/" if "/" not in self.api_version else "/apis/"
        parts = [self.api_version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return root + "/".join(parts)


_KINDS = (
    Kind("LensesConnector", OURS, "lensesconnectors"),
    Kind("LensesConnectorOffsets", OURS, "lensesconnectoroffsets"),
    Kind("Namespace", "v1", "namespaces", namespaced=False),
    Kind("ConfigMap", "v1", "configmaps"),
    Kind("Secret", "v1", "secrets"),
    Kind("Service", "v1", "services"),
    Kind("ServiceAccount", "v1", "serviceaccounts"),
    Kind("ResourceQuota", "v1", "resourcequotas"),
    Kind("Event", "v1", "events"),
    Kind("Lease", "coordination.k8s.io/v1", "leases"),
    Kind("Deployment", "apps/v1", "deployments"),
    Kind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies"),
    Kind("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets"),
    Kind("Role", RBAC, "roles"),
    Kind("RoleBinding", RBAC, "rolebindings"),
    Kind("ClusterRole", RBAC, "clusterroles", namespaced=False),
    Kind("ClusterRoleBinding", RBAC, "clusterrolebindings", namespaced=False),
    Kind("Pod", "v1", "pods"),
    Kind("Node", "v1", "nodes", namespaced=False),
    Kind("CustomResourceDefinition", "apiextensions.k8s.io/v1", "customresourcedefinitions", namespaced=False),
    Kind("ValidatingAdmissionPolicy", ADMISSION, "validatingadmissionpolicies", namespaced=False),
    Kind("ValidatingAdmissionPolicyBinding", ADMISSION, "validatingadmissionpolicybindings", namespaced=False),
)
KINDS = {kind.name: kind for kind in _KINDS}
SHORT_NAMES = {"lc": "LensesConnector", "lco": "LensesConnectorOffsets"}


def kind_named(name: str) -> Kind:
    """A kind by its name, or by the short name of ours."""
    return KINDS[SHORT_NAMES.get(name, name)]


def kind_of(manifest: Mapping[str, Any]) -> Kind:
    """The kind of an object, which may name another version than the table."""
    return replace(KINDS[manifest["kind"]], api_version=manifest["apiVersion"])
