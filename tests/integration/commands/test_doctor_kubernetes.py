"""`lenses-operator doctor` and a real API server: asked by who may only read, about accounts of different rights."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.controlplane import ControlPlane
from harness.kube import Kube, Object
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import Place
from integration.commands.support import Checks, CommandLine

OURS = "connect.lenses.io"
OPERATOR: list[Object] = [
    {
        "apiGroups": [OURS],
        "resources": ["lensesconnectors", "lensesconnectoroffsets"],
        "verbs": ["get", "list", "watch", "patch"],
    },
    {
        "apiGroups": [OURS],
        "resources": ["lensesconnectors/status", "lensesconnectoroffsets/status"],
        "verbs": ["patch"],
    },
    {"apiGroups": [""], "resources": ["secrets", "configmaps"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "resourceNames": ["payments-lenses-operator"],
        "verbs": ["get", "update"],
    },
]
"""What the architecture says that the operator needs."""
READER: list[Object] = [
    {"apiGroups": [OURS], "resources": ["lensesconnectors", "lensesconnectoroffsets"], "verbs": ["get", "list"]},
    {"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "verbs": ["get"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["list"]},
    {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
]
"""What the doctor needs; nothing of it can write an object."""


@dataclass(frozen=True)
class Accounts:
    """ServiceAccounts of one namespace and their rights in the whole cluster."""

    kube: Kube
    plane: ControlPlane
    namespace: str
    folder: Path

    def make(self, name: str, rules: list[Object]) -> None:
        full = f"{self.namespace}-{name}"
        rbac, metadata = "rbac.authorization.k8s.io", {"name": full}
        subject = {"kind": "ServiceAccount", "name": name, "namespace": self.namespace}
        self.kube.create(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": self.namespace}}
        )
        self.kube.create({"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules})
        self.kube.create(
            {
                "apiVersion": f"{rbac}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": metadata,
                "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": full},
                "subjects": [subject],
            }
        )

    def kubeconfig(self, name: str) -> Path:
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        answer = self.kube.raw("POST", f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{name}/token", body)
        path = self.folder / f"kubeconfig-{name}"
        path.write_text(self.plane._kubeconfig(answer.json()["status"]["token"]))
        return path

    def drop(self, name: str) -> None:
        for kind in ("ClusterRoleBinding", "ClusterRole"):
            self.kube.delete(kind, None, f"{self.namespace}-{name}")


@pytest.fixture
def accounts(own_place: Place, control_plane: ControlPlane, tmp_path: Path) -> Iterator[Accounts]:
    made = Accounts(own_place.kube, control_plane, own_place.namespace, tmp_path)
    made.make("operator", OPERATOR)
    made.make("reader", READER)
    yield made
    for name in ("operator", "reader"):
        made.drop(name)


@pytest.fixture
def doctor(accounts: Accounts, lenses: RunningLenses) -> Callable[..., Checks]:
    """As the reader, about the test's own namespace."""

    def run(*words: str, user: str = "reader", **variables: str) -> Checks:
        folder = accounts.folder / "run"
        folder.mkdir(exist_ok=True)
        line = CommandLine(folder, lenses.url, lenses.token, accounts.kubeconfig(user))
        return line.doctor("-n", accounts.namespace, *words, **variables)

    return run


def lease(namespace: str, renewed: datetime, holder: str = "pod-1") -> Object:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "payments-lenses-operator", "namespace": namespace},
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": 15,
            "renewTime": renewed.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        },
    }


def test_whoever_may_only_read_sees_everything(
    doctor: Callable[..., Checks], accounts: Accounts, own_place: Place
) -> None:
    own_place.apply("orders")
    own_place.kube.create(lease(own_place.namespace, datetime.now(UTC)))
    found = doctor("--service-account", f"{own_place.namespace}/operator")
    assert (found.code, found.verdicts("failed")) == (0, [])
    for check in ("lensesconnectors", "lensesconnectoroffsets"):
        assert found.one(check)["message"] == "connect.lenses.io/v1alpha1 is served and has every field"
    rights = [one for one in found.checks if one["group"] == "Kubernetes rights"]
    assert len(rights) == 8
    assert {one["verdict"] for one in rights} == {"ok"}
    assert "pod-1 holds lease" in found.one("operator")["message"]
    # The environment and the cluster come from the resource.
    assert found.one("clusters")["group"] == f"Environment {own_place.environment}"
    assert found.one("connect: plugins")["verdict"] == "ok"


def test_rights_that_are_missing(doctor: Callable[..., Checks], accounts: Accounts) -> None:
    """The reader's own are not enough for an operator."""
    found = doctor("--service-account", f"{accounts.namespace}/reader", "--environment", "none")
    user = f"system:serviceaccount:{accounts.namespace}:reader"
    missing = found.one("lensesconnectors.connect.lenses.io")
    assert missing["verdict"] == "failed"
    assert missing["message"] == (
        f"{user} may not watch, patch lensesconnectors.connect.lenses.io in {accounts.namespace}"
    )
    assert "ClusterRole" in missing["remedy"]
    assert f"can-i watch lensesconnectors.connect.lenses.io -n {accounts.namespace} --as={user}" in missing["remedy"]
    assert found.one("lensesconnectors.connect.lenses.io/status")["verdict"] == "failed"
    assert "configFrom" in found.one("secrets")["message"]
    assert found.one("events")["verdict"] == "warning"


