"""Which YAML is what, and what can be done with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import yaml

from harness.kinds import KINDS, OURS
from harness.kube import Object
from harness.paths import ROOT
from integration.docs.given import PART
from integration.docs.markdown import Block
from lenses_operator.policy_file import load_policy

SCHEMA = ROOT / "helm" / "lenses-operator" / "values.schema.json"
FOREIGN = ("fluxcd.io", "argoproj.io", "monitoring.coreos.com", "kustomize.config.k8s.io")
"""Groups of kinds that a cluster may have, and this one has not."""


def documents(text: str) -> list[Any]:
    return [document for document in yaml.safe_load_all(text) if document is not None]


def manifests(block: Block) -> list[Object]:
    """The objects of a block; a part of one made whole, and unique by its line."""
    found = documents(block.text)
    if block.note("part") is None:
        return found
    (part,) = found
    whole = merged(PART, part)
    whole["metadata"]["name"] = f"part-{block.line}"
    return [whole]


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = {key: merged(base[key], over[key]) for key in base.keys() & over.keys() if isinstance(over[key], Mapping)}
    return {**base, **over, **both}


def is_ours(manifest: Object) -> bool:
    return manifest.get("apiVersion") == OURS


def is_served(manifest: Object) -> bool:
    return manifest.get("kind") in KINDS


def _schema() -> dict[str, Any]:
    """Of the chart's values; it knows nothing where there is no chart."""
    return dict(json.loads(SCHEMA.read_text())) if SCHEMA.exists() else {"properties": {}}


def is_values(found: object) -> bool:
    """Whether it looks like values of the chart."""
    return isinstance(found, Mapping) and bool(found) and found.keys() <= _schema()["properties"].keys()


def check_values(found: object) -> None:
    jsonschema.validate(found, _schema())


def check_other(block: Block, found: Any, tmp_path: Path) -> None:
    """What is no object of the API server: policy files, roles in Lenses, values of the chart, objects of
    Flux and Argo CD."""
    assert isinstance(found, Mapping), f"{block}: what is this?"
    if "rules" in found and "kind" not in found:
        policy = tmp_path / "policy.yaml"
        policy.write_text(block.text)
        assert load_policy(policy).rules
    elif is_values(found):
        check_values(found)
    elif found.keys() == {"name", "policy"}:  # a role in Lenses
        assert all(statement.keys() == {"effect", "resource", "action"} for statement in found["policy"]), str(block)
    else:
        group = str(found.get("apiVersion", "")).partition("/")[0]
        known = group.endswith(FOREIGN) or all(key.startswith("resource.customizations") for key in found)
        assert known, f"{block}: say what this is by a comment above it, or make it a whole object"
