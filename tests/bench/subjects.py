"""The two operators that are measured, each a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx

from bench.figures import PLAIN
from bench.holds import NAMES, Turns
from bench.stage import TOKEN, Stage
from harness import http
from harness.metrics import Metrics
from harness.operator_process import OperatorProcess
from harness.process import Process

END_TIMEOUT = 120.0
READY_TIMEOUT = 120.0
METRICS_TIMEOUT = 10.0
PASSES = "lenses_operator_reconcile_total"
WAITING = ("lenses_operator_workqueue_depth", "lenses_operator_active_workers")


@dataclass(frozen=True)
class Work:
    """Passes so far, and whether there are no more to do."""

    passes: int
    idle: bool

    def done(self, passes: int) -> bool:
        return self.idle and self.passes >= passes


class Subject(Protocol):
    """An operator under measurement."""

    name: str
    interval: float
    """Seconds in which it looks at every connector once by itself."""

    def start(self, stage: Stage) -> None:
        """Begins it, and waits for nothing."""
        ...

    @property
    def pid(self) -> int: ...

    def looked_at_all(self, count: int) -> bool:
        """Whether each of `count` connectors that were there at its start has been compared with Lenses."""
        ...

    def turns(self) -> Turns:
        """Of its event loop so far; none where it does not measure them, or does not answer yet."""
        ...

    def end(self) -> None: ...


class Ours:
    """`lenses-operator run` with its default settings, but for those given.

    It has looked at all when its work queue has run dry after the first list of the environment: its own metrics say
    so. Only those are asked for: the others are about every connector, and take a good part of a start's time.
    """

    name = "lenses-operator"
    interval = 300.0

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self._settings = settings or {}
        self._runs = 0

    def start(self, stage: Stage) -> None:
        self._runs += 1
        self._operator = OperatorProcess.start(
            stage.run_dir / "operator",
            kubeconfig=stage.kubeconfig,
            lenses_url=stage.lenses_url,
            lenses_token=TOKEN,
            launcher=stage.launcher,
            settings={"LOG_FORMAT": "json", "LOG_LEVEL": "INFO", **self._settings},
            name=f"operator-{self._runs}",
        )

    @property
    def pid(self) -> int:
        return self._operator.pid

    def looked_at_all(self, count: int) -> bool:
        return self.ready() and self.work().done(count)

    def ready(self) -> bool:
        return self._operator.is_ready()

    def work(self) -> Work:
        """By its own metrics."""
        metrics = self._metrics(PASSES, *WAITING)
        return Work(int(metrics.total(PASSES)), idle=not any(map(metrics.total, WAITING)))

    def _metrics(self, *names: str) -> Metrics:
        wanted = "&".join(f"name[]={name}" for name in names)
        answer = http.get(f"{self._operator.url}/metrics?{wanted}", timeout=METRICS_TIMEOUT)
        return Metrics.parse(answer.raise_for_status().text)

    def turns(self) -> Turns:
        try:
            return Turns.of(self.pid, self._metrics(*NAMES))
        except (httpx.HTTPError, RuntimeError):  # it has not said its port yet, or its loop is held for seconds
            return Turns()

    def end(self) -> None:
        self._operator.terminate(END_TIMEOUT)


class Baseline:
    """`kopf run` of `baseline.py`. It has looked at all when Lenses has been asked for every connector."""

    name = PLAIN
    interval = 30.0

    def __init__(self) -> None:
        self._runs = 0

    def start(self, stage: Stage) -> None:
        self._runs += 1
        self._control = stage.control
        self._asked = self._asks()
        env = {"KUBECONFIG": str(stage.kubeconfig), "LENSES_URL": stage.lenses_url, "LENSES_TOKEN": TOKEN}
        script = Path(__file__).with_name("baseline.py")
        argv: list[str | Path] = [sys.executable, "-m", "kopf", "run", "--all-namespaces", "--standalone", script]
        log = stage.run_dir / f"baseline-{self._runs}.log"
        self._process: Process = stage.launcher.spawn(self.name, argv, log, env=env)
        self._process.wait_ready(lambda: self._process.has_logged("Initial authentication has finished"), READY_TIMEOUT)

    def _asks(self) -> int:
        return self._control.counts().get("GetConnector", 0)

    @property
    def pid(self) -> int:
        return self._process.pid

    def looked_at_all(self, count: int) -> bool:
        return self._asks() - self._asked >= count

    def turns(self) -> Turns:
        return Turns()

    def end(self) -> None:
        self._process.stop()
