"""The operator at work, as pytest fixtures: `pytest_plugins = ["harness.operator_fixtures"]`.

Most tests share one operator, which takes about two seconds to start; it looks after the objects that carry its label.
A test that kills or configures an operator starts its own, which looks after the test's namespace and leaves the label
out. With pytest-xdist every worker process has its own control plane, Lenses server and shared operator.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.controlplane import ControlPlane
from harness.kube import Kube, KubeError, Object
from harness.lenses.control import Json, LensesControl
from harness.lenses.operations import CHANGING
from harness.lenses.running import RunningLenses
from harness.operator_process import OperatorProcess
from harness.paths import CRDS
from harness.process import Launcher
from harness.waiting import wait_until

KIND = "LensesConnector"
SHARED = {"tests/operator": "shared"}
POLL_INTERVAL = 0.5
DRIFT_INTERVAL = 2.0
TIMEOUT = 60.0
"""Generous: a bound that says when to give up, never a verdict about speed."""
FOR_EVER = 3600.0
"""Seconds that a request or a change takes which no test waits for: the test itself ends it."""
LOG_LINES = 80

SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"
SPEC: Mapping[str, Any] = {"class": SOURCE, "config": {"file": "/dev/null", "topic": "lines"}}
"""What a test's own fields are put over; it reads one file, with one task."""

Conditions = dict[str, Object]


def conditions(found: Object) -> Conditions:
    """By type."""
    given = (found.get("status") or {}).get("conditions") or []
    return {condition["type"]: condition for condition in given} if isinstance(given, list) else {}


def reason(found: Object) -> str:
    """Ready's reason, once it is about the present generation; empty before."""
    ready = conditions(found).get("Ready", {})
    current = ready.get("observedGeneration") == found["metadata"]["generation"]
    return str(ready.get("reason", "")) if current else ""


def message(found: Object) -> str:
    """Ready's message."""
    return str(conditions(found)["Ready"]["message"])


