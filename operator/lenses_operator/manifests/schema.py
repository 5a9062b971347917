"""What the API server would refuse, found without one: the schemas of the CRDs, their rules, and metadata."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import yaml

from lenses_operator.domain.render import INT64
from lenses_operator.manifests.documents import Document, Place
from lenses_operator.manifests.nodes import Path
from lenses_operator.resources.connector_offsets import DURATION, SECONDS

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_WORD = r"[^\s/\\%?#{}\x00-\x1f\x7f]"
NAME = re.compile(rf"{_WORD}([^/\\%?#{{}}\x00-\x1f\x7f]*{_WORD})?", re.ASCII)
INT32 = range(-(2**31), 2**31)
LEAST, MOST = INT64[0], INT64[-1]  # a float is compared with the ends: looking it up in a range takes for ever
Found = Iterator[tuple[Path, str]]
Rule = Callable[[Any, Any], bool]
"""Of the value and the one before (None: there was none)."""


def refusals(document: Document, before: Mapping[str, Any] | None = None) -> list[tuple[Place, str]]:
    """Where and why. `before`: the object as it is in the cluster, for what cannot be changed."""
    schema = crd_schema(document.kind)
    body = {key: value for key, value in document.body.items() if key != "status"}
    found = [*_metadata(document), *_shape(schema, body), *_unknown(schema, body, ())]
    found = list(dict.fromkeys(found))
    if not found:
        found = list(_rules(schema, body, before, ()))
    return [(Place(document.file, problem.line), problem.message) for problem in document.problems] + [
        (document.place(path), message) for path, message in found
    ]


@cache
def crd_schema(kind: str) -> dict[str, Any]:
    """The schema of one of our kinds, from the CRD that is installed with this package."""
    for file in (resources.files("lenses_operator") / "crds").iterdir():
        crd = yaml.safe_load(file.read_text(encoding="utf-8"))
        if crd["spec"]["names"]["kind"] == kind:
            (version,) = crd["spec"]["versions"]
            found: dict[str, Any] = _anchored(version["schema"]["openAPIV3Schema"])
            return found
    raise LookupError(kind)


def _anchored(schema: Any) -> Any:
    """Go's `$` is the end of the text; Python's is also before a last newline."""
    if isinstance(schema, list):
        return [_anchored(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _anchored(value) for key, value in schema.items()}
    if isinstance(found.get("pattern"), str):
        found["pattern"] = re.sub(r"\$$", r"\\Z", found["pattern"])
    return found


@cache
def _validator(kind_schema: str) -> Any:
    return jsonschema.Draft4Validator(crd_schema(kind_schema))


def _metadata(document: Document) -> Found:
    if len(document.name) > 253 or not SUBDOMAIN.fullmatch(document.name):
        yield ("metadata", "name"), "metadata.name must be lower case letters, digits, - and ., at most 253"
    if len(document.namespace) > 63 or not LABEL.fullmatch(document.namespace):
        yield ("metadata", "namespace"), "metadata.namespace must be lower case letters, digits and -, at most 63"
    if not isinstance(document.body["metadata"].get("namespace"), str | None):
        yield ("metadata", "namespace"), "metadata.namespace must be text: quote it"
    for part in ("labels", "annotations"):
        texts = document.body["metadata"].get(part)
        if texts is None:
            continue
        if not isinstance(texts, Mapping):
            yield ("metadata", part), f"metadata.{part} must be a map"
            continue
        for key, value in texts.items():
            if not isinstance(value, str):
                yield ("metadata", part, key), f"metadata.{part}.{key} must be text: quote it"


def _shape(schema: Mapping[str, Any], body: Mapping[str, Any]) -> Found:
    validator = _validator(str(body["kind"]))
    for error in sorted(validator.iter_errors(body), key=lambda error: list(map(str, error.absolute_path))):
        yield from _explained(tuple(error.absolute_path), error)
    yield from _numbers(schema, body, ())


def _explained(path: Path, error: Any) -> Found:
    """In words for people. Values of `config` are never quoted: they may be secret."""
    where = ".".join(map(str, path))
    match error.validator:
        case "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            yield from ((path, f"{where}.{name} is missing".lstrip(".")) for name in missing)
        case "type" if error.instance is None:
            yield path, f"{where} has no value: give it one, or leave it out"
        case _ if path[:2] == ("spec", "config") and len(path) > 2:
            wrong = "is longer than 32768 characters" if error.validator == "maxLength" else _NO_SCALAR
            yield path, f"{where} {wrong}"
        case "enum" if error.instance is None:
            pass  # its type is complained of
        case "enum":
            yield path, f"{where} must be one of {', '.join(map(str, error.validator_value))}"
        case "type":
            yield path, f"{where} must be of type {error.validator_value}"
        case "minLength" | "minItems":
            yield path, f"{where} must not be empty"
        case "maxLength" | "maxItems":
            yield path, f"{where} is longer than {error.validator_value}"
        case "minimum":
            yield path, f"{where} must be at least {error.validator_value}"
        case "pattern" if path[-1] == "class":
            yield path, f"{where} must have no white space"
        case _:
            yield path, f"{where} does not fit {error.validator} {error.validator_value}"


_NO_SCALAR = "must be a string, an integer of 64 bits, or true or false: quote it"


def _numbers(schema: Mapping[str, Any], value: Any, path: Path) -> Found:
    """Sizes, which JSON schema takes for mere remarks."""
    for field, inner, below in _fields(schema, value, path):
        limit = INT32 if inner.get("format") == "int32" else INT64
        if isinstance(below, int) and below not in limit and "type" in inner:
            yield field, f"{'.'.join(map(str, field))} is too large a number"
        elif isinstance(below, int | float) and not LEAST <= below <= MOST and "multipleOf" in inner:
            yield field, f"{'.'.join(map(str, field))} {_NO_SCALAR}"
        yield from _numbers(inner, below, field)


def _fields(schema: Mapping[str, Any], value: Any, path: Path) -> Iterator[tuple[Path, Mapping[str, Any], Any]]:
    """(path, schema, value) of everything just below that the schema describes."""
    if isinstance(value, Mapping):
        known = schema.get("properties", {})
        other = schema.get("additionalProperties")
        for key, below in value.items():
            inner = known.get(key, other)
            if isinstance(inner, Mapping):
                yield (*path, key), inner, below
    elif isinstance(value, list) and "items" in schema:
        for index, below in enumerate(value):
            yield (*path, index), schema["items"], below


def _unknown(schema: Mapping[str, Any], value: Any, path: Path) -> Found:
    """Fields that would be pruned, or refused by a strict client."""
    if isinstance(value, Mapping) and "properties" in schema and not schema.get(_PRESERVE):
        for key in value:
            if key not in schema["properties"]:
                yield (*path, key), f"{'.'.join(map(str, (*path, key)))} is no field of this kind"
    for field, inner, below in _fields(schema, value, path):
        yield from _unknown(inner, below, field)


_PRESERVE = "x-kubernetes-preserve-unknown-fields"


def _rules(schema: Mapping[str, Any], value: Any, before: Any, path: Path) -> Found:
    for rule in schema.get("x-kubernetes-validations", ()):
        if not RULES[" ".join(rule["rule"].split())](value, before):
            field = (*path, *filter(None, rule.get("fieldPath", "").split(".")))
            where = ".".join(map(str, field))
            message = str(rule["message"])
            yield field, message if where and message.startswith(where) else f"{where}: {message}".lstrip(": ")
    for field, inner, below in _fields(schema, value, path):
        earlier = before.get(field[-1]) if isinstance(before, Mapping) else None
        yield from _rules(inner, below, earlier, field)


def _is_name(text: str, _: Any) -> bool:
    return NAME.fullmatch(text) is not None and text not in (".", "..")


def _same_name(spec: Mapping[str, Any], before: Mapping[str, Any] | None) -> bool:
    return before is None or spec.get("name") == before.get("name")


def _named(whole: Mapping[str, Any], _: Any) -> bool:
    return "name" in whole["spec"] or len(whole["metadata"]["name"]) <= 249


SOURCES = ("configMapRef", "secretRef", "configMapKeyRef", "secretKeyRef")

RULES: dict[str, Rule] = {
    "self == oldSelf": lambda value, before: before is None or value == before,
    "has(self.spec.name) || size(self.metadata.name) <= 249": _named,
    "has(self.name) == has(oldSelf.name) && (!has(self.name) || self.name == oldSelf.name)": _same_name,
    r"self.matches('^[^\\s/\\\\%?#{}\\x00-\\x1f\\x7f]([^/\\\\%?#{}\\x00-\\x1f\\x7f]*[^\\s/\\\\%?#{}\\x00-\\x1f\\x7f])?$')"
    " && self != '.' && self != '..'": _is_name,
    "[has(self.configMapRef), has(self.secretRef), has(self.configMapKeyRef), has(self.secretKeyRef)]"
    ".filter(x, x).size() == 1": lambda entry, _: sum(name in entry for name in SOURCES) == 1,
    "has(self.key) == (has(self.configMapKeyRef) || has(self.secretKeyRef))": lambda entry, _: (
        ("key" in entry) == ("configMapKeyRef" in entry or "secretKeyRef" in entry)
    ),
    "(has(self.action) && self.action == 'Alter') ? (has(self.offsets) != has(self.offsetsJson)) : true": (
        lambda spec, _: spec.get("action") != "Alter" or ("offsets" in spec) != ("offsetsJson" in spec)
    ),
    "(!has(self.action) || self.action != 'Alter') ? (!has(self.offsets) && !has(self.offsetsJson)) : true": (
        lambda spec, _: spec.get("action") == "Alter" or not ("offsets" in spec or "offsetsJson" in spec)
    ),
    "has(self.offset) != has(self.drop)": lambda entry, _: ("offset" in entry) != ("drop" in entry),
    "duration(self) >= duration('10s')": lambda text, _: (
        sum(float(number) * SECONDS[unit] for number, unit in DURATION.findall(text)) >= 10
    ),
}
"""Our equivalent of each CEL rule of the CRDs, by the rule's text: one that is new there must be known here."""
