"""The real kubectl, with the kubeconfig of the environment."""

import os
import subprocess
from pathlib import Path

from harness import paths
from harness.waiting import HANG


class KubectlError(Exception):
    """What kubectl had to say."""


class Kubectl:
    """Call it with kubectl's arguments: `kubectl("get", "lc", "-A")`."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig

    def __call__(self, *arguments: str, stdin: str | None = None, timeout: float = HANG) -> str:
        """What it printed; an error that carries its own message if it failed."""
        done = self.run(*arguments, stdin=stdin, timeout=timeout)
        if done.returncode:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def run(
        self, *arguments: str, stdin: str | None = None, timeout: float = HANG
    ) -> "subprocess.CompletedProcess[str]":
        """Run it and return whatever came out."""
        return subprocess.run(
            [paths.KUBECTL, *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
            check=False,
        )
