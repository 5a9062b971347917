"""`make demo`, by the command the target runs: it shows what it promises and leaves nothing running."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import build, paths
from harness.process import Launcher, Process
from harness.waiting import wait_until

TIMEOUT = 180.0


@pytest.fixture
def launcher() -> Iterator[Launcher]:
    """What it starts ends with the tests, however they end."""
    build.require("controlplane", "kafka")
    with Launcher() as made:
        yield made


def start(launcher: Launcher, run_dir: Path, *options: str) -> Process:
    """The demo with its output in one file."""
    argv = [sys.executable, "-m", "harness", "demo", "--run-dir", str(run_dir), *options]
    return launcher.spawn("demo", argv, output(run_dir), env={"PYTHONPATH": str(paths.HARNESS.parent)})


def output(run_dir: Path) -> Path:
    return run_dir.with_suffix(".txt")


def running_in(directory: Path) -> list[str]:
    """The command lines of all processes that have to do with a directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
            words.append(str(path.with_name("cwd").readlink()))
        except OSError:
            continue
        if any(str(directory) in word for word in words):
            found.append(" ".join(words))
    return found


def test_shows_everything_and_ends(launcher: Launcher, tmp_path: Path) -> None:
    run_dir = tmp_path / "demo"
    code = start(launcher, run_dir, "--exit").wait_for(TIMEOUT)
    shown = output(run_dir).read_text()
    assert code == 0, shown
    assert "The same lines came out." in shown
    assert 'Missing required configuration "topic"' in shown
    assert "Connector demo-sink not found" in shown
    assert running_in(run_dir) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGKILL, -9)])
def test_stays_up_until_it_is_ended(launcher: Launcher, tmp_path: Path, number: signal.Signals, code: int) -> None:
    run_dir = tmp_path / "demo"
    demo = start(launcher, run_dir)
    demo.wait_ready(lambda: "stays up until Ctrl-C" in output(run_dir).read_text(), TIMEOUT)
    assert len(running_in(run_dir)) > 5
    os.kill(demo.pid, number)
    assert demo.wait_for(30) == code
    wait_until("end of all that it started", lambda: not running_in(run_dir), 15)


def test_a_failure_ends_it_and_shows_the_log(launcher: Launcher, tmp_path: Path) -> None:
    run_dir = tmp_path / "demo"
    # Nobody is there: the operator cannot list the resources.
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "{apiVersion: v1, kind: Config, clusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}],"
        " contexts: [{name: a, context: {cluster: a}}], current-context: a}"
    )
    code = start(launcher, run_dir, "--exit", "--kubeconfig", str(kubeconfig)).wait_for(TIMEOUT)
    assert code == 1
    assert "refused" in output(run_dir).read_text()
    assert running_in(run_dir) == []
