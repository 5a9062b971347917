"""The real parts of a storm: API server and etcd, the Lenses server, the operator behind a proxy, and their record."""

from __future__ import annotations

import base64
import math
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from chaos.real.audit import AuditLog
from chaos.real.cast import NAMESPACES, SECRET
from chaos.real.etcd import Etcd
from chaos.real.ledger import Ledger
from chaos.real.pulse import Pulse
from harness import http
from harness.controlplane import OPERATOR, ControlPlane, Extras
from harness.kube import Kube
from harness.lenses.record import Request
from harness.operator_process import OperatorProcess
from harness.paths import CRDS
from harness.ports import free_port
from harness.process import Launcher
from harness.proxy import Proxy
from invariants.history import History, Span

POLL_INTERVAL = 1.0
DRIFT_INTERVAL = 5.0
IN_FLIGHT = 6.0
"""Seconds that a write may have been with an API server that is killed before it can record it."""
WATCHES = 2
"""Of the operator, on kinds of its own."""
RESUMED = 20.0
"""Seconds within which a watch that has to list anew has done so, when another one has."""
WATCH_LABEL = "connect.lenses.io/watch"


class Stage:
    """Everything that runs; `log` is the storm's own, for people."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.history = History()
        self.audit = AuditLog(run_dir)
        self.launcher = Launcher()
        self._etcd_port = free_port()
        self.etcd = Etcd(self._etcd_port)
        self.ledger = Ledger(self.history.effects)
        self.lenses = self.ledger.lenses
        self.control = self.lenses.control
        self.pulse = Pulse(self.history.late, self._beat)
        self.log: list[str] = []
        self._log_file = run_dir / "storm.log"
        self.began = time.time()
        self.operators: list[OperatorProcess] = []
        self._outages: list[tuple[Span, float]] = []
        """Without an API server, which is back since then: they last until the watches are back too."""
        self.expired = 0
        """How often the operator's watches were behind what the API server remembers."""
        self.planted: dict[str, str] = {}
        self._all_planted: set[str] = set()
        self.lock = threading.RLock()
        """Of the record: held while it is added to, and while it is judged."""

    def start(self) -> None:
        extras = Extras(self.audit.flags, self._etcd_port)
        self.plane = ControlPlane.start(self.run_dir / "controlplane", launcher=self.launcher, extras=extras)
        self.kube = Kube(self.plane.url, self.plane.token, self.plane.ca)
        self.kube.install_crds(CRDS)
        self.kube.apply(_binding())
        self.proxy = Proxy(self.plane.port)
        self.namespaces = [self.kube.create_namespace("storm") for _ in range(NAMESPACES)]
        for number in range(NAMESPACES):
            self.plant(number, f"planted-{number}-first")
        self.pulse.start()

    def _beat(self) -> None:
        self.kube.raw("GET", "/version")
        self.ledger.inside(lambda: None)

    def stop(self) -> None:
        self.pulse.stop()
        self.launcher.close()
        self.etcd.close()
        if hasattr(self, "proxy"):
            self.proxy.refuse()
            self.kube.close()
        self.ledger.stop()

    def say(self, text: str) -> None:
        line = f"{time.time() - self.began:7.2f} {time.time():.2f} {text}"
        self.log.append(line)
        with self._log_file.open("a") as file:
            print(line, file=file)

    # what is secret
    def plant(self, namespace: int, value: str) -> None:
        """Of the three namespaces' Secrets, one is not watched."""
        name = self.namespaces[namespace]
        self._all_planted.add(value)
        with self.lock:
            self.history.rotated(name, time.time(), value)
        self.kube.apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": SECRET, "namespace": name, "labels": {WATCH_LABEL: str(namespace > 0).lower()}},
                "data": {"password": base64.b64encode(value.encode()).decode()},
            }
        )
        self.planted[name] = value

    @property
    def secrets(self) -> set[str]:
        return set(self._all_planted)

    def told(self) -> Iterator[tuple[str, str]]:
        """All that the operators said: to the API server, in their logs, in the metrics of the one that works."""
        yield from list(self.audit.texts)
        for operator in self.operators:
            yield from ((operator.log.name, line) for line in operator.text().splitlines())
        yield "metrics", http.get(f"{self.operator.url}/metrics", timeout=30).text

    # the operator
    @property
    def operator(self) -> OperatorProcess:
        return self.operators[-1]

    def start_operator(self, name: str = "operator") -> OperatorProcess:
        settings = {"POLL_INTERVAL": POLL_INTERVAL, "DRIFT_INTERVAL": DRIFT_INTERVAL, "WATCH_REFERENCES": "true"}
        return OperatorProcess.start(
            self.run_dir / "operators",
            kubeconfig=self.plane.kubeconfig_through(self.proxy.port, OPERATOR),
            lenses_url=self.lenses.url,
            lenses_token=self.lenses.token,
            launcher=self.launcher,
            settings={key: str(value) for key, value in settings.items()},
            name=f"{name}-{len(self.operators)}",
        )

    def replace_operator(self) -> OperatorProcess:
        """The one before has ended."""
        self.operators.append(self.start_operator())
        return self.operator

    def relists(self, since: float) -> int:
        """How often the operator's watches have listed anew."""
        self.read_on()
        return sum(at > since for at in self.audit.lists)

    def _end_outages(self) -> None:
        """An operator sees again when its watches have listed anew, which they try at ever longer intervals."""
        for span, since in list(self._outages):
            after = sorted(at for at in self.audit.lists if at > since)
            if len(after) >= WATCHES:
                span.end = after[WATCHES - 1]
                self._outages.remove((span, since))
            elif after and time.time() > since + RESUMED:
                span.end = since + RESUMED  # the other one went on without listing anew
                self._outages.remove((span, since))

    # the record
    @contextmanager
    def span(self, spans: list[Span], what: str, about: str = "*") -> Iterator[None]:
        made = Span(time.time(), math.inf, what, about)
        spans.append(made)
        try:
            yield
        finally:
            made.end = time.time()

    def read_on(self) -> History:
        with self.lock:
            self.audit.read_on(self.history, OPERATOR.name)
            self._end_outages()
            with suppress(httpx.TransportError):  # etcd is away, and tells when it is back
                for name, since in list(self.audit.unsure.items()):
                    stored = self.etcd.since(name, self.history.number(name, since))
                    self.history.found_out(name, stored, since)
                    del self.audit.unsure[name]
        return self.history

    def log_of_requests(self) -> list[Request]:
        """All that was asked of Lenses so far."""
        return self.ledger.inside(lambda: self.ledger.log.find())

    # the API server
    def restart_api_server(self, *, at_once: bool) -> None:
        """On the same data. What it wrote as it was killed has no line in its record, but is in etcd, which serves
        before anybody can write again."""
        outage = Span(time.time(), math.inf, "no API server")
        self.history.blind.append(outage)
        self.plane.end_api_server(at_once=at_once)
        ended = time.time()
        self.read_on()
        with ThreadPoolExecutor(1) as pool:
            stored = pool.submit(self.etcd.objects)
            self.plane.start_api_server()
            with self.lock:
                self._outages.append((outage, ended))
                self.history.complete(stored.result(), ended - IN_FLIGHT, time.time())


def _binding() -> dict[str, object]:
    """The operator as a user of its own, told from the others in the audit log."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "storm-operator"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": OPERATOR.name}],
    }
