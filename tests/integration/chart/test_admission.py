"""The policy as a ValidatingAdmissionPolicy: a real API server's verdict is the operator's own, rule by rule."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
import yaml

from harness.helm import Helm
from harness.kube import Kube, Object
from harness.kubectl import Kubectl
from harness.paths import CRDS
from harness.waiting import wait_until
from integration.chart.support import CRDS as DEFINITIONS
from lenses_operator.domain.policy import Policy, Rule
from lenses_operator.resources.connector import LensesConnector

Patterns = Mapping[str, list[str]]
SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"
RULES: dict[str, list[Patterns]] = {
    "nothing": [],
    "everything": [{}],
    "stars": [{"namespaces": ["*"], "environments": ["**"], "clusters": ["*"], "connectors": ["*"]}],
    "an empty list": [{"environments": []}],
    "an empty list beside a star": [{"environments": [], "clusters": ["*"]}],
    "one environment": [{"environments": ["prod"]}],
    "a beginning": [{"environments": ["pro*"]}],
    "an end": [{"clusters": ["*-eu"]}],
    "a middle": [{"connectors": ["*order*"]}],
    "parts in their order": [{"connectors": ["o*d*s"]}],
    "both ends may not overlap": [{"environments": ["prod*od"]}],
    "a namespace": [{"namespaces": ["team-a*"]}],
    "all four": [{"namespaces": ["team-*"], "environments": ["prod"], "clusters": ["connect-*"], "connectors": ["o*"]}],
    "one of several": [{"connectors": ["clicks", "orders", "x*"]}],
    "two rules": [{"environments": ["dev"]}, {"namespaces": ["team-b*"], "connectors": ["*"]}],
    "a dot is a dot": [{"connectors": ["a.b", "a.*"]}],
    "signs of regular expressions": [{"connectors": ["a+b*", "(a|b)", "^a$", "[ab]*", "a$*"]}],
    "quotes": [{"connectors": ["it's*", '"a"', "`a`*"]}],
    "signs of markup": [{"connectors": ["a->b", "<*>", "a&b"]}],
    "beyond ASCII": [{"connectors": ["ü*", "*😀"]}],
    "upper case": [{"connectors": ["Orders", "ORD*"]}],
    "a backslash": [{"connectors": ["a\\b", "\\*"]}],
}
CONNECTORS = (
    *(
        "orders",
        "Orders",
        "clicks",
        "xyz",
        "a.b",
        "axb",
        "a+b",
        "aab",
        "(a|b)",
        "a",
        "^a$",
        "[ab]x",
        "a$x",
        "it's me",
        '"a"',
    ),
    *("`a`b", "a->b", "<b>", "a&b", "über", "party 😀", "inner space", "ods", "sdo"),
)
PLACES = tuple(product(("prod", "dev", "prodod"), ("connect-eu", "connect-us")))
LABEL = "example.com/case"


@dataclass
class Cases:
    """What is asked, and whether the API server takes it, which is only tried."""

    cluster: Kube
    namespaces: tuple[str, ...]

    def takes(self, body: Object) -> bool:
        path = f"/apis/connect.lenses.io/v1alpha1/namespaces/{body['metadata']['namespace']}/lensesconnectors"
        answer = self.cluster.raw("POST", path, body, params={"dryRun": "All"})
        assert answer.status_code in (201, 403), answer.text
        if answer.status_code == 403:
            assert "policy does not let namespace" in answer.json()["message"], answer.text
        return answer.status_code == 201


def connector(namespace: str, environment: str, cluster: str, name: str, label: str = "") -> Object:
    """With a name of its own where Kubernetes would not take the connector's."""
    plain = name.isascii() and name.isalpha() and name.islower()
    spec = {"environment": environment, "cluster": cluster, "class": SOURCE, **({} if plain else {"name": name})}
    metadata = {"name": name if plain else "some", "namespace": namespace, "labels": {LABEL: label} if label else {}}
    return {"apiVersion": "connect.lenses.io/v1alpha1", "kind": "LensesConnector", "metadata": metadata, "spec": spec}


