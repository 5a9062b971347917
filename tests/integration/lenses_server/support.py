"""Waits and a cross-check used by the tests of the Lenses server."""

from __future__ import annotations

import secrets
from functools import cache
from typing import Any, cast

import httpx
import openapi_core
from openapi_core.testing.requests import MockRequest
from openapi_core.testing.responses import MockResponse

from harness.lenses.client import LensesApi
from harness.lenses.operations import spec
from harness.waiting import wait_until

HOST = "https://api.example.com"


def unique(prefix: str) -> str:
    """A name no other test uses, with the characters that need encoding."""
    return f"{prefix}->x y-{secrets.token_hex(3)}"


def wait_for(api: LensesApi, cluster: str, name: str, state: str, tasks: int | None = None) -> dict[str, Any]:
    """The details once the connector is in that state, with so many tasks in it where asked."""

    def look() -> dict[str, Any] | None:
        details: dict[str, Any] = api.get(cluster, name).json()
        if details.get("state") != state or (tasks is not None and len(details["tasks"]) != tasks):
            return None
        return details if all(task["state"] == state for task in details["tasks"]) else None

    return wait_until(f"{name} to be {state}", look, timeout=30)


def wait_gone(api: LensesApi, cluster: str, name: str) -> None:
    wait_until(f"{name} to be gone", lambda: api.get(cluster, name).status_code == 404, timeout=30)


def cross_check(response: httpx.Response) -> None:
    """The same request and response before openapi-core, which knows nothing of our own checks."""
    api = _api()
    url = response.request.url
    request = MockRequest(
        HOST,
        response.request.method,
        url.raw_path.decode().partition("?")[0],
        args=dict(url.params),
        headers=dict(response.request.headers),
        data=response.request.content,
    )
    answer = MockResponse(
        data=response.content,
        status_code=response.status_code,
        content_type=response.headers["Content-Type"].partition(";")[0],
    )
    if response.status_code < 400:
        api.validate_request(cast("Any", request))
    api.validate_response(cast("Any", request), cast("Any", answer))


@cache
def _api() -> openapi_core.OpenAPI:
    """Once: it holds the whole file against its schema."""
    return openapi_core.OpenAPI.from_dict(cast("Any", spec()))