@dataclass(frozen=True)
class Place:
    """A namespace and a Lenses environment that a test has for itself."""

    kube: Kube
    control: LensesControl
    namespace: str
    environment: str
    labels: Mapping[str, str]
    cluster: str = "connect"

    # the resources
    def manifest(self, name: str = "orders", /, **spec: Any) -> Object:
        """`SPEC` with these fields put over it, a field of None taken out; `class_name` is the field `class`."""
        if "class_name" in spec:
            spec["class"] = spec.pop("class_name")
        wanted = {"environment": self.environment, "cluster": self.cluster, **SPEC, **spec}
        return {
            "apiVersion": "connect.lenses.io/v1alpha1",
            "kind": KIND,
            "metadata": {"name": name, "namespace": self.namespace, "labels": dict(self.labels)},
            "spec": {key: value for key, value in wanted.items() if value is not None},
        }

    def apply(self, name: str = "orders", /, **spec: Any) -> Object:
        """Server-side apply of `manifest`."""
        return self.kube.apply(self.manifest(name, **spec))

    def apply_until(self, wanted: str, name: str = "orders", /, *, about: str = "", **spec: Any) -> Object:
        """The object once Ready gives this reason for what is applied."""
        self.apply(name, **spec)
        return self.wait_reason(wanted, name, about=about)

    def runs(self, name: str = "orders", /, **spec: Any) -> Object:
        return self.apply_until("Running", name, **spec)

    def apply_many(self, names: list[str], **spec: Any) -> None:
        in_parallel(lambda name: self.apply(name, **spec), names)

    def get(self, name: str = "orders") -> Object | None:
        return self.kube.get(KIND, self.namespace, name)

    def delete(self, name: str = "orders") -> None:
        self.kube.delete(KIND, self.namespace, name)

    def wait(
        self, name: str = "orders", predicate: Callable[[Object], object] = bool, timeout: float = TIMEOUT
    ) -> Object:
        return self.kube.wait_for(KIND, self.namespace, name, predicate, timeout)

    def wait_reason(self, wanted: str, name: str = "orders", timeout: float = TIMEOUT, *, about: str = "") -> Object:
        """The object once Ready gives this reason for its present generation, and `about` in its message."""
        return self.wait(name, lambda found: reason(found) == wanted and about in message(found), timeout)

    def wait_running(self, name: str = "orders", timeout: float = TIMEOUT) -> Object:
        return self.wait_reason("Running", name, timeout)

    def wait_gone(self, name: str = "orders", timeout: float = TIMEOUT) -> None:
        self.kube.wait_gone(KIND, self.namespace, name, timeout)

    def delete_and_wait(self, name: str = "orders") -> None:
        self.delete(name)
        self.wait_gone(name)

    def wait_event(self, wanted: str, name: str = "orders", *, about: str = "", timeout: float = TIMEOUT) -> str:
        """The message of an Event with this reason that has `about` in it."""

        def check() -> list[str]:
            return [text for why, text in self.events(name) if why == wanted and about in text]

        return wait_until(f"Event {wanted} {about} of {name}", check, timeout)[-1]

    def events(self, name: str = "orders") -> list[tuple[str, str]]:
        """(reason, message) of every Event about it."""
        return [(event["reason"], event["message"]) for event in self.kube.events(self.namespace, name)]

    # what Lenses has and was asked
    def connector(self, name: str = "orders") -> Json | None:
        return self.control.get_connector(self.environment, self.cluster, name)

    def wait_connector(
        self, name: str = "orders", predicate: Callable[[Json], object] = bool, timeout: float = TIMEOUT
    ) -> Json:
        def check() -> Json | None:
            found = self.connector(name)
            return found if found is not None and predicate(found) else None

        return wait_until(f"connector {name} in Lenses", check, timeout)

    def wait_no_connector(self, name: str = "orders", timeout: float = TIMEOUT) -> None:
        wait_until(f"end of connector {name} in Lenses", lambda: self.connector(name) is None, timeout)

    def change(self, name: str = "orders", **changes: Any) -> Json:
        """Behind the operator's back: see `ConnectorChanges`."""
        return self.control.set_connector(self.environment, self.cluster, name, **changes)

    def delay(self, **delays: float) -> None:
        """See `LensesControl.set_delays`."""
        self.control.set_delays(self.environment, self.cluster, **delays)

    def end_delays(self) -> None:
        self.control.end_delays(self.environment, self.cluster)

    def fault(self, **fault: Any) -> int:
        return self.control.add_fault(self.environment, **fault)

    def requests(self, *operations: str, connector: str | None = None, since: int = 0) -> list[Json]:
        return self.control.requests(self.environment, list(operations) or None, connector, since)

    def writes(self, connector: str | None = None, since: int = 0) -> list[str]:
        """The operations that change something, in order of arrival."""
        return [found["operation"] for found in self.requests(*CHANGING, connector=connector, since=since)]

    def mark(self) -> int:
        """For `since`: what comes from now on."""
        found = self.control.requests(self.environment)
        return int(found[-1]["seq"]) if found else 0

    def wait_request(self, operation: str, connector: str | None = None, *, since: int = 0, count: int = 1) -> None:
        self.control.wait_requests(self.environment, operation, connector, since=since, count=count)

    def wait_request_started(self, operation: str, count: int = 1) -> None:
        """Sent, though perhaps not answered yet."""
        wait_until(f"{count} {operation}", lambda: len(self.requests(operation)) >= count, TIMEOUT)

    def wait_polls(self, count: int = 2) -> None:
        """What the operator had to do on the first of these lists is under way when the last one has come."""
        self.wait_request("ListConnectors", since=self.mark(), count=count)

    def wait_checks(self, name: str = "orders", count: int = 2) -> None:
        """Further drift checks: the details are read."""
        self.wait_request("GetConnector", name, since=self.mark(), count=count)

    # the end
    def leave(self) -> None:
        """Let everything go, whoever holds it."""
        self.control.clear_faults(self.environment)
        self.control.clear_breakpoints(self.environment)
        in_parallel(self._drop, [found["metadata"]["name"] for found in self.kube.list(KIND, self.namespace)])
        self.kube.delete("Namespace", None, self.namespace)
        self.control.remove_environment(self.environment)

    def _drop(self, name: str) -> None:
        self.delete(name)
        with suppress(KubeError):
            self.kube.patch(KIND, self.namespace, name, {"metadata": {"finalizers": None}})