def test_in_the_pod_the_account_is_its_own(doctor: Callable[..., Checks], accounts: Accounts) -> None:
    """With the chart's variables; of leases it may read this one alone."""
    accounts.kube.create(lease(accounts.namespace, datetime.now(UTC)))
    variables = {
        "KUBERNETES_SERVICE_HOST": "10.0.0.1",
        "LENSES_OPERATOR_LEADER_ELECTION": "true",
        "LENSES_OPERATOR_LEADER_ELECTION_NAMESPACE": accounts.namespace,
        "LENSES_OPERATOR_LEADER_ELECTION_NAME": "payments-lenses-operator",
    }
    found = doctor("--environment", "none", user="operator", **variables)
    rights = [one for one in found.checks if one["group"] == "Kubernetes rights"]
    assert (len(rights), {one["verdict"] for one in rights}) == (8, {"ok"})
    assert "pod-1 holds lease" in found.one("operator")["message"]


@pytest.mark.parametrize("variables", [{}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}], ids=["laptop", "pod"])
def test_the_cluster_may_be_named(accounts: Accounts, lenses: RunningLenses, variables: dict[str, str]) -> None:
    """Instead of the one around it. There the pod's own account is nobody."""
    line = CommandLine(accounts.folder, lenses.url, lenses.token, Path(os.devnull))
    words = ["-n", accounts.namespace, "--environment", "none", "--kubeconfig", str(accounts.kubeconfig("reader"))]
    found = line.doctor(*words, "--context", "local", **variables)
    assert found.one("lensesconnectors")["verdict"] == "ok"
    [whose] = [one for one in found.checks if one["group"] == "Kubernetes rights"]
    assert (whose["verdict"], whose["remedy"]) == ("not tried", "Give --service-account NAMESPACE/NAME.")
    found = line.doctor(*words, "--service-account", f"{accounts.namespace}/operator", **variables)
    rights = [one["verdict"] for one in found.checks if one["group"] == "Kubernetes rights"]
    assert (len(rights), "failed" in rights) == (8, False)


def test_an_account_that_is_none(doctor: Callable[..., Checks], accounts: Accounts) -> None:
    found = doctor("--service-account", f"{accounts.namespace}/nobody", "--environment", "none")
    [rights] = [one for one in found.checks if one["group"] == "Kubernetes rights"]
    assert rights["verdict"] == "failed"
    assert "may do nothing" in rights["message"]


def test_whoever_may_not_ask_hears_how_to(doctor: Callable[..., Checks], accounts: Accounts) -> None:
    """The operator's account may neither read the CRDs nor ask about others."""
    found = doctor("--service-account", f"{accounts.namespace}/operator", "--environment", "none", user="operator")
    assert "may not read the CRD" in found.one("lensesconnectors")["message"]
    [rights] = [one for one in found.checks if one["group"] == "Kubernetes rights"]
    assert rights["verdict"] == "not tried"
    assert "kubectl auth can-i get lensesconnectors.connect.lenses.io" in rights["remedy"]
    assert found.one("operator")["verdict"] == "not tried"


def test_what_does_not_go_on(doctor: Callable[..., Checks], own_place: Place) -> None:
    own_place.apply("orders")
    conditions: list[dict[str, Any]] = [
        {"type": "Ready", "status": "False", "reason": "ConfigInvalid", "message": "topic is missing"},
        {"type": "Stalled", "status": "True", "reason": "ConfigInvalid", "message": "topic is missing"},
    ]
    more = {"observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z"}
    status = {"observedGeneration": 1, "conditions": [condition | more for condition in conditions]}
    own_place.kube.patch("lc", own_place.namespace, "orders", {"status": status}, subresource="status")
    own_place.kube.create(lease(own_place.namespace, datetime(2020, 1, 1, tzinfo=UTC)))
    own_place.apply("payments", class_name="org.example.Sink", cluster="elsewhere")
    found = doctor("--service-account", f"{own_place.namespace}/operator")
    assert found.code == 1
    stalled = found.one("stalled")
    assert stalled["verdict"] == "warning"
    assert f"1 with reason ConfigInvalid: LensesConnector {own_place.namespace}/orders" in stalled["message"]
    assert "has not renewed" in found.one("operator")["message"]
    assert "does not know this cluster" in found.one("elsewhere: cluster info")["message"]


def test_a_class_that_is_not_installed(doctor: Callable[..., Checks], own_place: Place) -> None:
    own_place.apply("orders", class_name="org.apache.kafka.connect.file.FileStreamSorceConnector")
    missing = doctor("--service-account", f"{own_place.namespace}/operator").one("connect: plugins")
    assert missing["verdict"] == "failed"
    assert f"which {own_place.namespace}/orders asks for, is not installed" in missing["message"]
    assert "Nearest installed: org.apache.kafka.connect.file.FileStreamSourceConnector" in missing["remedy"]


def test_no_api_server(tmp_path: Path, lenses: RunningLenses) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: x, user: x}}]\n"
        "clusters: [{name: x, cluster: {server: 'http://127.0.0.1:1'}}]\nusers: [{name: x, user: {}}]\n"
    )
    found = CommandLine(tmp_path, lenses.url, lenses.token, kubeconfig).doctor()
    assert found.code == 1
    assert "no answer" in found.one("API server")["message"]
    assert "--skip-kubernetes" in found.one("API server")["remedy"]
    assert found.one("token")["verdict"] == "ok"  # tried on the list of environments


def test_a_kubeconfig_that_is_none(tmp_path: Path, lenses: RunningLenses) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text("clusters: [")
    found = CommandLine(tmp_path, lenses.url, lenses.token, kubeconfig).doctor("--environment", "none")
    assert "neither in-cluster nor kubeconfig" in found.one("API server")["message"]
