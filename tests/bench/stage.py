"""A control plane and a Lenses server, each a process of its own, for one operator and one number of connectors."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.audit import Audit
from bench.figures import BENCH, LENSES
from bench.usage import cpu_of
from harness import paths
from harness.controlplane import OPERATOR, ControlPlane, Extras
from harness.kube import Kube
from harness.lenses.control import LensesControl
from harness.paths import CRDS
from harness.process import Launcher

ENVIRONMENT, BESIDE = "main", "beside"
TOKEN = "bench-token"
MEMORY = {"backend": "memory", "state_delay": 0.05}
"""A Connect cluster."""
CONFIG = {
    "environments": {name: {"clusters": {"connect": MEMORY}} for name in (ENVIRONMENT, BESIDE)},
    "tokens": {TOKEN: {"name": "bench"}},
    "check": False,  # its own answers against the OpenAPI file, which costs more than the answers
}
LENSES_TIMEOUT = 30.0
ADMIN_OF_ALL = f"""\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: benched}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: "{OPERATOR.name}"}}]
"""


@dataclass(frozen=True)
class Stage:
    """Everything listens on loopback; the operator has its own account, so that its requests can be told apart."""

    run_dir: Path
    launcher: Launcher
    plane: ControlPlane
    audit: Audit
    kubeconfig: Path
    lenses_url: str
    control: LensesControl

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU so far of each process, this one included."""
        used = {process.name: cpu_of(process.pid) for process in self.launcher.running}
        return used | {BENCH: cpu_of(os.getpid())}

    @classmethod
    @contextmanager
    def set(cls, run_dir: Path) -> Iterator[Stage]:
        audit = Audit(run_dir, OPERATOR.name)
        with Launcher() as launcher:
            plane = ControlPlane.start(run_dir / "controlplane", launcher=launcher, extras=Extras(flags=audit.flags))
            with Kube(plane.url, plane.token, plane.ca) as kube:
                kube.install_crds(CRDS)
                kube.apply(ADMIN_OF_ALL)
            urls = _lenses(run_dir / "lenses", launcher)
            control = LensesControl(urls["control_url"])
            try:
                yield cls(run_dir, launcher, plane, audit, plane.kubeconfig_for(OPERATOR), urls["url"], control)
            finally:
                control.close()


def _lenses(run_dir: Path, launcher: Launcher) -> dict[str, str]:
    run_dir.mkdir(parents=True, exist_ok=True)
    config, state = run_dir / "config.json", run_dir / "state.json"
    config.write_text(json.dumps(CONFIG))
    argv: list[str | Path] = [sys.executable, "-m", "harness.lenses", "--config", config, "--state-file", state]
    env = {"PYTHONPATH": str(paths.HARNESS.parent)}
    process = launcher.spawn(LENSES, argv, run_dir / "lenses.log", env=env)
    process.wait_ready(state.exists, LENSES_TIMEOUT)
    urls: dict[str, str] = json.loads(state.read_text())
    return urls
