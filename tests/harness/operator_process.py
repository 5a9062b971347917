"""The operator as users run it: `lenses-operator run`, a process of its own that can be killed like one."""

import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import httpx

from harness import http
from harness.ended import Ended
from harness.paths import OPERATOR
from harness.process import Launcher, Process

READY_TIMEOUT = 120.0
PORT = re.compile(r"metrics on port (\d+)")


class OperatorProcess(Ended):
    """Started and not waited for: see `wait_ready`. Its log holds all it says, at DEBUG."""

    def __init__(self, process: Process, log: Path) -> None:
        self._process = process
        self.log = log

    @classmethod
    def start(
        cls,
        run_dir: Path,
        *,
        kubeconfig: Path,
        lenses_url: str,
        lenses_token: str,
        launcher: Launcher,
        settings: Mapping[str, str] | None = None,
        name: str = "operator",
    ) -> Self:
        """`settings` without the prefix LENSES_OPERATOR_."""
        run_dir.mkdir(parents=True, exist_ok=True)
        token_file = run_dir / "token"
        token_file.write_text(lenses_token)
        chosen = {
            "LENSES_URL": lenses_url,
            "LENSES_TOKEN_FILE": str(token_file),
            "HTTP_HOST": "127.0.0.1",
            "HTTP_PORT": "0",
            "LOG_FORMAT": "text",
            "LOG_LEVEL": "DEBUG",
            "LEADER_ELECTION": "false",  # a Lease whose operator was killed would have the next one wait
            **(settings or {}),
        }
        env = {f"LENSES_OPERATOR_{key}": value for key, value in chosen.items()} | {"KUBECONFIG": str(kubeconfig)}
        return cls.run(run_dir, ["run"], env, launcher=launcher, name=name)

    @classmethod
    def run(
        cls, run_dir: Path, arguments: Sequence[str], env: Mapping[str, str], *, launcher: Launcher, name: str
    ) -> Self:
        """With these arguments and this environment, as they are, and the code of this checkout."""
        log = run_dir / f"{name}.log"
        path = str(OPERATOR) if "PYTHONPATH" not in env else f"{env['PYTHONPATH']}{os.pathsep}{OPERATOR}"
        argv: list[str | Path] = [sys.executable, "-m", "lenses_operator", *arguments]
        return cls(launcher.spawn(name, argv, log, env={**env, "PYTHONPATH": path}, cwd=run_dir), log)

    @property
    def url(self) -> str:
        """Where health and metrics are served."""
        found = PORT.search(self.text())
        if found is None:
            raise RuntimeError("the operator has not said its port yet")
        return f"http://127.0.0.1:{found[1]}"

    @property
    def pid(self) -> int:
        """Of the operator itself."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.alive

    def text(self) -> str:
        """The whole log so far."""
        return self.log.read_text(errors="replace")

    def wait_ready(self, timeout: float = READY_TIMEOUT) -> Self:
        """Until /readyz is 200."""
        self._process.wait_ready(self.is_ready, timeout)
        return self

    def wait_end(self, timeout: float = 60.0) -> int:
        """The exit code of one that ends by itself."""
        return self._process.wait_for(timeout)

    def kill(self) -> None:
        """kill -9: no clean-up of any kind."""
        self._process.stop()

    _end = kill

    def terminate(self, timeout: float = 60.0) -> int:
        """SIGTERM, as the kubelet sends it; the exit code."""
        os.kill(self._process.pid, signal.SIGTERM)
        return self._process.wait_for(timeout)

    def pause(self) -> None:
        """SIGSTOP: it does nothing, and does not know."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self._process.pid, signal.SIGCONT)

    def is_ready(self) -> bool:
        """Whether /readyz is 200."""
        if not PORT.search(self.text()):
            return False
        try:
            return http.get(f"{self.url}/readyz", timeout=5).is_success
        except httpx.TransportError:
            return False
