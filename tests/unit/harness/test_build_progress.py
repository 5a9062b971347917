"""How far a build of Go code is, by what the go command prints."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from harness import build, paths
from harness.build_progress import Progress, downloads, listing, packages, talking

LISTED = """\
internal/goarch
unsafe
encoding/json
k8s.io/api/core/v1
lenses.example/controlplane
"""
LOG = """\
go: downloading k8s.io/api v0.36.3
go: downloading golang.org/x/net v0.50.0
internal/goarch
encoding/json
k8s.io/api/core/v1
k8s.io/api/core/v1
"""


def test_each_package_counts_once_and_modules_apart() -> None:
    found = Progress.read(LOG.splitlines(), packages(LISTED))
    assert found == Progress(compiled=3, downloaded=2, of=5)
    assert str(found) == "packages compiled: 3 of 5"


@pytest.mark.parametrize(
    ("lines", "of", "said"),
    [
        ([], 5, ""),
        (["go: downloading k8s.io/api v0.36.3"], 5, "modules downloaded: 1"),
        (["internal/goarch"], 0, "packages compiled: 1"),
        ([f"k8s.io/package{number}" for number in range(1203)], 2501, "packages compiled: 1,203 of 2,501"),
        (["# k8s.io/api", "./main.go:7:2: undefined: x", "go: finding", "", "io"], 2, "packages compiled: 1 of 2"),
    ],
)
def test_what_is_said(lines: list[str], of: int, said: str) -> None:
    assert str(Progress.read(lines, of)) == said


def test_a_list_compiles_nothing() -> None:
    assert downloads(LOG.splitlines()) == "modules downloaded: 2"
    assert downloads(LISTED.splitlines()) == ""


def test_the_list_is_of_what_is_built() -> None:
    listed = listing(("go", "build", "-trimpath", "-modfile=1.30.mod", "-o", "x", "."))
    assert listed == ("go", "list", "-deps", "-modfile=1.30.mod", ".")
    assert listing(("go", "install", "example.com/x@v1")) is None
    assert listing(("mvn", "-q")) is None
    assert talking(("go", "build", "-o", "x", ".")) == ("go", "build", "-v", "-o", "x", ".")
    assert talking(("mvn", "-q")) == ("mvn", "-q")


def test_the_control_plane_is_counted() -> None:
    assert listing(build.STEPS["controlplane"].argv) is not None


GO = """#!/bin/sh
if [ "$1" = list ]; then
  cat "$LISTED"
  exit
fi
printf 'go: downloading k8s.io/api v0.36.3\\ninternal/goarch\\nencoding/json\\n'
while [ ! -e "$SEEN" ]; do sleep 0.02; done
touch "$4"
"""


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that goes on when this file is there."""
    fake, listed, seen = tmp_path / "bin" / "go", tmp_path / "listed", tmp_path / "seen"
    fake.parent.mkdir()
    fake.write_text(GO)
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    listed.write_text(LISTED)
    monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin")
    monkeypatch.setenv("SEEN", str(seen))
    monkeypatch.setenv("LISTED", str(listed))
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    return seen


@pytest.mark.parametrize("terminal", [False, True])
def test_a_build_shows_how_far_it_is(
    terminal: bool, go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    monkeypatch.setattr(build, "PROGRESS_INTERVAL", 0.05)
    monkeypatch.setattr(build, "TERMINAL_INTERVAL", 0.05)
    shown = str(Progress(compiled=2, downloaded=1, of=5))

    def look(progress: Progress) -> str:
        if progress.compiled == 2:
            go.touch()
            return shown
        return ""

    monkeypatch.setattr(Progress, "__str__", look)
    argv = ("go", "build", "-o", "{scratch}/made", ".")
    step = build.Step("thing", "a thing", tmp_path / "made", (), argv, tmp_path, "made")
    build.ensure_steps([step])
    said = capsys.readouterr().out
    assert f"so far, {shown}" in said
    assert ("\r" in said) == terminal
    assert said.endswith("s\n")
    assert step.is_current(), "neither the list nor the names make it another build"
