"""The checks themselves: they have to see what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from harness.lenses.client import LensesApi
from harness.lenses.conformance import check_request, check_response
from harness.lenses.operations import method_of, path_of, target_of
from harness.lenses.running import RunningLenses

BASE = "/api/v1/environments/e/proxy/api/kafka-connect"
ENTRY = {"name": "c", "lrn": "l", "cluster": "k"}
DETAILS = {**ENTRY, "tasks": [{"id": "0", "state": "RUNNING", "workerId": "w"}]}


@pytest.mark.parametrize(
    ("operation", "status", "body"),
    [
        ("ListConnectors", 200, {"data": [{**ENTRY, "tasks": [{"id": "0", "state": "RUNNING"}]}]}),
        ("ListConnectors", 200, {"data": [{**ENTRY, "state": "DESTROYED"}]}),
        ("ListConnectors", 200, {"data": [{"name": "c", "cluster": "k"}]}),
        ("ListConnectors", 200, {"data": [{**ENTRY, "invented": 1}]}),
        ("ListConnectors", 201, {"data": []}),
        ("GetConnector", 200, {**DETAILS, "tasks": [{"id": 0, "state": "RUNNING", "workerId": "w"}]}),
        ("GetConnector", 200, {**DETAILS, "config": {"tasks.max": 1}}),
        ("GetConnectorTopics", 200, {"topics": []}),
        ("CreateConnector", 200, {}),
        ("AlterConnectorOffsets", 200, {}),
        ("GetConnector", 404, {"message": "Connect's own shape"}),
        ("GetConnector", 409, {"message": "undeclared statuses need the shape too"}),
    ],
)
def test_wrong_responses_are_seen(operation: str, status: int, body: Any) -> None:
    assert check_response(operation, status, "application/json", json.dumps(body).encode())


def test_right_responses_pass() -> None:
    assert check_response("GetConnector", 200, "application/json", json.dumps(DETAILS).encode()) == []
    problem = json.dumps({"type": "agent_not_connected", "title": "x", "status": 503}).encode()
    assert check_response("GetConnector", 503, "application/problem+json", problem) == []
    assert check_response("GetConnector", 200, "application/problem+json", problem)
    assert check_response("GetConnector", 404, "text/html", b"<html>")
    assert check_response("GetConnector", 200, "application/json", b"{")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/v1/nothing", None),
        ("GET", f"{BASE}/connectors?colour=red", None),
        ("PUT", f"{BASE}/clusters/k/connectors/c/explode", None),
        ("PUT", f"{BASE}/clusters/k/connectors/c/tasks/first/restart", None),
        ("PUT", f"{BASE}/clusters/k/connectors/c/stop", b"please"),
        ("POST", f"{BASE}/connectors", b'{"name": "c"}'),
        ("POST", f"{BASE}/connectors", b"{"),
    ],
)
def test_wrong_requests_are_seen(method: str, path: str, body: bytes | None) -> None:
    assert check_request(method, path, body)


def test_names_are_encoded_and_decoded_once() -> None:
    path = path_of("GetConnector", environment="e", cluster="k", connector="a->b %3E c")
    assert path.endswith("/connectors/a-%3Eb%20%253E%20c")
    target = target_of(method_of("GetConnector"), path)
    assert (target.operation, target.params["connector"]) == ("GetConnector", "a->b %3E c")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningLenses]:
    """A server whose simulated Connect says more than the API allows."""

    async def info(self: object) -> dict[str, Any]:
        return {"name": "c", "version": 4}

    monkeypatch.setattr("harness.lenses.memory.MemoryCluster.info", info)
    monkeypatch.setattr("harness.lenses.memory_connector.WORKER", 1)
    monkeypatch.setattr("harness.lenses.memory_connector.lrn", lambda *_: None)
    running = RunningLenses.start({"environments": {"e": {"clusters": {"c": {"backend": "memory"}}}}})
    yield running
    running.stop()


def test_the_servers_own_mistakes_are_kept_and_loud(broken: RunningLenses) -> None:
    with LensesApi(broken.url, broken.token, "e") as api:
        response = api.call("GetClusterInfo", cluster="c")
        assert (response.status_code, "violates the API" in response.json()["error"]) == (500, True)
        broken.control.set_connector("e", "c", "x")
        assert api.call("ListConnectors").status_code == 500
        assert api.get("c", "x").status_code == 500
    operations = [violation["operation"] for violation in broken.control.violations()]
    assert operations == ["GetClusterInfo", "ListConnectors", "GetConnector"]
    broken.control.clear_violations()
    assert broken.control.violations() == []
