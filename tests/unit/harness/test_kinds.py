"""Addresses of objects in the Kubernetes API."""

import pytest

from harness.kinds import kind_named, kind_of


@pytest.mark.parametrize(
    ("kind", "namespace", "name", "subresource", "path"),
    [
        ("Namespace", None, "a", None, "/api/v1/namespaces/a"),
        ("ConfigMap", "a", "b", None, "/api/v1/namespaces/a/configmaps/b"),
        ("ConfigMap", None, None, None, "/api/v1/configmaps"),
        ("lc", "a", "b", "status", "/apis/connect.lenses.io/v1alpha1/namespaces/a/lensesconnectors/b/status"),
        ("lco", "a", None, None, "/apis/connect.lenses.io/v1alpha1/namespaces/a/lensesconnectoroffsets"),
        ("ClusterRole", "ignored", "b", None, "/apis/rbac.authorization.k8s.io/v1/clusterroles/b"),
    ],
)
def test_paths(kind: str, namespace: str | None, name: str | None, subresource: str | None, path: str) -> None:
    assert kind_named(kind).path(namespace, name, subresource) == path


def test_an_object_may_name_another_version() -> None:
    assert kind_of({"kind": "LensesConnector", "apiVersion": "connect.lenses.io/v1"}).api_version.endswith("/v1")
    event = kind_of({"kind": "Event", "apiVersion": "events.k8s.io/v1"})
    assert event.path("a") == "/apis/events.k8s.io/v1/namespaces/a/events"
