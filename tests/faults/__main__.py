"""Brings each fault back in a copy of the operator, and demands that the tests named for it notice: `make faults`.

python -m faults [NAME ...]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from faults.catalogue import FAULTS, Fault
from faults.put import put
from harness.paths import OPERATOR, ROOT

FAILED = 1
"""pytest's exit code where tests failed; another one says that they were not run."""


def run(package: Path, tests: tuple[str, ...]) -> int:
    """pytest's exit code for these tests over the package in this folder. Ends where they do not run, or fail over the
    package as it is."""
    path = f"{package} {ROOT / 'tests'}"
    options = [
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-o",
        f"pythonpath={path}",
        "-o",
        "addopts=--import-mode=importlib",
    ]
    env = {**os.environ, "PYTHONPATH": f"{package}{os.pathsep}{ROOT / 'tests'}"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, FAILED) or (package == OPERATOR and done.returncode):
        sys.exit(f"{' '.join(tests)} did not run, or fail without any fault:\n{done.stdout}{done.stderr}")
    return done.returncode


def noticed(fault: Fault) -> bool:
    with tempfile.TemporaryDirectory(prefix="fault-") as folder:
        package = Path(folder) / "operator"
        shutil.copytree(OPERATOR, package, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        put(fault, package)
        return run(package, fault.tests) == FAILED


def main(names: list[str]) -> int:
    chosen = {name: FAULTS[name] for name in names or FAULTS}
    tests = tuple(sorted({test for fault in chosen.values() for test in fault.tests}))
    run(OPERATOR, tests)
    missed = []
    for number, (name, fault) in enumerate(chosen.items(), 1):
        found = noticed(fault)
        print(f"{number:2} of {len(chosen)}  {'noticed' if found else 'MISSED ':7}  {name}: {fault.what}", flush=True)
        missed += [] if found else [name]
    print(
        f"{len(chosen) - len(missed)} of {len(chosen)} faults noticed"
        + (f"; missed: {', '.join(missed)}" if missed else "")
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
