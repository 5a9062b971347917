"""Requests and responses held against the OpenAPI file.

Responses are checked more strictly than OpenAPI asks: a field the file does not name is a violation too, so the server
cannot drift into a private dialect; what a persona shows beyond the file is exempt (`Answer.foreign`). Error statuses
the file does not list (409, 429, 502, 503 happen behind proxies) must still have the agent's or HQ's shape.
"""

from __future__ import annotations

import functools
import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import yaml

from harness.lenses import exactjson
from harness.lenses.answers import JSON, PROBLEM, YAML
from harness.lenses.operations import (
    GET_ENVIRONMENT,
    GET_RESOURCE,
    LIST_ENVIRONMENTS,
    PUT_RESOURCE,
    routes,
    spec,
    target_of,
)

PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["title", "status"],
    "properties": {"type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}},
}
_GOOD_LOOKS: set[Any] = set()
ENVIRONMENT_SCHEMA = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
TEXT_MAP = {"type": "object", "additionalProperties": {"type": "string"}}
BESIDE_SCHEMAS: dict[str, Any] = {
    GET_ENVIRONMENT: ENVIRONMENT_SCHEMA,
    LIST_ENVIRONMENTS: {
        "type": "object",
        "required": ["items"],
        "properties": {"items": {"type": "array", "items": ENVIRONMENT_SCHEMA}},
    },
    GET_RESOURCE: {
        "type": "object",
        "required": ["apiVersion", "kind", "spec"],
        "properties": {"spec": {"type": "object", "required": ["cluster", "name"], "properties": {"config": TEXT_MAP}}},
    },
}


class NotConformingError(Exception):
    """The server was about to say something the OpenAPI file does not allow."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


def expand(schema: Any, *, closed: bool) -> Any:
    """A schema with its references written out (there are no cycles) and, where `closed`, no room for other fields."""
    if isinstance(schema, list):
        return [expand(item, closed=closed) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return expand(spec()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], closed=closed)
    out = {key: expand(value, closed=closed) for key, value in schema.items()}
    if closed and isinstance(out.get("properties"), dict) and out.get("type") == "object":
        out.setdefault("additionalProperties", False)
    return out


@functools.cache
def _operation(operation: str) -> dict[str, Any]:
    for methods in spec()["paths"].values():
        for entry in methods.values():
            if entry["operationId"] == operation:
                found: dict[str, Any] = entry
                return found
    return {}


def _validator(schema: Any) -> jsonschema.Draft4Validator:
    return jsonschema.Draft4Validator(schema)


@functools.cache
def _request_validator(operation: str) -> jsonschema.Draft4Validator | None:
    body = _operation(operation).get("requestBody")
    if body is None:
        return None
    return _validator(expand(body["content"][JSON]["schema"], closed=False))


@functools.cache
def _response_validator(operation: str, status: int) -> jsonschema.Draft4Validator:
    responses = _operation(operation).get("responses", {})
    if str(status) in responses:
        return _validator(expand(responses[str(status)]["content"][JSON]["schema"], closed=True))
    if status < 300:
        return _validator(BESIDE_SCHEMAS.get(operation, {"type": "object"}))
    return _validator(expand({"$ref": "#/components/schemas/agent_InternalError"}, closed=True))


@functools.cache
def _item_validator() -> jsonschema.Draft4Validator:
    return _validator(expand({"$ref": "#/components/schemas/agent_HttpConnectorListItem"}, closed=True))


def _messages(validator: jsonschema.Draft4Validator, value: Any) -> list[str]:
    return [
        f"{'/'.join(map(str, error.absolute_path)) or 'body'}: {error.message}"
        for error in validator.iter_errors(value)
    ]


def check_list_item(item: Any) -> list[str]:
    """One entry of the connector list. Thousands of them look alike and the schema sees only keys, types and the words
    for states, so each such look is validated once."""
    look = _look(item)
    if look in _GOOD_LOOKS:
        return []
    found = _messages(_item_validator(), item)
    if not found and len(_GOOD_LOOKS) < 10_000:
        _GOOD_LOOKS.add(look)
    return found


def _look(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((key, item if key == "state" else _look(item)) for key, item in value.items())
    if isinstance(value, list):
        return list, tuple(_look(item) for item in value)
    return type(value)


def request_errors(operation: str, body: Any) -> list[tuple[str, str]]:
    """What is wrong with a request's parsed body, as (field, message) pairs."""
    validator = _request_validator(operation)
    if validator is None:
        return []
    return [(".".join(map(str, e.absolute_path)) or "body", e.message) for e in validator.iter_errors(body)]


