"""`make demo`, by the command the target runs: it shows what it promises and leaves nothing running."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness import build, paths
from harness.waiting import wait_until

TIMEOUT = 180.0


def start(run_dir: Path, *options: str) -> "subprocess.Popen[str]":
    """The demo with its output in one file."""
    build.require("controlplane", "kafka")
    argv = [sys.executable, "-m", "harness", "demo", "--run-dir", str(run_dir), *options]
    env = {**os.environ, "PYTHONPATH": str(paths.HARNESS.parent)}
    with output(run_dir).open("w") as file:
        return subprocess.Popen(argv, env=env, stdout=file, stderr=subprocess.STDOUT, text=True)


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


def test_shows_everything_and_ends(tmp_path: Path) -> None:
    run_dir = tmp_path / "demo"
    with start(run_dir, "--exit") as demo:
        code = demo.wait(TIMEOUT)
    shown = output(run_dir).read_text()
    assert code == 0, shown
    assert "The same lines came out." in shown
    assert 'Missing required configuration "topic"' in shown
    assert "Connector demo-sink not found" in shown
    assert running_in(run_dir) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGKILL, -9)])
def test_stays_up_until_it_is_ended(tmp_path: Path, number: signal.Signals, code: int) -> None:
    run_dir = tmp_path / "demo"
    with start(run_dir) as demo:

        def stays() -> bool:
            shown = output(run_dir).read_text()
            assert demo.poll() is None, shown
            return "stays up until Ctrl-C" in shown

        wait_until("the demo to have shown everything", stays, TIMEOUT)
        assert len(running_in(run_dir)) > 5
        demo.send_signal(number)
        assert demo.wait(30) == code
    wait_until("end of all that it started", lambda: not running_in(run_dir), 15)


def test_a_failure_ends_it_and_shows_the_log(tmp_path: Path) -> None:
    run_dir = tmp_path / "demo"
    # Nobody is there: the operator cannot list the resources.
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "{apiVersion: v1, kind: Config, clusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}],"
        " contexts: [{name: a, context: {cluster: a}}], current-context: a}"
    )
    with start(run_dir, "--exit", "--kubeconfig", str(kubeconfig)) as demo:
        code = demo.wait(TIMEOUT)
    assert code == 1
    assert "refused" in output(run_dir).read_text()
    assert running_in(run_dir) == []
