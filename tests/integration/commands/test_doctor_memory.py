"""`doctor` runs in the operator's container, below its limit: what it takes for itself beside 5,000 connectors."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bench.objects import manifest
from harness.lenses.running import RunningLenses
from harness.paths import ROOT

CONNECTORS = 5000
MOST = 40.0
"""MiB that nobody else can use, at the highest."""
IN_A_POD = """
import lenses_operator.kube.connection  # first, as in the pod
import kubernetes.aio.config.incluster_config as pod
import sys
pod.SERVICE_TOKEN_FILENAME, pod.SERVICE_CERT_FILENAME = sys.argv[1:3]
sys.argv = ["lenses-operator", *sys.argv[3:]]
from lenses_operator.cli import main
main()
"""
STAMP = "2026-01-01T00:00:00Z"


def body(number: int, environment: str) -> dict[str, Any]:
    """As the API server has it once the operator has looked at it."""
    made = manifest("payments", environment, f"c{number}")
    made["metadata"] |= {"uid": f"uid-{number}", "resourceVersion": "7", "generation": 1, "creationTimestamp": STAMP}
    ready = {"type": "Ready", "status": "True", "reason": "Running", "message": "1 of 1 tasks running."}
    task = {"id": 0, "state": "RUNNING", "workerId": "10.0.0.4:8083"}
    status = {
        "observedGeneration": 1,
        "conditions": [ready | {"lastTransitionTime": STAMP, "observedGeneration": 1}],
        "ownership": {"state": "Owned", "since": STAMP},
        "state": "RUNNING",
        "tasks": [task],
        "topics": [f"topic-c{number}"],
        "appliedConfig": {"hash": "sha256:" + "0" * 64, "time": STAMP},
    }
    return made | {"status": status}


class Api(BaseHTTPRequestHandler):
    """Pages of what there is, and yes to every question."""

    protocol_version = "HTTP/1.1"
    environment = ""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path.endswith("/lensesconnectors"):
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            begin, size = int(query.get("continue", 0)), int(query.get("limit", CONNECTORS))
            end = min(begin + size, CONNECTORS)
            left = {"continue": str(end)} if end < CONNECTORS else {}
            items = [body(number, self.environment) for number in range(begin, end)]
            self._answer({"metadata": {"resourceVersion": "9", **left}, "items": items})
        elif url.path.endswith("/lensesconnectoroffsets"):
            self._answer({"metadata": {"resourceVersion": "9"}, "items": []})
        else:
            self._answer({"kind": "Status", "message": "not here"}, 404)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(asked | {"status": {"allowed": True}}, 201)

    def _answer(self, document: dict[str, Any], status: int = 200) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a process in a pod."""
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key", "-out", "ca.crt"]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "token").write_text("t")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "ca.crt", tmp_path / "key")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(server.server_address[1])}
    server.shutdown()
    server.server_close()
    thread.join()


def anonymous(pid: int) -> float:
    """MiB of the process that no other shares; 0 where it has ended."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024
    return 0.0


def test_it_is_small_beside_the_operator(pod: dict[str, str], tmp_path: Path) -> None:
    lenses = RunningLenses.start({"environments": {"prod": {"clusters": {"connect": {"backend": "memory"}}}}})
    try:
        Api.environment = "prod"
        lenses.control.add_connectors("prod", "connect", [f"c{number}" for number in range(CONNECTORS)])
        (tmp_path / "lenses").write_text(lenses.token)
        settings = {
            **pod,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "operator"),
            "LENSES_OPERATOR_LENSES_URL": lenses.url,
            "LENSES_OPERATOR_LENSES_TOKEN_FILE": str(tmp_path / "lenses"),
            "LENSES_OPERATOR_LEADER_ELECTION": "false",
        }
        arguments = [sys.executable, "-c", IN_A_POD, str(tmp_path / "token"), str(tmp_path / "ca.crt"), "doctor"]
        said: list[str] = []
        with subprocess.Popen(arguments, env=settings, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            reader = threading.Thread(target=lambda out: said.append(out.read()), args=(running.stdout,))
            reader.start()
            peak = 0.0
            while running.poll() is None:
                peak = max(peak, anonymous(running.pid))
            reader.join()
    finally:
        lenses.stop()
    assert f"{CONNECTORS}, none stalled" in said[0]
    assert f"list connectors: allowed, {CONNECTORS} to be seen" in said[0]
    assert peak <= MOST