def check_request(method: str, path: str, body: bytes | None = None) -> list[str]:
    """Violations of a request line and body; an empty list means that it conforms."""
    target = target_of(method, path)
    if target.operation is None:
        return [f"{method} {path}: no such operation"]
    found = _parameter_errors(target.operation, target.params)
    allowed = {p["name"] for p in _operation(target.operation).get("parameters", []) if p["in"] == "query"}
    found += [f"query {name}: unknown" for name in target.query if name not in allowed]
    if target.operation == PUT_RESOURCE:
        return found
    if _request_validator(target.operation) is None:
        return found + ([f"{target.operation}: takes no body"] if body and body.strip() not in (b"{}", b"null") else [])
    try:
        parsed = exactjson.loads(body or b"")
    except ValueError as error:
        return [*found, f"body: {error}"]
    return found + [f"{where}: {message}" for where, message in request_errors(target.operation, parsed)]


def _parameter_errors(operation: str, params: dict[str, str]) -> list[str]:
    found = []
    for parameter in _operation(operation).get("parameters", []):
        if parameter["in"] != "path":
            continue
        value: Any = params[parameter["name"]]
        schema = expand(parameter["schema"], closed=False)
        if schema.get("type") == "integer" and value.lstrip("-").isdigit():
            value = int(value)
        found += [f"path {parameter['name']}: {m}" for m in _messages(_validator(schema), value)]
    return found


def parameter_errors(operation: str, params: dict[str, str]) -> list[str]:
    """What is wrong with a request's path parameters."""
    return _parameter_errors(operation, params)


def check_response(operation: str, status: int, content_type: str, body: bytes) -> list[str]:
    """Violations of a response to an operation; an empty list means that it conforms."""
    media = content_type.partition(";")[0].strip()
    if operation == PUT_RESOURCE and status == 204:
        return [] if not body else ["a body with status 204"]
    if operation == GET_RESOURCE and status < 300:
        return _yaml_errors(operation, media, body)
    if media not in (JSON, PROBLEM):
        return [f"content type {content_type!r}"]
    try:
        parsed = json.loads(body)
    except ValueError as error:
        return [f"body: {error}"]
    if media == PROBLEM:
        wrong = [] if status >= 400 else [f"a problem with status {status}"]
        return wrong + _messages(_validator(PROBLEM_SCHEMA), parsed)
    responses = _operation(operation).get("responses", {})
    if responses and status < 400 and str(status) not in responses:
        return [f"status {status} is not one of {sorted(responses)}"]
    return _messages(_response_validator(operation, status), parsed)


def _yaml_errors(operation: str, media: str, body: bytes) -> list[str]:
    if media != YAML:
        return [f"content type {media!r}"]
    return _messages(_response_validator(operation, 200), yaml.safe_load(body))


def check_declared(operation: str, status: int, content_type: str) -> list[str]:
    """Violations of the file to the letter: a status or a content type that it does not name."""
    responses = _operation(operation).get("responses", {})
    if not responses:
        return []
    found = [] if str(status) in responses else [f"status {status} is not declared"]
    return found if content_type == JSON else [*found, f"content type {content_type!r} is not declared"]


def operations_in_spec() -> list[str]:
    """The operations the file describes, without what Lenses offers beside them."""
    return [route.operation for route in routes() if _operation(route.operation)]
