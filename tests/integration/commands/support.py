"""The command line as a process, with the access of the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from harness.lenses.environment import LensesEnv
from harness.waiting import HANG
from lenses_operator.cli import main

CLASS = "org.apache.kafka.connect.file.FileStreamSourceConnector"


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass(frozen=True)
class Checks:
    """The lines of a doctor's report."""

    code: int
    checks: list[dict[str, str]]

    def one(self, check: str) -> dict[str, str]:
        [found] = [one for one in self.checks if one["check"] == check]
        return found

    def verdicts(self, *verdicts: str) -> list[str]:
        """The checks with one of these."""
        return [one["check"] for one in self.checks if one["verdict"] in verdicts]


@dataclass(frozen=True)
class CommandLine:
    """`lenses-operator` as somebody at a laptop runs it; as a process where Kubernetes is asked."""

    folder: Path
    url: str
    token: str
    kubeconfig: Path | None = None

    def run(self, *words: str, url: str | None = None, token: str | None = None, **variables: str) -> Done:
        file = self.folder / f"token-{len(list(self.folder.iterdir()))}"
        file.write_text((self.token if token is None else token) + "\n")
        access = {"LENSES_OPERATOR_LENSES_URL": url or self.url, "LENSES_OPERATOR_LENSES_TOKEN_FILE": str(file)}
        run = self._here if self.kubeconfig is None else self._process
        done = run(words, access | variables)
        assert "Traceback" not in done.err
        assert self.token not in done.out + done.err
        return done

    def _here(self, words: tuple[str, ...], variables: dict[str, str]) -> Done:
        """Saves the second that a process takes to start."""
        result = CliRunner().invoke(main, words, env=variables)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    def _process(self, words: tuple[str, ...], variables: dict[str, str]) -> Done:
        """The Kubernetes client reads KUBECONFIG once in a process."""
        done = subprocess.run(
            [sys.executable, "-m", "lenses_operator", *words],
            capture_output=True,
            text=True,
            timeout=HANG,
            check=False,
            env={**os.environ, **variables, "KUBECONFIG": str(self.kubeconfig)},
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def doctor(self, *words: str, **options: Any) -> Checks:
        done = self.run("doctor", "-o", "json", *words, **options)
        assert done.out, done.err
        return Checks(done.code, done.document["checks"])

    def looks(self, environment: str, *words: str, **options: Any) -> Checks:
        """The doctor, at Lenses alone."""
        return self.doctor("--environment", environment, "--skip-kubernetes", *words, **options)


def create(env: LensesEnv, name: str = "orders", **more: str) -> None:
    config = {"name": name, "connector.class": CLASS, "file": "/dev/null", "topic": "lines", **more}
    env.client().create("connect", name, config)
