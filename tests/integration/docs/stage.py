"""Where the documentation is tried: the names it uses exist, and an operator works in its namespaces."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from harness.kinds import kind_of
from harness.kube import Kube, Object
from harness.lenses.control import Json, LensesControl
from harness.operator_fixtures import message, reason
from harness.paths import ROOT
from harness.programs import install_programs
from harness.waiting import HANG, wait_until
from integration.docs.markdown import Command
from lenses_operator.cli import main

NAMESPACES = ("payments", "billing")
"""kubectl is in the first one where a command names none."""
ENVIRONMENTS = {"prod": ("connect-eu", "connect-us"), "demo": ("connect",)}
FILES = "/tmp/lenses-demo"
"""What the pages call the directory of the file connectors; here it is one of the test's own."""
OURS = ("LensesConnectorOffsets", "LensesConnector")
MADE = (*OURS, "Secret", "ConfigMap", "Role", "RoleBinding", "NetworkPolicy")
TIMEOUT = 60.0
LOOKS = (
    *("kubectl get ", "kubectl describe ", "kubectl events ", "cat "),
    *("kubectl lenses status", "kubectl lenses errors", "kubectl lenses diff", "kubectl lenses offsets show"),
)
"""Commands that change nothing, so that they may be repeated until they show what the page shows."""
OURSELVES = "kubectl lenses "
SHELL = re.compile(r"[|<>$;&`]")
"""What only a shell understands."""
VARIABLE = [
    (re.compile(r"\b(set|reset|restore|export)-[a-z0-9]{5}\b"), "GENERATED"),  # before ages, which it may look like
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\b"), "TIME"),
    (re.compile(r"\b(\d+[smhd])+\b"), "AGE"),
    (re.compile(r"AGE \(x\d+ over AGE\)"), "AGE"),
]


@dataclass(frozen=True)
class Stage:
    """Its directory holds the files that a page tells to write, beside `examples` and `crds`."""

    kube: Kube
    control: LensesControl
    kubeconfig: Path
    directory: Path
    lenses_url: str
    lenses_token: str

    def add_environments(self, **backends: Json) -> None:
        """`backends`: of an environment whose clusters are not simulated."""
        for environment, clusters in ENVIRONMENTS.items():
            backend = backends.get(environment, {"backend": "memory"})
            self.control.add_environment(environment, dict.fromkeys(clusters, backend))
        (self.directory / "files").mkdir()
        (self.directory / "token").write_text(self.lenses_token)
        install_programs(self.directory / "bin")
        for name in ("examples", "crds"):
            (self.directory / name).symlink_to(ROOT / name)

    def clear(self) -> None:
        """Everything that a page made goes as its user would let it go."""
        for namespace in NAMESPACES:
            for kind in MADE:
                for found in self.kube.list(kind, namespace):
                    self.kube.delete(kind, namespace, found["metadata"]["name"])
        wait_until("end of what the page made", lambda: not self._ours(), TIMEOUT)
        for environment in ENVIRONMENTS:
            self.control.remove_environment(environment)

    def _ours(self) -> list[Object]:
        return [found for at in NAMESPACES for kind in OURS for found in self.kube.list(kind, at)]

    def localised(self, text: str) -> str:
        return text.replace(FILES, str(self.directory / "files"))

    def apply(self, manifest: Object) -> Object:
        return self.kube.apply(manifest, NAMESPACES[0])

    def dry_run(self, manifest: Object) -> None:
        """Admission and defaults without anything kept, in a namespace that is there whatever the object says."""
        at = {"namespace": NAMESPACES[0]} if kind_of(manifest).namespaced else {}
        placed = {**manifest, "metadata": {"name": "one", **manifest["metadata"], **at}}
        path = kind_of(placed).path(NAMESPACES[0], placed["metadata"]["name"])
        answer = self.kube.raw(
            "PATCH",
            path,
            placed,
            content_type="application/apply-patch+yaml",
            params={"fieldManager": "docs", "force": "true", "dryRun": "All"},
        )
        assert answer.is_success, f"{path}: {answer.text}"

    def wait_reason(self, manifest: Object, wanted: str) -> None:
        meta = manifest["metadata"]

        def check(found: Object) -> bool:
            return reason(found) == wanted and bool(message(found))

        self.kube.wait_for(manifest["kind"], meta.get("namespace", NAMESPACES[0]), meta["name"], check, timeout=TIMEOUT)

    def run(self, command: Command) -> None:
        """Fails where the command does, or does not show what the page shows; a note `exit:` says how it is to end."""
        last: subprocess.CompletedProcess[str] | None = None
        code = int(command.block.note("exit") or 0)

        def check() -> bool:
            nonlocal last
            last = self._shell(command.text)
            return last.returncode == code and not missing(command.output, self._as_in_page(last.stdout))

        try:
            wait_until(command.text, check, TIMEOUT if command.text.startswith(LOOKS) else 0)
        except TimeoutError:
            assert last is not None
            shown = self._as_in_page(last.stdout)
            raise AssertionError(
                f"{command.block}: {command.text}\nexit code {last.returncode}\n{shown}{last.stderr}"
                f"lines that did not come: {missing(command.output, shown)}"
            ) from None

    def _as_in_page(self, text: str) -> str:
        return text.replace(str(self.directory / "files"), FILES)

    def _shell(self, command: str) -> subprocess.CompletedProcess[str]:
        if command.startswith(OURSELVES) and not SHELL.search(command):
            return self._here(shlex.split(self.localised(command))[2:])
        env: dict[str, Any] = {
            **os.environ,
            "KUBECONFIG": str(self.kubeconfig),
            "PATH": f"{self.directory / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            **self._lenses,
        }
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.localised(command)],
            cwd=self.directory,
            env=env,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=HANG,
            check=False,
        )

    def _here(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        """In this process, which saves the seconds that one takes to start; the pipes are the shell's."""
        with contextlib.chdir(self.directory):
            access = ["--kubeconfig", str(self.kubeconfig)]
            done = CliRunner().invoke(main, [*words, *access], prog_name="kubectl lenses", env=self._lenses)
        return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)

    @property
    def _lenses(self) -> dict[str, str]:
        file = str(self.directory / "token")
        return {"LENSES_OPERATOR_LENSES_URL": self.lenses_url, "LENSES_OPERATOR_LENSES_TOKEN_FILE": file}


def missing(wanted: list[str], shown: str) -> list[str]:
    """The lines of a page that what was printed does not have, in order; `...` stands for any lines."""
    there = iter([_comparable(line) for line in shown.splitlines()])
    lines = [line for line in wanted if line.strip() not in ("", "...")]
    return [line for line in lines if _comparable(line) not in there]


def _comparable(line: str) -> str:
    for pattern, word in VARIABLE:
        line = pattern.sub(word, line)
    return " ".join(line.split())
