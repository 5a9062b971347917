"""Clients that several threads share keep their connections for long, and not until the server ends them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from harness.kube import Kube
from harness.lenses.client import LensesApi
from harness.lenses.control import LensesControl

ANSWER = b'{"result": null}'


class Answering(BaseHTTPRequestHandler):
    """The same to everything. One for each connection."""

    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self) -> None:
        Answering.connections += 1
        super().setup()

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 - the base's own name
        """Nothing."""


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Answering, "connections", 0)
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def of_kubernetes(url: str) -> Callable[[], object]:
    kube = Kube(url, "token")
    return lambda: kube.raw("GET", "/")


def of_lenses(url: str) -> Callable[[], object]:
    lenses = LensesApi(url, "token", "prod", check=False)
    return lambda: lenses.call("ListConnectors")


def of_its_control(url: str) -> Callable[[], object]:
    control = LensesControl(url)
    return control.reset


@pytest.mark.parametrize(("idle", "connections"), [(50, 1), (70, 2)])
@pytest.mark.parametrize("client", [of_kubernetes, of_lenses, of_its_control])
def test_they_keep_a_connection_for_a_minute(
    url: str,
    client: Callable[[str], Callable[[], object]],
    idle: float,
    connections: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask, clock = client(url), time.monotonic
    ask()
    monkeypatch.setattr(time, "monotonic", lambda: clock() + idle)
    ask()
    assert Answering.connections == connections
