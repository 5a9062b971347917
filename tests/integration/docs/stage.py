"""Where the documentation is tried: the names it uses exist, and an operator works in its namespaces."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.kinds import kind_of
from harness.kube import Kube, Object
from harness.lenses.control import Json, LensesControl
from harness.operator_fixtures import message, reason
from harness.paths import ROOT
from harness.waiting import wait_until
from integration.docs.markdown import Command

NAMESPACES = ("payments", "billing")
"""kubectl is in the first one where a command names none."""
ENVIRONMENTS = {"prod": ("connect-eu", "connect-us"), "demo": ("connect",)}
FILES = "/tmp/lenses-demo"
"""What the pages call the directory of the file connectors; here it is one of the test's own."""
OURS = ("LensesConnectorOffsets", "LensesConnector")
MADE = (*OURS, "Secret", "ConfigMap", "Role", "RoleBinding", "NetworkPolicy")
TIMEOUT = 60.0
LOOKS = ("kubectl get ", "kubectl describe ", "kubectl events ", "cat ")
"""Commands that change nothing, so that they may be repeated until they show what the page shows."""
VARIABLE = [
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

    def add_environments(self, **backends: Json) -> None:
        """`backends`: of an environment whose clusters are not simulated."""
        for environment, clusters in ENVIRONMENTS.items():
            backend = backends.get(environment, {"backend": "memory"})
            self.control.add_environment(environment, dict.fromkeys(clusters, backend))
        (self.directory / "files").mkdir()
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
        """Fails where the command does, or does not show what the page shows."""
        last: subprocess.CompletedProcess[str] | None = None

        def check() -> bool:
            nonlocal last
            last = self._shell(command.text)
            return last.returncode == 0 and not missing(command.output, self._as_in_page(last.stdout))

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
        env: dict[str, Any] = {
            **os.environ,
            "KUBECONFIG": str(self.kubeconfig),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.localised(command)],
            cwd=self.directory,
            env=env,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )


def missing(wanted: list[str], shown: str) -> list[str]:
    """The lines of a page that what was printed does not have, in order; `...` stands for any lines."""
    there = iter([_comparable(line) for line in shown.splitlines()])
    lines = [line for line in wanted if line.strip() not in ("", "...")]
    return [line for line in lines if _comparable(line) not in there]


def _comparable(line: str) -> str:
    for pattern, word in VARIABLE:
        line = pattern.sub(word, line)
    return " ".join(line.split())
