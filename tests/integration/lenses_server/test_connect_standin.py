"""What a real worker does only now and then: half-started, rebalancing, gone, slow."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from harness.lenses.client import LensesApi
from harness.lenses.environment import LensesEnv

pytest_plugins = ["harness.lenses.fixtures"]

JETTY = "<html><body><h2>HTTP ERROR 404 Not Found</h2></body></html>"
STATUS = {"connector": {"state": "RUNNING", "worker_id": "w:8083"}, "tasks": [], "type": "sink"}


class Worker:
    """A worker that answers as the test says: by path, or everything alike."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str, str]] = {}
        self.default = (404, "text/html;charset=iso-8859-1", JETTY)
        self.url = ""

    def says(self, path: str, status: int, body: Any) -> None:
        self.answers[path] = (status, "application/json", body if isinstance(body, str) else json.dumps(body))

    async def handle(self, request: web.BaseRequest) -> web.Response:
        status, content_type, text = self.answers.get(request.raw_path, self.default)
        return web.Response(status=status, body=text.encode(), headers={"Content-Type": content_type})


@pytest.fixture
def worker() -> Iterator[Worker]:
    made, loop, stop = Worker(), asyncio.new_event_loop(), asyncio.Event()
    listening = threading.Event()

    async def serve() -> None:
        runner = web.ServerRunner(web.Server(made.handle), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        listening.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert listening.wait(10)
    yield made
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()


@pytest.fixture
def standin(lenses_env: LensesEnv, worker: Worker) -> str:
    lenses_env.control.add_cluster(lenses_env.name, "w", {"backend": "connect", "url": worker.url})
    return "w"


@pytest.mark.parametrize(
    ("operation", "where"),
    [
        ("GetConnector", {"cluster": "w", "connector": "c"}),
        ("GetClusterInfo", {"cluster": "w"}),
        ("ListPlugins", {"query": {"cluster": "w"}}),
        ("ListConnectors", {"query": {"cluster": "w"}}),
        ("GetConnectorTopics", {"cluster": "w", "connector": "c"}),
    ],
)
def test_a_starting_workers_page_is_passed_on(
    api: LensesApi, standin: str, operation: str, where: dict[str, Any]
) -> None:
    response = api.call(operation, check=False, **where)
    assert (response.status_code, response.text) == (404, JETTY)
    assert response.headers["Content-Type"] == "text/html;charset=iso-8859-1"


@pytest.mark.parametrize(
    "page",
    [
        {"servlet": "-", "message": "Not Found", "url": "/connectors", "status": "404"},
        {"message": "Not Found", "url": "/connectors", "status": 404, "error_code": "404"},
        {"message": "Not Found"},
        ["Not Found"],
    ],
)
@pytest.mark.parametrize("operation", ["GetConnector", "GetClusterInfo", "DeleteConnector"])
def test_jettys_own_json_is_not_connects(
    api: LensesApi, worker: Worker, standin: str, operation: str, page: Any
) -> None:
    """A starting worker's Jetty answers whoever accepts JSON with JSON; only Connect's has an `error_code`."""
    worker.default = (404, "application/json", json.dumps(page))
    where = {"cluster": "w"} | ({} if operation == "GetClusterInfo" else {"connector": "c"})
    response = api.call(operation, check=False, **where)
    assert (response.status_code, response.json()) == (404, page)


def test_a_cluster_that_fails_is_left_out_of_the_environments_list(
    lenses_env: LensesEnv, api: LensesApi, standin: str
) -> None:
    lenses_env.control.set_connector(lenses_env.name, "connect", "c")
    assert api.names() == ["c"]


def test_a_rebalance_is_a_409(api: LensesApi, worker: Worker, standin: str) -> None:
    worker.says("/connectors/a-%3Eb%20c", 409, {"error_code": 409, "message": "rebalance is in process"})
    response = api.delete(standin, "a->b c")
    assert response.status_code == 409
    assert response.json() == {"error": "rebalance is in process", "fields": [], "errorType": "Conflict"}


def test_no_worker_is_a_503_in_the_agents_shape(lenses_env: LensesEnv, api: LensesApi) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound and not listening: refused
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        lenses_env.control.add_cluster(lenses_env.name, "gone", {"backend": "connect", "url": url})
        response = api.call("GetClusterInfo", cluster="gone")
    assert response.status_code == 503
    assert "cannot be reached" in response.json()["error"]


def test_details_without_a_status_have_no_state(api: LensesApi, worker: Worker, standin: str) -> None:
    """Just after a create Connect has none."""
    worker.says("/connectors/c", 200, {"name": "c", "config": {"connector.class": "X"}, "tasks": []})
    worker.says("/connectors/c/status", 404, {"error_code": 404, "message": "No status found for connector c"})
    details = api.get(standin, "c").json()
    assert "state" not in details
    assert details["tasks"] == []


def test_offsets_pass_to_the_letter(api: LensesApi, worker: Worker, standin: str) -> None:
    text = '{"offsets": [{"partition": {"s": "x"}, "offset": {"a": 1.0, "b": 1.7412e12, "c": 9223372036854775808}}]}'
    worker.says("/connectors/c/offsets", 200, text)
    assert api.call("GetConnectorOffsets", cluster=standin, connector="c").text == text
