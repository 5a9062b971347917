"""What kustomize, as kubectl carries it, makes of our kinds with the configuration in gitops/kustomize."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.kubectl import Kubectl
from harness.paths import CRDS, ROOT

CONFIGURATION = ROOT / "gitops" / "kustomize" / "name-references.yaml"
GROUP = "connect.lenses.io"
KUSTOMIZATION = """\
namePrefix: eu-
configurations: [name-references.yaml]
resources: [objects.yaml]
secretGenerator: [{name: keys, literals: [password=p]}]
configMapGenerator: [{name: defaults, literals: [topic=lines]}]
"""


def references(schema: dict[str, Any], path: str = "spec") -> Iterator[str]:
    """Every field of the definition that names an object, as kustomize writes it."""
    for name, field in (schema.get("properties") or {}).items():
        if name.endswith("Ref"):
            yield f"{path}/{name}/name"
        yield from references(field, f"{path}/{name}")
    if "items" in schema:
        yield from references(schema["items"], path)


def connector() -> dict[str, Any]:
    sources = [
        {"secretRef": {"name": "keys"}},
        {"configMapRef": {"name": "defaults"}},
        {"key": "a", "secretKeyRef": {"name": "keys", "key": "password"}},
        {"key": "b", "configMapKeyRef": {"name": "defaults", "key": "topic"}},
        {"secretRef": {"name": "elsewhere"}},
    ]
    spec = {"environment": "prod", "cluster": "connect", "class": "FileStreamSource", "config": {}}
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "LensesConnector",
        "metadata": {"name": "orders"},
        "spec": {**spec, "configFrom": sources, "tokenSecretRef": {"name": "keys", "key": "password"}},
    }


def offsets() -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "LensesConnectorOffsets",
        "metadata": {"name": "watch"},
        "spec": {"connectorRef": {"name": "orders"}},
    }


def built(folder: Path, kubectl: Kubectl) -> dict[str, dict[str, Any]]:
    """By kind."""
    (folder / "objects.yaml").write_text(yaml.safe_dump_all([connector(), offsets()]))
    (folder / "kustomization.yaml").write_text(KUSTOMIZATION)
    shutil.copy(CONFIGURATION, folder)
    return {found["kind"]: found for found in yaml.safe_load_all(kubectl("kustomize", str(folder)))}


@pytest.fixture
def alone(tmp_path: Path) -> Kubectl:
    """It builds without a cluster."""
    return Kubectl(tmp_path / "no-kubeconfig")


def test_what_names_an_object_is_renamed_with_it(tmp_path: Path, alone: Kubectl) -> None:
    found = built(tmp_path, alone)
    secret, config_map = (found[kind]["metadata"]["name"] for kind in ("Secret", "ConfigMap"))
    assert secret.startswith("eu-keys-")
    assert found["LensesConnectorOffsets"]["spec"]["connectorRef"] == {"name": "eu-orders"}
    spec = found["LensesConnector"]["spec"]
    assert spec["tokenSecretRef"]["name"] == secret
    named = [
        next(value["name"] for value in source.values() if isinstance(value, dict)) for source in spec["configFrom"]
    ]
    assert named == [secret, config_map, secret, config_map, "elsewhere"]


def test_every_reference_of_the_definitions_is_in_the_configuration() -> None:
    specs = yaml.safe_load(CONFIGURATION.read_text())["nameReference"]
    known = {(one["kind"], one["path"]) for referred in specs for one in referred["fieldSpecs"]}
    wanted = set()
    for file in CRDS.glob("*.yaml"):
        definition = yaml.safe_load(file.read_text())["spec"]
        schema = definition["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
        wanted |= {(definition["names"]["kind"], path) for path in references(schema)}
    assert known == wanted
