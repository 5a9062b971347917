"""docs/reference.md from the custom resource definitions: `python -m harness.reference` writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from harness.paths import CRDS, ROOT
from lenses_operator.resources.connector import ConnectorSpec
from lenses_operator.resources.connector_offsets import OffsetsSpec

PAGE = ROOT / "docs" / "reference.md"
Schema = Mapping[str, Any]
HEAD = """# Reference

Every field of both kinds, written by `make docs` from the definitions in [crds/](../crds); in a cluster
`kubectl explain lensesconnector.spec` shows the same. What the fields are for is in [connectors](connectors.md),
[secrets](secrets.md), [adoption](adoption.md) and [offsets](offsets.md). `[]` stands for each entry of a list, `*` for
any key.
"""
RANGES = {"Length": " characters", "imum": "", "Items": " entries"}
"""Behind `min` and `max`."""
MODELS: Mapping[str, type[BaseModel]] = {"LensesConnector": ConnectorSpec, "LensesConnectorOffsets": OffsetsSpec}
"""The definitions hold no defaults, which tools that compare would take for drift: the operator has them."""


@dataclass(frozen=True)
class Field:
    """`path` as one writes it: `configFrom[].secretRef.name`."""

    path: str
    schema: Schema
    required: bool
    fixed: bool = False


def page() -> str:
    """Everything, in the order of the definitions."""
    definitions = [yaml.safe_load(file.read_text()) for file in sorted(CRDS.glob("*.yaml"), reverse=True)]
    return "\n".join([HEAD, *(line for one in definitions for line in _kind(one["spec"]))]) + "\n"


def _kind(spec: Schema) -> Iterator[str]:
    (version,) = spec["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    names = spec["names"]
    yield f"## {names['kind']}"
    yield ""
    yield _text(schema["description"])
    short, scope = names["shortNames"][0], spec["scope"].lower()
    yield f"`apiVersion: {spec['group']}/{version['name']}`, short name `{short}`, {scope}."
    for rule in _rules(schema):
        yield f"Rule: {_text(rule['message'])}."
    for part in ("spec", "status"):
        inside = schema["properties"][part]
        yield ""
        yield f"### {names['kind']} {part}"
        yield ""
        yield _text(inside["description"])
        yield ""
        yield "| field | type | value | description |"
        yield "|---|---|---|---|"
        defaults = dict(_defaults(MODELS[names["kind"]])) if part == "spec" else {}
        for field in _fields(inside):
            value = "; ".join(_values(field, defaults.get(field.path))).replace("|", "\\|")
            yield f"| `{field.path}` | {_type(field.schema)} | {value} | {_description(field.schema)} |"
        rules = [rule["message"] for rule in _rules(inside)]
        yield from ["", "Rules over several fields:", "", *(f"- {_text(rule)}" for rule in rules)] if rules else []
    yield ""


def _fields(schema: Schema, path: str = "") -> Iterator[Field]:
    required = schema.get("required", [])
    fixed = {rule.get("fieldPath", "").lstrip(".") for rule in _rules(schema) if _forbids_change(rule)}
    for name, inside in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield Field(here, inside, name in required, name in fixed or any(map(_forbids_change, _rules(inside))))
        yield from _below(inside, here)


def _below(schema: Schema, path: str) -> Iterator[Field]:
    if "items" in schema:
        if schema["items"].get("description") or schema["items"].get("x-kubernetes-validations"):
            yield Field(f"{path}[]", schema["items"], required=False)
        yield from _fields(schema["items"], f"{path}[]")
    elif isinstance(schema.get("additionalProperties"), Mapping):
        yield Field(f"{path}.*", schema["additionalProperties"], required=False)
    else:
        yield from _fields(schema, path)


def _type(schema: Schema) -> str:
    if "items" in schema:
        return f"list of {_type(schema['items'])}s"
    if "type" not in schema:
        return "string, integer or boolean"
    return str(schema["type"])


def _values(field: Field, default: object) -> Iterator[str]:
    """What it may be."""
    schema = field.schema
    if field.required:
        yield "required"
    if field.fixed:
        yield "immutable"
    if "enum" in schema:
        yield ", ".join(f"`{_word(one)}`" for one in schema["enum"])
    yield from _ranges(schema)
    if "multipleOf" in schema:
        yield "no fraction"
    if "pattern" in schema:
        yield f"matches `{schema['pattern']}`"
    if "format" in schema:
        yield str(schema["format"])
    if default is None:
        default = schema.get("default")
    if default is not None:
        yield f"default `{_word(default)}`"


def _ranges(schema: Schema) -> Iterator[str]:
    for end, unit in RANGES.items():
        least, most = schema.get(f"min{end}"), schema.get(f"max{end}")
        if least is not None and most is not None:
            yield f"{least} to {most}{unit}"
        elif least is not None:
            yield f"at least {least}{unit}"
        elif most:  # 0 entries: of a value that is no list at all
            yield f"at most {most}{unit}"


def _defaults(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, object]]:
    """By path, of what has one."""
    for name, field in model.model_fields.items():
        here = path + (field.alias or to_camel(name))
        if isinstance(field.default, BaseModel):
            yield from _defaults(type(field.default), f"{here}.")
        elif isinstance(field.default, str | int):
            yield here, field.default


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def _rules(schema: Schema) -> list[Schema]:
    return list(schema.get("x-kubernetes-validations", []))


def _forbids_change(rule: Schema) -> bool:
    return "oldSelf" in rule["rule"]


def _description(schema: Schema) -> str:
    """Its own words, and what its rules say beyond them."""
    rules = [_text(rule["message"]) for rule in _rules(schema) if not _forbids_change(rule)]
    parts = [
        _text(schema.get("description", "")),
        *(f"Rule: {rule}{'' if rule.endswith('.') else '.'}" for rule in rules),
    ]
    return " ".join(part for part in parts if part).replace("|", "\\|")


def _text(words: str) -> str:
    return " ".join(str(words).split()).replace("*", "\\*")


if __name__ == "__main__":
    PAGE.write_text(page())
