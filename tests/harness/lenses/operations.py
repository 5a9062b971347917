"""The routes, read from the OpenAPI file, and what a request addresses."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote

SPEC_FILE = Path(__file__).resolve().parents[2] / "data" / "lenses-openapi.json"
ENVIRONMENT = "/api/v1/environments/{environment}"
LIST_ENVIRONMENTS = "ListEnvironments"
GET_ENVIRONMENT = "GetEnvironment"
GET_RESOURCE = "GetResource"
PUT_RESOURCE = "PutResource"
RESOURCE = f"{ENVIRONMENT}/proxy/api/v1/resource"
BESIDE = (
    ("GET", "/api/v1/environments", LIST_ENVIRONMENTS),
    ("GET", ENVIRONMENT, GET_ENVIRONMENT),
    ("GET", f"{RESOURCE}/kafka/connect/{{cluster}}/connector/{{name}}", GET_RESOURCE),
    ("PUT", RESOURCE, PUT_RESOURCE),
)
"""What Lenses offers beside the 13 operations of the file."""
CHANGING = frozenset(
    {
        "CreateConnector",
        "DeleteConnector",
        "ConnectorState",
        "ConnectorTaskRestart",
        "AlterConnectorOffsets",
        "ResetConnectorOffsets",
        PUT_RESOURCE,
    }
)


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    template: str
    pattern: re.Pattern[str]
    operation: str


@dataclass(slots=True)
class Target:
    """The operation and what its path and query name; names are decoded once."""

    operation: str | None = None
    params: dict[str, str] = field(default_factory=dict)
    query: dict[str, list[str]] = field(default_factory=dict)
    wrong_method: bool = False

    @property
    def environment(self) -> str | None:
        return self.params.get("environment")


@functools.cache
def spec() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SPEC_FILE.read_text())
    return loaded


def compile_template(template: str) -> re.Pattern[str]:
    """A path template as a pattern over the raw, still encoded path."""
    parts = [f"(?P<{p[1:-1]}>[^/]+)" if p.startswith("{") else re.escape(p) for p in template.split("/")]
    return re.compile("/".join(parts))


@functools.cache
def routes() -> tuple[Route, ...]:
    found = [
        Route(method.upper(), template, compile_template(template), operation["operationId"])
        for template, methods in spec()["paths"].items()
        for method, operation in methods.items()
    ]
    found += [Route(method, template, compile_template(template), operation) for method, template, operation in BESIDE]
    return tuple(found)


def path_of(operation: str, **params: str | int) -> str:
    """The path of an operation with its names encoded once, as a client has to."""
    for route in routes():
        if route.operation == operation:
            encoded = {key: quote(str(value), safe="") for key, value in params.items()}
            return route.template.format(**encoded)
    raise ValueError(f"no operation {operation}")


def method_of(operation: str) -> str:
    return next(route.method for route in routes() if route.operation == operation)


def checked_operations(given: str | list[str] | None) -> list[str] | None:
    """Operation names as a list; a name that is none is a mistake of the test, which would wait for ever."""
    if given is None:
        return None
    names = [given] if isinstance(given, str) else given
    unknown = set(names) - {route.operation for route in routes()}
    if unknown:
        raise ValueError(f"no such operation: {', '.join(sorted(unknown))}")
    return names


def target_of(method: str, raw_path: str) -> Target:
    """Which operation a request line means; without one, still the environment it names (for the log)."""
    path, _, query = raw_path.partition("?")
    target = Target(query=parse_qs(query, keep_blank_values=True))
    for route in routes():
        match = route.pattern.fullmatch(path)
        if match is None:
            continue
        if route.method == method:
            target.operation = route.operation
            target.wrong_method = False
            target.params = {key: unquote(value) for key, value in match.groupdict().items()}
            return target
        target.wrong_method = True
    named = re.match(r"/api/v1/environments/([^/]+)", path)
    if named:
        target.params = {"environment": unquote(named.group(1))}
    return target
