"""Does the CRD that is served know every field that this operator reads and writes?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel

Schema = Mapping[str, Any]


def missing_fields(model: type[BaseModel], schema: Schema, prefix: str = "") -> list[str]:
    """Paths of the model's fields that the schema lacks: the API server would prune them without a word."""
    if schema.get("x-kubernetes-preserve-unknown-fields") and "properties" not in schema:
        return []
    properties: Mapping[str, Schema] = schema.get("properties") or {}
    found: list[str] = []
    for name, field in model.model_fields.items():
        wire = field.alias or name
        if wire not in properties:
            found.append(prefix + wire)
            continue
        for inner in _models(field.annotation):
            below = properties[wire]
            found += missing_fields(inner, below.get("items", below), f"{prefix}{wire}.")
    return found


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models within `X`, `X | None`, `tuple[X, ...]`, `Annotated[X, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def served_schema(definition: Mapping[str, Any], version: str) -> Schema | None:
    """The schema of a CustomResourceDefinition's version, None where it is not served."""
    for found in definition["spec"]["versions"]:
        if found["name"] == version and found.get("served"):
            schema: Schema = (found.get("schema") or {}).get("openAPIV3Schema") or {}
            return schema
    return None


def has_status(definition: Mapping[str, Any], version: str) -> bool:
    """Whether status is a subresource, as the operator writes it."""
    return any(
        found["name"] == version and "status" in (found.get("subresources") or {})
        for found in definition["spec"]["versions"]
    )
