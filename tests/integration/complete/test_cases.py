"""The given cases: manifests from practice, applied with kubectl, and the create request each has to lead to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from harness.kube import Kube
from harness.kubectl import Kubectl
from harness.lenses.control import Json
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import Operators, Place, conditions, message
from harness.paths import ROOT
from harness.waiting import wait_until

GIVEN = ROOT / "tests" / "data" / "cases" / "given"
WANTED = sorted(GIVEN.glob("c*.expected.json"))
BY_API_SERVER = {
    "x03-map-value": "topic.namespace.map",
    "x05-float-fraction": "consumer.override.sasl.login.refresh.window.factor",
    "x07-empty-map": "consumer.override.ssl",
}
BY_OPERATOR = {
    "x01-reserved-tasks-max": ("'tasks.max'", "spec.config"),
    "x10-reserved-in-configmap": ("'connector.class'", "'tasks.max'", "ConfigMap shared"),
}
CLUSTER = "connect-eu"


@dataclass(frozen=True)
class Case:
    """Namespace and environment as the text says; reading YAML is kubectl's business here."""

    manifest: Path
    body: Json | None

    def word(self, key: str) -> str:
        found = re.search(rf"\b{key}: ([\w-]+)", self.manifest.read_text())
        assert found is not None, self.manifest
        return found[1]


def rejected(name: str) -> Case:
    return Case(GIVEN / f"{name}.rejected.yaml", None)


CASES = [
    Case(file.with_name(file.name.replace(".expected.json", ".yaml")), json.loads(file.read_text())) for file in WANTED
]
REJECTED = [rejected(name) for name in BY_OPERATOR]


@pytest.fixture
def stage(operator_kube: Kube, lenses: RunningLenses, operators: Operators) -> Iterator[dict[tuple[str, str], Place]]:
    """By namespace and environment; every cluster takes the classes of its cases."""
    clusters: dict[str, dict[str, set[str]]] = {}
    for case in CASES:
        assert case.body is not None
        classes = clusters.setdefault(case.word("environment"), {}).setdefault(case.body["cluster"], set())
        classes.add(case.body["configuration"]["connector.class"])
    for environment, found in clusters.items():
        settings = {name: {"backend": "memory", "plugins": sorted(classes)} for name, classes in found.items()}
        lenses.control.add_environment(environment, settings)
    where = {(case.word("namespace"), case.word("environment")) for case in (*CASES, *REJECTED)}
    namespaces = sorted({namespace for namespace, _ in where})
    for name in namespaces:
        # Under another persona there was one of this name a moment ago.
        wait_until(f"namespace {name} to be gone", partial(_gone, operator_kube, name), 60)
        operator_kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    operators.start(*namespaces, DRIFT_INTERVAL=3600)
    places = {(ns, env): Place(operator_kube, lenses.control, ns, env, {}, CLUSTER) for ns, env in where}
    yield places
    for place in places.values():
        place.leave()


def _gone(kube: Kube, namespace: str) -> bool:
    return kube.get("Namespace", None, namespace) is None


def test_there_are_twenty() -> None:
    assert len(CASES) == 20
    names = {case.manifest.name for case in map(rejected, (*BY_API_SERVER, *BY_OPERATOR))}
    assert names == {file.name for file in GIVEN.glob("x*")}


def test_every_case(stage: dict[tuple[str, str], Place], kubectl: Kubectl) -> None:
    files = [f"--filename={case.manifest}" for case in (*CASES, *REJECTED)]
    marks = {place.environment: place.mark() for place in stage.values()}  # under another persona they came before
    kubectl("apply", *files)
    wrong = {}
    for case in CASES:
        place, expected = stage[case.word("namespace"), case.word("environment")], case.body
        assert expected is not None
        since = marks[place.environment]
        place.wait_request("CreateConnector", expected["name"], since=since)
        (request,) = place.requests("CreateConnector", connector=expected["name"], since=since)
        body = dict(request["body"])
        if "name" not in expected["configuration"] and body["configuration"].get("name") == expected["name"]:
            body["configuration"] = {k: v for k, v in body["configuration"].items() if k != "name"}
        if body != expected:
            wrong[case.manifest.name] = (body, expected)
    assert wrong == {}
    for case in REJECTED:
        name = case.manifest.name.removesuffix(".rejected.yaml")
        place = stage[case.word("namespace"), case.word("environment")]
        found = place.wait_reason("ConfigInvalid", name[:3])
        for words in BY_OPERATOR[name]:
            assert words in message(found)
        assert set(conditions(found)) == {"Ready", "Stalled"}
        sent = place.requests(
            "ValidateConnector", "CreateConnector", connector=name[:3], since=marks[place.environment]
        )
        assert sent == []


@pytest.mark.parametrize(("name", "key"), BY_API_SERVER.items(), ids=BY_API_SERVER.keys())
def test_refused_by_the_api_server(own_place: Place, kubectl: Kubectl, name: str, key: str) -> None:
    manifest = rejected(name).manifest.read_text()
    assert "REJECTED by the API server" in manifest
    text = re.sub(r"namespace: [\w-]+", f"namespace: {own_place.namespace}", manifest)
    done = kubectl.run("apply", "-f", "-", stdin=text)
    assert done.returncode != 0
    assert f"spec.config.{key}" in done.stderr
    assert own_place.kube.list("lc", own_place.namespace) == []
