"""What the API server refuses already, with a message that names the field, whichever way a manifest is applied."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml

from harness.kube import Object
from harness.kubectl import Kubectl
from harness.operator_fixtures import Place, conditions, message
from harness.paths import ROOT

CASES = ROOT / "tests" / "data" / "cases"
WAYS = {"client-side": ["apply", "-f", "-"], "server-side": ["apply", "--server-side", "-f", "-"]}

Apply = Callable[[Object], "subprocess.CompletedProcess[str]"]


@pytest.fixture(params=list(WAYS.values()), ids=list(WAYS))
def apply(request: pytest.FixtureRequest, kubectl: Kubectl) -> Apply:
    """As people apply: with kubectl, which drops and converts on its way what it drops and converts."""
    return lambda manifest: kubectl.run(*request.param, stdin=yaml.safe_dump(manifest, allow_unicode=True))


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode != 0, done.stdout
    for word in words:
        assert word in done.stderr


CONFIG: Mapping[str, Any] = {"file": "/dev/null", "topic": "lines"}
REFUSED: Mapping[str, tuple[Mapping[str, Any], tuple[str, ...]]] = {
    "fraction": ({"config": {**CONFIG, "rate": 0.8}}, ("spec.config.rate", "multiple of 1")),
    "map": ({"config": {**CONFIG, "map": {"a": "b"}}}, ("spec.config.map",)),
    "list": ({"config": {**CONFIG, "list": ["a"]}}, ("spec.config.list",)),
    "empty-map": ({"config": {**CONFIG, "ssl": {}}}, ("spec.config.ssl",)),
    "empty-list": ({"config": {**CONFIG, "ssl": []}}, ("spec.config.ssl",)),
    "beyond-64-bit": ({"config": {**CONFIG, "big": 2**70}}, ("spec.config.big",)),
    "too-long-a-value": ({"config": {**CONFIG, "sql": "x" * 32769}}, ("spec.config.sql", "32768")),
    "tasks-0": ({"tasksMax": 0}, ("spec.tasksMax", "greater than or equal to 1")),
    "tasks-text": ({"tasksMax": "3"}, ("spec.tasksMax",)),
    "class-missing": ({"class": None}, ("spec.class", "Required")),
    "class-newline": ({"class": "org.example.Sink\n"}, ("spec.class",)),
    "class-space": ({"class": "org.example Sink"}, ("spec.class",)),
    "class-empty": ({"class": ""}, ("spec.class",)),
    "environment-missing": ({"environment": None}, ("spec.environment", "Required")),
    "environment-empty": ({"environment": ""}, ("spec.environment",)),
    "cluster-missing": ({"cluster": None}, ("spec.cluster", "Required")),
    "cluster-slash": ({"cluster": "a/b"}, ("spec.cluster", "must have none of")),
    "state": ({"state": "RUNNING"}, ("spec.state", '"running"')),
    "deletion-policy": ({"deletionPolicy": "Orphan"}, ("spec.deletionPolicy", '"Retain"')),
    "unknown-field": ({"connectorClass": "x"}, ("connectorClass",)),
}
BAD_NAMES = (
    *("", " a", "a ", "a\n", "\ta", ".", "..", "a/b", "a\\b", "a%b", "a?b", "a#b", "a{b}", "a\x07b", "a\tb"),
    "x" * 250,
)
GOOD_NAMES = ("a", "a b", "a->b", "east->west.Mirror", "ä.ö", "a:b", "a@b", "...", ".a", "x" * 249)


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_refused(own_place: Place, apply: Apply, case: tuple[dict[str, Any], tuple[str, ...]]) -> None:
    tweak, words = case
    refused(apply(own_place.manifest(**tweak)), *words)
    assert own_place.get() is None


def test_bad_names(own_place: Place, apply: Apply) -> None:
    for number, name in enumerate(BAD_NAMES):
        refused(apply(own_place.manifest(f"n{number}", name=name)), "spec.name")
    assert own_place.kube.list("lc", own_place.namespace) == []


def test_good_names(own_place: Place, apply: Apply) -> None:
    for number, name in enumerate(GOOD_NAMES):
        done = apply(own_place.manifest(f"n{number}", name=name))
        assert done.returncode == 0, f"{name!r}: {done.stderr}"
    assert {found["spec"]["name"] for found in own_place.kube.list("lc", own_place.namespace)} == set(GOOD_NAMES)


def test_a_long_object_name_needs_spec_name(own_place: Place, apply: Apply) -> None:
    refused(apply(own_place.manifest("a" * 253)), "metadata.name is longer than the 249 characters", "spec.name")
    assert apply(own_place.manifest("a" * 253, name="a")).returncode == 0
    assert apply(own_place.manifest("a" * 249)).returncode == 0


@pytest.mark.parametrize("field", ["environment", "cluster", "name"])
def test_immutable(own_place: Place, apply: Apply, field: str) -> None:
    assert apply(own_place.manifest(name="first")).returncode == 0
    refused(
        apply(own_place.manifest(**{"name": "first", field: "second"})),
        f"spec.{field}",
        "cannot be changed",
        "make a new LensesConnector",
    )


def test_name_is_not_added_or_removed(own_place: Place, apply: Apply) -> None:
    assert apply(own_place.manifest("named", name="first")).returncode == 0
    refused(apply(own_place.manifest("named")), "spec.name cannot be changed, added or removed")
    assert apply(own_place.manifest("unnamed")).returncode == 0
    refused(apply(own_place.manifest("unnamed", name="unnamed")), "spec.name cannot be changed, added or removed")


def test_scalars_are_taken(own_place: Place, apply: Apply) -> None:
    config = {**CONFIG, "int": 2**63 - 1, "negative": -5, "yes": True, "empty": "", "text": "0.8", "json": '{"a": 1.0}'}
    done = apply(own_place.manifest(config=config))
    assert done.returncode == 0, done.stderr
    found = own_place.get()
    assert found is not None
    assert found["spec"]["config"] == config
    assert found["status"] == {"observedGeneration": -1}


def test_status_is_not_taken_from_a_manifest(own_place: Place, apply: Apply) -> None:
    manifest = own_place.manifest()
    manifest["status"] = {"observedGeneration": 7, "ownership": {"state": "Owned"}}
    assert apply(manifest).returncode == 0
    found = own_place.get()
    assert found is not None
    assert found["status"] == {"observedGeneration": -1}


def _case(place: Place, file: str) -> Object:
    manifest: Object = yaml.safe_load((CASES / file).read_text())
    manifest["metadata"] |= {"namespace": place.namespace, "labels": dict(place.labels)}
    return manifest


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("x03-map-value.rejected.yaml", "topic.namespace.map"),
        ("x05-float-fraction.rejected.yaml", "consumer.override.sasl.login.refresh.window.factor"),
        ("x07-empty-map.rejected.yaml", "consumer.override.ssl"),
    ],
)
def test_given_cases(own_place: Place, apply: Apply, file: str, key: str) -> None:
    refused(apply(_case(own_place, file)), f"spec.config.{key}")


def test_a_reserved_key_is_refused_by_the_operator(place: Place, apply: Apply) -> None:
    """No rule can name the key in its message, so admission lets it pass."""
    manifest = _case(place, "x01-reserved-tasks-max.rejected.yaml")
    manifest["spec"]["environment"] = place.environment
    assert apply(manifest).returncode == 0
    found = place.wait_reason("ConfigInvalid", "x01", about="'tasks.max'")
    assert "spec.tasksMax" in message(found)
    assert set(conditions(found)) == {"Ready", "Stalled"}
    assert place.writes() == []
    assert place.requests("ValidateConnector") == []