def allowed(rules: list[Patterns], body: Object) -> bool:
    """By the operator itself."""
    made = {"uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
    resource = LensesConnector.parse(body | {"metadata": {**body["metadata"], **made}})
    return Policy(tuple(Rule(**rule) for rule in rules)).allows(resource)


def rendered(offline: Helm, rules: list[Patterns], label: str, selector: str = "") -> str:
    values: dict[str, Any] = {
        "fullnameOverride": label,
        "policy": {"rules": rules, "admission": True},
        "watch": {"labelSelector": selector or f"{LABEL}={label}"},
    }
    objects = [one for one in offline.template(values) if one["kind"].startswith("ValidatingAdmission")]
    assert len(objects) == 2
    return yaml.safe_dump_all(objects)


@pytest.fixture(scope="module")
def cases(offline: Helm, admin: Kubectl, cluster: Kube) -> Iterator[Cases]:
    """A policy for each set of rules, which looks at objects of its own label only."""
    cluster.install_crds(CRDS)
    labels = [f"case-{number}" for number in range(len(RULES))]
    text = "---\n".join(rendered(offline, rules, label) for label, rules in zip(labels, RULES.values(), strict=True))
    sentinel = rendered(offline, [], "sentinel", f"{LABEL} in (x, sentinel),!other")
    admin("apply", "-f", "-", stdin=text)
    admin("apply", "-f", "-", stdin=sentinel)
    namespaces = tuple(cluster.create_namespace(prefix) for prefix in ("team-a", "team-b"))
    found = Cases(cluster, namespaces)
    # The server takes up policies in their order, a moment after they are written.
    last = connector(namespaces[0], "prod", "connect-eu", "orders", "sentinel")
    wait_until("the policies to be in force", lambda: not found.takes(last), 60)
    yield found
    admin("delete", "-f", "-", "--wait=false", stdin=text)
    admin("delete", "-f", "-", "--wait=false", stdin=sentinel)
    for name in namespaces:
        cluster.delete("Namespace", None, name)
    for crd in DEFINITIONS:
        cluster.delete("CustomResourceDefinition", None, crd)
    for crd in DEFINITIONS:
        cluster.wait_gone("CustomResourceDefinition", None, crd)


@pytest.mark.parametrize("case", RULES)
def test_the_api_server_says_what_the_operator_says(cases: Cases, case: str) -> None:
    label = f"case-{list(RULES).index(case)}"
    differing = []
    for index, name in enumerate(CONNECTORS):
        # Every connector in one place, the first one in all of them.
        everywhere = [(ns, *place) for ns in cases.namespaces for place in PLACES]
        for place in everywhere if index == 0 else everywhere[index % len(everywhere) :][:1]:
            body = connector(*place, name, label)
            if cases.takes(body) != allowed(RULES[case], body):
                differing.append((place, name))
    assert differing == []


def test_a_policy_concerns_nobody_else(cases: Cases) -> None:
    """Another release has another policy."""
    assert cases.takes(connector(cases.namespaces[0], "prod", "connect-eu", "orders"))
    body = connector(cases.namespaces[0], "prod", "connect-eu", "orders", "sentinel")
    body["metadata"]["labels"]["other"] = "x"
    assert cases.takes(body)


def test_what_is_there_can_be_let_go(cases: Cases, admin: Kubectl) -> None:
    """By a policy that became narrower: finalizers, status, annotations and a deletion are none of its business."""
    namespace = cases.namespaces[0]
    body = connector(namespace, "prod", "connect-eu", "orders")
    body["metadata"]["finalizers"] = ["connect.lenses.io/connector"]
    cases.cluster.create(body)

    def patch(change: object, *options: str) -> None:
        admin("patch", "lc", "orders", "-n", namespace, "--type=merge", "-p", json.dumps(change), *options)

    def is_refused(change: object) -> bool:
        path = f"/apis/connect.lenses.io/v1alpha1/namespaces/{namespace}/lensesconnectors/orders"
        answer = cases.cluster.raw("PATCH", path, change, content_type="application/merge-patch+json")
        assert answer.status_code in (200, 403), answer.text
        return answer.status_code == 403

    patch({"metadata": {"labels": {LABEL: "sentinel"}}})
    assert is_refused({"spec": {"config": {"topic": "a"}}})
    assert is_refused({"spec": {"state": "paused"}})
    patch({"metadata": {"annotations": {"connect.lenses.io/reconcile": "now"}}})
    patch({"status": {"observedGeneration": 1}}, "--subresource=status")
    patch({"spec": {"suspend": True}})
    patch({"spec": {"deletionPolicy": "Retain"}})
    admin("delete", "lc", "orders", "-n", namespace, "--wait=false")
    patch({"metadata": {"finalizers": []}})
    assert cases.cluster.get("LensesConnector", namespace, "orders") is None
