"""A real API server takes every object that the chart can make, misspelt fields not allowed."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from harness.helm import Helm
from harness.kube import Kube, Object, Objects
from harness.kubectl import Kubectl, KubectlError
from integration.chart.values import SETS

MONITORING = {"ServiceMonitor": "servicemonitors", "PrometheusRule": "prometheusrules"}
STRING = {"type": "string"}
STRINGS = {"type": "object", "additionalProperties": STRING}
RELABELINGS = {"type": "array", "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
RULE = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("alert", "record", "expr", "for", "keep_firing_for"), STRING),
        "labels": STRINGS,
        "annotations": STRINGS,
    },
}
SPECS: dict[str, dict[str, Any]] = {
    "ServiceMonitor": {
        "selector": {"type": "object", "properties": {"matchLabels": STRINGS}},
        "endpoints": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    **dict.fromkeys(("port", "path", "interval", "scrapeTimeout"), STRING),
                    "relabelings": RELABELINGS,
                    "honorLabels": {"type": "boolean"},
                    "metricRelabelings": RELABELINGS,
                },
            },
        },
    },
    "PrometheusRule": {
        "groups": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "interval": {"type": "string"},
                    "rules": {"type": "array", "items": RULE},
                },
            },
        }
    },
}
"""The fields of the Prometheus operator's kinds that there is a use for; any other is refused."""


def definition(kind: str) -> Object:
    plural, group = MONITORING[kind], "monitoring.coreos.com"
    spec = {"type": "object", "properties": SPECS[kind]}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [version],
        },
    }


@pytest.fixture(scope="module")
def monitored(cluster: Kube, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A namespace of restricted pods, on a cluster with the Prometheus operator's kinds."""
    file = tmp_path_factory.mktemp("monitoring") / "crds.yaml"
    file.write_text(yaml.safe_dump_all([definition(kind) for kind in MONITORING]))
    cluster.install_crds(file)
    name = cluster.create_namespace("system")
    labels = {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": "latest",
    }
    cluster.patch("Namespace", None, name, {"metadata": {"labels": labels}})
    return name


def dry_run(admin: Kubectl, objects: Objects) -> list[str]:
    text = yaml.safe_dump_all(objects)
    return admin(
        *("create", "--dry-run=server", "--validate=strict", "--warnings-as-errors", "-o", "name", "-f", "-"),
        stdin=text,
    ).split()


@pytest.mark.parametrize("name", SETS)
def test_every_object(offline: Helm, admin: Kubectl, monitored: str, name: str) -> None:
    objects = offline.template(SETS[name], namespace=monitored)
    assert len(dry_run(admin, objects)) == len(objects)


@pytest.mark.parametrize("name", ["defaults", "everything"])
def test_pod_is_restricted(offline: Helm, admin: Kubectl, cluster: Kube, monitored: str, name: str) -> None:
    """The namespace's admission refuses any pod that is not, one of these with a little less of it for instance."""
    (deployment,) = [one for one in offline.template(SETS[name]) if one["kind"] == "Deployment"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "operator", "namespace": monitored, **deployment["spec"]["template"]["metadata"]},
        "spec": deployment["spec"]["template"]["spec"],
    }
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": pod["spec"]["serviceAccountName"]}}
    cluster.apply(account, monitored)
    assert dry_run(admin, [pod]) == ["pod/operator"]
    del pod["spec"]["securityContext"]["seccompProfile"]
    with pytest.raises(KubectlError, match="violates PodSecurity"):
        dry_run(admin, [pod])