def in_parallel(call: Callable[[str], object], names: list[str]) -> None:
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(call, names))


@dataclass
class Operators:
    """Starts operators of a test's own; `settings` without the prefix LENSES_OPERATOR_."""

    run_dir: Path
    plane: ControlPlane
    lenses: RunningLenses
    launcher: Launcher
    started: list[OperatorProcess] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def start(
        self, *namespaces: str, ready: bool = True, kubeconfig: Path | None = None, **settings: Any
    ) -> OperatorProcess:
        """Watches these namespaces, or all of them; ready to work unless that is left out."""
        chosen = {"POLL_INTERVAL": POLL_INTERVAL, "DRIFT_INTERVAL": DRIFT_INTERVAL, **settings}
        if namespaces:
            chosen["WATCH_NAMESPACES"] = ",".join(namespaces)
        operator = OperatorProcess.start(
            self.run_dir,
            kubeconfig=kubeconfig or self.plane.kubeconfig,
            lenses_url=self.lenses.url,
            lenses_token=self.lenses.token,
            launcher=self.launcher,
            settings={key: str(value) for key, value in chosen.items()},
            name=f"operator-{next(self._numbers)}",
        )
        self.started.append(operator)
        return operator.wait_ready() if ready else operator

    def log(self) -> str:
        return "\n".join(operator.text() for operator in self.started)


@pytest.fixture(scope="session")
def operator_kube(kube: Kube) -> Kube:
    """The API server with the operator's kinds."""
    kube.install_crds(CRDS)
    return kube


@pytest.fixture(scope="session")
def shared_operator(
    operator_kube: Kube, control_plane: ControlPlane, lenses: RunningLenses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """Looks after the objects of every `place`."""
    selector = ",".join(f"{key}={value}" for key, value in SHARED.items())
    with Launcher() as launcher:
        operators = Operators(tmp_path_factory.mktemp("operator"), control_plane, lenses, launcher)
        yield operators.start(LABEL_SELECTOR=selector)


@pytest.fixture
def operators(
    operator_kube: Kube, control_plane: ControlPlane, lenses: RunningLenses, tmp_path: Path
) -> Iterator[Operators]:
    """Operators of the test's own, for the objects of an `own_place`; all are gone afterwards."""
    with Launcher() as launcher:
        made = Operators(tmp_path / "operators", control_plane, lenses, launcher)
        yield made
    assert "Traceback" not in made.log()


@pytest.fixture
def place(shared_operator: OperatorProcess, operator_kube: Kube, lenses: RunningLenses) -> Iterator[Place]:
    """The shared operator looks after it."""
    said = len(shared_operator.text())
    made = _place(operator_kube, lenses, SHARED)
    yield made
    made.leave()
    assert shared_operator.alive
    assert "Traceback" not in shared_operator.text()[said:]


@pytest.fixture
def own_places(operator_kube: Kube, lenses: RunningLenses) -> Iterator[Callable[[], Place]]:
    """Makes places nobody looks after until the test starts operators for them."""
    made: list[Place] = []

    def make() -> Place:
        made.append(_place(operator_kube, lenses, {}))
        return made[-1]

    yield make
    for place in made:
        place.leave()


@pytest.fixture
def own_place(own_places: Callable[[], Place]) -> Place:
    """One of `own_places`."""
    return own_places()


def _place(kube: Kube, lenses: RunningLenses, labels: Mapping[str, str]) -> Place:
    environment = f"env-{secrets.token_hex(4)}"
    lenses.control.add_environment(environment, {"connect": {"backend": "memory"}})
    return Place(kube, lenses.control, kube.create_namespace(), environment, labels)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """What the operators said, under the report of a test that failed."""
    report: Any = yield
    fixtures: Mapping[str, Any] = getattr(item, "funcargs", {})
    if report.when == "call" and report.failed:
        logs = [("shared operator", fixtures["shared_operator"].text())] if "shared_operator" in fixtures else []
        logs += [(found.log.name, found.text()) for found in getattr(fixtures.get("operators"), "started", [])]
        for name, text in logs:
            report.sections.append((name, "\n".join(text.splitlines()[-LOG_LINES:])))
    return report
