"""What is made of CRDs, rights, resources and leases."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest
import yaml

from harness.paths import CRDS
from lenses_operator.diagnosis import kubernetes, rights
from lenses_operator.diagnosis.kubernetes import AnyResource
from lenses_operator.diagnosis.results import Result, Verdict
from lenses_operator.diagnosis.rights import Account, Lease, Right
from lenses_operator.resources.connector import LensesConnector
from unit.resources.make import NOW

ACCOUNT = Account("ops", "lenses-operator")


def crd(kind: type[AnyResource]) -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load((CRDS / f"{kind.plural}.yaml").read_text())
    made["status"] = {"conditions": [{"type": "Established", "status": "True"}]}
    return made


@pytest.mark.parametrize("kind", kubernetes.KINDS)
def test_the_crds_of_this_version_fit(kind: type[AnyResource]) -> None:
    assert kubernetes.definition(kind, crd(kind)).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("spec", "tokenSecretRef"), "spec.tokenSecretRef"),
        (("spec", "configFrom", "items", "secretKeyRef", "optional"), "spec.configFrom.secretKeyRef.optional"),
        (("status", "appliedConfig", "notCompared"), "status.appliedConfig.notCompared"),
        (("status", "refusedConfig"), "status.refusedConfig"),
    ],
)
def test_a_field_that_is_missing_is_named(path: tuple[str, ...], said: str) -> None:
    old = crd(LensesConnector)
    schema = old["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for step in path[:-1]:
        schema = schema["items"] if step == "items" else schema["properties"][step]
    del schema["properties"][path[-1]]
    result = kubernetes.definition(LensesConnector, old)
    assert result.verdict is Verdict.FAILED
    assert said in result.message
    assert "crds/" in result.remedy


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda made: made["spec"]["versions"][0].update(served=False), "v1alpha1 is not served"),
        (lambda made: made["spec"]["versions"][0].pop("subresources"), "no status subresource"),
        (lambda made: made.pop("status"), "not established"),
    ],
)
def test_a_crd_that_does_not_serve(change: Any, words: str) -> None:
    made = copy.deepcopy(crd(LensesConnector))
    change(made)
    assert words in kubernetes.definition(LensesConnector, made).message


def test_a_kind_that_is_not_there() -> None:
    assert "not installed" in kubernetes.definition(LensesConnector, None).message
    assert "not installed" in kubernetes.kind_problem("lensesconnectors", 404, "").message
    assert "may not list" in kubernetes.kind_problem("lensesconnectors", 403, "").message


def lease(seconds: float, holder: str = "pod-1") -> dict[str, Any]:
    renewed = (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {
        "metadata": {"namespace": "ops", "name": "lenses-operator"},
        "spec": {"holderIdentity": holder, "renewTime": renewed},
    }


@pytest.mark.parametrize(
    ("leases", "verdict", "words"),
    [
        ([lease(2)], Verdict.OK, "pod-1 holds lease ops/lenses-operator"),
        ([lease(600)], Verdict.FAILED, "has not renewed lease ops/lenses-operator for 600 s"),
        ([lease(2, holder="")], Verdict.FAILED, "nobody holds"),
        ([lease(600), lease(1)], Verdict.OK, "pod-1 holds"),
        ([{"metadata": {"namespace": "ops", "name": "x"}}], Verdict.FAILED, "nobody holds"),
        ([], Verdict.SKIPPED, "no lease"),
    ],
)
def test_the_operator(leases: list[dict[str, Any]], verdict: Verdict, words: str) -> None:
    result = kubernetes.operator(leases, NOW)
    assert result.verdict is verdict
    assert words in result.message


def test_what_an_operator_needs() -> None:
    """Own kinds everywhere; Secrets where resources are; the lease by its name."""
    found = rights.needed((), ["payments"], Lease("ops", "lenses"))
    assert Right("patch", "lensesconnectors", "", "connect.lenses.io", "status") in found
    assert {one.namespace for one in found if one.resource == "secrets"} == {"payments"}
    assert {(one.verb, one.name) for one in found if one.resource == "leases"} == {
        ("create", ""),
        ("get", "lenses"),
        ("update", "lenses"),
    }
    assert not any(one.resource == "leases" for one in rights.needed((), (), None))
    assert {one.namespace for one in rights.needed(["a", "b"], ["c"], None)} == {"a", "b"}


def test_watching_references_takes_more() -> None:
    found = [one for one in rights.needed((), ["a", "b"], None, watching=True) if one.resource == "secrets"]
    assert {(one.verb, one.namespace) for one in found} == {("get", "a"), ("get", "b"), ("list", ""), ("watch", "")}
    found = rights.needed(["a"], (), None, watching=True)
    assert {(one.verb, one.namespace) for one in found if one.resource == "configmaps"} == {
        ("get", "a"),
        ("list", "a"),
        ("watch", "a"),
    }


def denied(*verbs: str, resource: str) -> list[Result]:
    wanted = rights.needed(["payments"], (), Lease("ops", "lenses"))
    answers = {one: not (one.resource == resource and one.verb in verbs and not one.subresource) for one in wanted}
    return [one for one in rights.judge(answers, "it", ACCOUNT) if one.verdict is not Verdict.OK]


def test_a_right_that_is_missing() -> None:
    [result] = denied("watch", "patch", resource="lensesconnectors")
    assert result.verdict is Verdict.FAILED
    assert result.message == "it may not watch, patch lensesconnectors.connect.lenses.io in payments"
    assert (
        "kubectl auth can-i watch lensesconnectors.connect.lenses.io -n payments "
        "--as=system:serviceaccount:ops:lenses-operator"
    ) in result.remedy


@pytest.mark.parametrize(
    ("resource", "verdict", "command"),
    [
        ("secrets", Verdict.FAILED, "can-i get secrets -n payments"),
        ("leases", Verdict.WARNING, "can-i get leases.coordination.k8s.io/lenses -n ops"),
        ("events", Verdict.OK, ""),
    ],
)
def test_what_a_missing_right_keeps_from(resource: str, verdict: Verdict, command: str) -> None:
    found = denied("get", resource=resource)
    assert [one.verdict for one in found] == ([] if verdict is Verdict.OK else [verdict])
    assert all(command in one.remedy for one in found)


def test_an_account_without_any_right() -> None:
    wanted = rights.needed((), (), None)
    [result] = rights.judge(dict.fromkeys(wanted, False), "it", ACCOUNT)
    assert "may do nothing" in result.message
