"""The process itself: its settings, what it looks after, health, the lease, and how it ends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import yaml

from harness import http
from harness.controlplane import ControlPlane
from harness.kube import Kube
from harness.lenses.running import RunningLenses
from harness.metrics import Metrics
from harness.operator_fixtures import Operators, Place, conditions, reason
from harness.operator_process import OperatorProcess
from harness.waiting import wait_until

BAD_SETTINGS = {
    "url-scheme": ("LENSES_URL", "lenses.example.org"),
    "url-password": ("LENSES_URL", "https://user:planted@lenses.example.org"),
    "token-file": ("LENSES_TOKEN_FILE", "/nonexistent/token"),
    "ca-file": ("LENSES_CA_FILE", "/nonexistent/ca.pem"),
    "poll-interval": ("POLL_INTERVAL", "often"),
    "poll-interval-0": ("POLL_INTERVAL", "0"),
    "drift-interval": ("DRIFT_INTERVAL", "-1"),
    "concurrency": ("CONCURRENCY", "1"),
    "port": ("HTTP_PORT", "70000"),
    "log-format": ("LOG_FORMAT", "xml"),
    "log-level": ("LOG_LEVEL", "LOUD"),
    "leader-election": ("LEADER_ELECTION", "maybe"),
}


@pytest.mark.parametrize(("variable", "value"), BAD_SETTINGS.values(), ids=BAD_SETTINGS.keys())
def test_a_bad_setting_ends_it_at_once(operators: Operators, variable: str, value: Any) -> None:
    operator = operators.start(ready=False, **{variable: value})
    assert operator.wait_end() != 0
    assert "planted" not in operator.text()
    said = [line for line in operator.text().splitlines() if line.startswith("lenses-operator: ")]
    assert len(said) == 1
    if variable.endswith("FILE"):
        assert value in said[0] or f"LENSES_OPERATOR_{variable}" in said[0]
    else:
        assert f"LENSES_OPERATOR_{variable}" in said[0]


def test_health(own_place: Place, operators: Operators) -> None:
    operator = operators.start(own_place.namespace)
    for path in ("healthz", "readyz"):
        assert http.get(f"{operator.url}/{path}").status_code == 200


def test_ready_without_lenses(own_place: Place, operators: Operators) -> None:
    """/readyz needs the first list's end, good or bad: a rollout must not hang on Lenses."""
    own_place.fault(status=502, shape="html")
    own_place.apply()
    operators.start(own_place.namespace)
    own_place.wait_reason("LensesUnavailable")


def test_no_lenses_at_all(own_place: Place, operators: Operators) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        operator = operators.start(own_place.namespace, LENSES_URL=f"http://127.0.0.1:{taken.getsockname()[1]}")
        own_place.apply_until("LensesUnavailable", about="cannot connect")
        assert operator.terminate() == 0


def test_watched_namespaces_and_labels(own_place: Place, operators: Operators, operator_kube: Kube) -> None:
    """What is outside is neither touched nor written to; what loses its label is left as it is."""
    place = own_place
    other = operator_kube.create_namespace("outside")
    operators.start(place.namespace, LABEL_SELECTOR="team=a")
    outside = place.manifest("outside")
    outside["metadata"] |= {"namespace": other, "labels": {"team": "a"}}
    operator_kube.create(outside)
    place.apply("unlabelled")
    inside = place.manifest("inside")
    inside["metadata"]["labels"] = {"team": "a"}
    operator_kube.create(inside)
    place.wait_running("inside")
    place.wait_polls()
    for namespace, name in ((other, "outside"), (place.namespace, "unlabelled")):
        found = operator_kube.get("lc", namespace, name)
        assert found is not None
        assert found["status"] == {"observedGeneration": -1}
        assert "finalizers" not in found["metadata"]
    assert [found["name"] for found in place.control.connectors(place.environment)] == ["inside"]
    operator_kube.delete("lc", other, "outside")
    operator_kube.delete("Namespace", None, other)


def test_sigterm_ends_well(own_place: Place, operators: Operators) -> None:
    operator = operators.start(own_place.namespace)
    own_place.runs()
    assert operator.terminate() == 0
    assert own_place.wait_connector()["target"] == "running"


def test_leader_election(own_place: Place, operators: Operators) -> None:
    """One works, the other waits; ended, the first is followed at once. The rest is in tests/integration/ha."""
    place = own_place
    options: dict[str, Any] = {"LEADER_ELECTION": "true", "LEADER_ELECTION_NAMESPACE": place.namespace}
    first = operators.start(place.namespace, **options)
    holder = _holder(place, other_than="")
    second = operators.start(place.namespace, **options)
    place.runs()
    assert (_leader(first), _leader(second)) == (1, 0)
    assert http.get(f"{second.url}/readyz").status_code == 200
    assert first.terminate() == 0
    _holder(place, other_than=holder)
    place.runs("last")
    assert _leader(second) == 1
    assert second.terminate() == 0
    lease = place.kube.get("Lease", place.namespace, "lenses-operator")
    assert lease is not None
    assert not lease["spec"].get("holderIdentity")
    assert place.writes() == ["CreateConnector"] * 2


def _leader(operator: OperatorProcess) -> float:
    return Metrics.parse(http.get(f"{operator.url}/metrics").text).total("lenses_operator_leader")


def _holder(place: Place, *, other_than: str) -> str:
    def check() -> str:
        lease = place.kube.get("Lease", place.namespace, "lenses-operator")
        found = str(lease["spec"].get("holderIdentity") or "") if lease else ""
        return "" if found == other_than else found

    return wait_until("another holder of the lease", check, 40)


class Wire:
    """A TCP proxy in front of the API server that can hold everything back without closing anything."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._open = threading.Event()
        self._open.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        self._open.clear()

    def thaw(self) -> None:
        self._open.set()

    def close(self) -> None:
        self._open.set()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError), source, sink:
            while data := source.recv(65536):
                self._open.wait()
                sink.sendall(data)


@contextmanager
def wire_to(plane: ControlPlane) -> Iterator[Wire]:
    wire = Wire(plane.port)
    try:
        yield wire
    finally:
        wire.close()


def test_a_watch_that_is_held_back(
    own_place: Place, operators: Operators, control_plane: ControlPlane, lenses: RunningLenses
) -> None:
    """Nothing comes and nothing fails for a while; afterwards everything that happened meanwhile is noticed."""
    place = own_place
    with wire_to(control_plane) as wire:
        config = yaml.safe_load(control_plane.kubeconfig.read_text())
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{wire.port}"
        kubeconfig = operators.run_dir / "kubeconfig"
        kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        kubeconfig.write_text(yaml.safe_dump(config))
        operators.start(place.namespace, kubeconfig=kubeconfig)
        place.runs("gone", name="shared", deletionPolicy="Retain")
        place.runs("changed")
        place.wait_polls()
        wire.freeze()
        place.kube.patch("lc", place.namespace, "gone", {"metadata": {"finalizers": None}})
        place.delete_and_wait("gone")
        place.apply("new", name="shared")
        place.apply("changed", config={"file": "/dev/zero", "topic": "lines"})
        place.wait_polls(4)
        assert all(reason(found) == "" or not conditions(found) for found in [place.wait("new")])
        wire.thaw()
        assert place.wait_running("new", timeout=150)["status"]["ownership"]["state"] == "Owned"
        place.wait_running("changed", timeout=150)
        assert place.wait_connector("changed")["config"]["file"] == "/dev/zero"
