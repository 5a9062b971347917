"""The two operators that are measured, each a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Protocol

import httpx

from bench.stage import TOKEN, Stage
from harness.metrics import Metrics
from harness.operator_process import OperatorProcess
from harness.process import Process

END_TIMEOUT = 120.0
READY_TIMEOUT = 120.0


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

    def end(self) -> None: ...


class Ours:
    """`lenses-operator run` with its default settings. It has looked at all when its work queue has run dry after the
    first list of the environment: its own metrics say so, asked twice a second."""

    name = "lenses-operator"
    interval = 300.0

    def __init__(self) -> None:
        self._runs = 0

    def start(self, stage: Stage) -> None:
        self._runs += 1
        self._operator = OperatorProcess.start(
            stage.run_dir / "operator",
            kubeconfig=stage.kubeconfig,
            lenses_url=stage.lenses_url,
            lenses_token=TOKEN,
            launcher=stage.launcher,
            settings={"LOG_FORMAT": "json", "LOG_LEVEL": "INFO"},
            name=f"operator-{self._runs}",
        )

    @property
    def pid(self) -> int:
        return self._operator.pid

    def looked_at_all(self, count: int) -> bool:
        if not self._operator.is_ready():
            return False
        metrics = Metrics.parse(httpx.get(f"{self._operator.url}/metrics", trust_env=False).text)
        idle = not any(metrics.total(f"lenses_operator_{name}") for name in ("workqueue_depth", "active_workers"))
        return idle and metrics.total("lenses_operator_reconcile_total") >= count

    def end(self) -> None:
        self._operator.terminate(END_TIMEOUT)


class Baseline:
    """`kopf run` of `baseline.py`. It has looked at all when Lenses has been asked for every connector."""

    name = "plain kopf"
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

    def end(self) -> None:
        self._process.stop()
