"""The program as kubectl finds it: a plugin by its file's name, and the one that completes it."""

from __future__ import annotations

import os
import subprocess
from importlib.metadata import version as installed_version
from pathlib import Path

import pytest

from harness import paths
from harness.operator_fixtures import Place
from harness.programs import install_programs
from harness.waiting import HANG
from integration.kubectl.support import Person


@pytest.fixture
def path(tmp_path: Path) -> str:
    install_programs(tmp_path / "bin")
    return f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"


def kubectl(person: Person, path: str, *words: str) -> str:
    done = subprocess.run(
        [paths.KUBECTL, *words],
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**person.environment, "PATH": path},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_kubectl_runs_and_completes_it(place: Place, person: Person, path: str) -> None:
    place.runs()
    assert kubectl(person, path, "lenses", "--version") == f"{installed_version('lenses-operator')}\n"
    shown = kubectl(person, path, "lenses", "status", "-n", place.namespace)
    assert "1 connector: 1 ready" in shown
    words = ("__complete", "lenses", "pause", "-n", place.namespace, "or")
    assert kubectl(person, path, *words).splitlines()[:2] == ["orders", ":4"]
