"""Tries the project with other versions of what it runs on, and writes docs/versions.md from what came out.

`python -m harness versions [TRIAL...]`: a trial is a part and its version, such as `kubernetes-1.31`. Each runs tests
that there are anyway, with a binary or an interpreter of that version in the place of the usual one.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness import build, paths
from harness.process import Launcher
from harness.waiting import wait_until

RESULTS = paths.HARNESS / "versions.json"
PAGE = paths.ROOT / "docs" / "versions.md"
PYENV = Path.home() / ".pyenv" / "versions"
COUNTS = re.compile(r"^(?:=+ )?((?:\d+ \w+(?:, )?)+) in [\d.]+s", re.MULTILINE)
TIMEOUT = 1800.0
"""Seconds of a machine that does nothing else: what takes longer hangs."""
# As in the Makefile, with fewer workers: each has a control plane of its own.
OPTIONS = ("-q", "-p", "no:cacheprovider", "-n", "4", "--dist", "loadscope", "--no-loadscope-reorder")

CHART = ("tests/integration/chart",)
CLUSTER = ("tests/integration/operator", "tests/integration/offsets/test_admission.py", *CHART)
UNIT = ("tests/unit",)

HEAD = """\
# Versions

What is tested with what. The table is made by the tests themselves: `make test-versions` builds or looks for each
version and runs the tests that are named. That takes long, and so is not part of what every change runs; the first
three rows are the versions that every change is tested with.

| part | version | tests | result | on |
|---|---|---|---|---|
"""
NOTE = """
Kubernetes here is the real API server of that version, built from its Go modules, with its own etcd; the controllers
beside it are those of {kubernetes}. That of 1.31 refuses every write to a status that does not fit the definition, so
only an Event says what is wrong with such an object there. What was tried with which Argo CD and Flux is in
[GitOps](gitops.md#what-was-tried).
"""


@dataclass(frozen=True)
class Trial:
    """`binary` stands in for what the environment variable of `variable` names; `step` builds it."""

    part: str
    version: str
    tests: Sequence[str]
    variable: str = ""
    step: str = ""

    @property
    def name(self) -> str:
        return f"{self.part.lower()}-{self.version}"

    def run(self) -> tuple[str, bool]:
        """What came out, and whether it is well. Raises RuntimeError where it cannot be tried here."""
        env, python = {}, sys.executable
        if self.step:
            build.ensure(self.step)
            env = {self.variable: str(build.STEPS[self.step].output)}
        else:
            python = str(_interpreter(self.version))
        log = paths.BUILD / "logs" / f"trial-{self.name}.log"
        result, well = tried([python, "-m", "pytest", *OPTIONS, *self.tests], env, log)
        print(f"versions: {self.name}: {result}; all of it in {log}", flush=True)
        return result, well


def tried(argv: Sequence[str | Path], env: Mapping[str, str], log: Path, timeout: float = TIMEOUT) -> tuple[str, bool]:
    """What pytest said last, and whether it ended well; one that does not end is ended, with all that it started."""
    with Launcher() as launcher:
        process = launcher.spawn("pytest", argv, log, env=env, cwd=paths.ROOT)
        try:
            wait_until("end of pytest", lambda: not process.alive, timeout)
        except TimeoutError:
            return f"did not end within {timeout / 60:g} minutes", False
        well = process.wait_for(timeout) == 0
    found = COUNTS.findall(log.read_text(errors="replace"))
    return (found[-1] if found else "nothing ran"), well


def trials() -> list[Trial]:
    helms = [Trial("Helm", one, CHART, "HELM_BINARY", f"helm-{one}") for one in build.HELM_3_VERSIONS]
    servers = sorted(one for one in build.STEPS if one.startswith("apiserver-"))
    kubernetes = [
        Trial("Kubernetes", one.removeprefix("apiserver-"), CLUSTER, "API_SERVER_BINARY", one) for one in servers
    ]
    return [*kubernetes, *helms, *(Trial("Python", version, UNIT) for version in ("3.12", "3.13", "3.14"))]


def _interpreter(version: str) -> Path:
    """Of an environment with the locked dependencies. Raises RuntimeError where this Python is not to be had."""
    made = paths.BUILD / f"python-{version}"
    lock, ready = paths.ROOT / "requirements" / "dev.txt", made / ".ready"
    if not ready.exists() or ready.read_bytes() != lock.read_bytes():
        # pyenv's own first: what it puts on PATH may be a word that this version is not chosen.
        known = [str(one / "bin" / "python") for one in sorted(PYENV.glob(f"{version}.*"))]
        base = known[-1] if known else shutil.which(f"python{version}")
        if base is None:
            raise RuntimeError(f"Python {version} is not on this machine")
        pip = [str(made / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        locked = ["--require-hashes", "-r", str(lock)]
        for argv in (
            [base, "-m", "venv", "--clear", str(made)],
            [*pip, *locked],
            [*pip, "--no-deps", "--no-build-isolation", "--editable", str(paths.ROOT)],
        ):
            subprocess.run(argv, check=True, timeout=TIMEOUT)
        shutil.copyfile(lock, ready)
    return made / "bin" / "python"


def try_all(names: Sequence[str]) -> int:
    """Those of these names, or all; the page is written after each. How many failed."""
    known = {trial.name: trial for trial in trials()}
    unknown = set(names) - set(known)
    if unknown:
        raise ValueError(f"no trial is called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    failed = 0
    for name in names or known:
        trial = known[name]
        try:
            result, well = trial.run()
        except RuntimeError as error:
            print(f"versions: {name} cannot be tried here: {error}", flush=True)
            continue
        failed += not well
        record(trial, result)
    return failed


def record(trial: Trial, result: str) -> None:
    """In the file that is kept, and so on the page."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[trial.name] = {
        "part": trial.part,
        "version": _exact(trial),
        "tests": list(trial.tests),
        "result": result,
        "on": datetime.now(UTC).date().isoformat(),
    }
    RESULTS.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    PAGE.write_text(page(results))


def _exact(trial: Trial) -> str:
    if trial.part == "Kubernetes":
        return build.kubernetes_of(paths.HARNESS / "apiserver" / f"{trial.version}.mod")
    if trial.part == "Python":
        argv = [str(paths.BUILD / f"python-{trial.version}" / "bin" / "python"), "-c"]
        code = "import platform; print(platform.python_version())"
        return subprocess.run([*argv, code], capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    return trial.version


def page(results: Mapping[str, Mapping[str, object]]) -> str:
    """docs/versions.md."""
    kubernetes = build.kubernetes_of(paths.HARNESS / "controlplane" / "go.mod")
    usual = [
        f"| Kubernetes | {kubernetes} | all | with every change | |",
        f"| Helm | {build.HELM_VERSION.removeprefix('v')} | all | with every change | |",
        "| Python | 3.11 | all | with every change | |",
    ]
    rows = [_row(results[trial.name]) if trial.name in results else _untried(trial) for trial in trials()]
    return HEAD + "".join(f"{row}\n" for row in [*usual, *rows]) + NOTE.format(kubernetes=kubernetes)


def _row(found: Mapping[str, object]) -> str:
    tests = ", ".join(f"`{one}`" for one in found["tests"])  # type: ignore[attr-defined]
    return f"| {found['part']} | {found['version']} | {tests} | {found['result']} | {found['on']} |"


def _untried(trial: Trial) -> str:
    return f"| {trial.part} | {trial.version} | | not tried yet | |"
