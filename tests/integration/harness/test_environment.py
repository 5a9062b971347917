"""`make up` and `make down`, and that nothing ever stays behind."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import build, http, paths
from harness.environment import Environment
from harness.kubectl import Kubectl
from harness.ports import free_port
from harness.waiting import HANG, wait_until

ENV = {**os.environ, "PYTHONPATH": str(paths.HARNESS.parent)}


@pytest.fixture
def run_dir(tmp_path: Path) -> Iterator[Path]:
    """Where the environment of one test runs; whatever the test does, it is ended."""
    build.require("controlplane", "kafka")
    yield tmp_path
    Environment(tmp_path).down()


def running_in(directory: Path) -> list[str]:
    """The command lines of all processes that have to do with a directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(str(directory) in word for word in words):
            found.append(" ".join(words))
    return found


def harness(command: str, run_dir: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-m", "harness", command, "--run-dir", str(run_dir)]
    return subprocess.run(argv, env={**ENV, **env}, capture_output=True, text=True, timeout=HANG, check=False)


def test_up_and_down_twice(run_dir: Path) -> None:
    first = harness("up", run_dir)
    assert first.returncode == 0, first.stderr
    assert "up: ready" in first.stdout
    values = Environment(run_dir).values()
    works(values)

    second = harness("up", run_dir)
    assert "already up" in second.stdout
    assert Environment(run_dir).values() == values

    assert "5 processes ended" in harness("down", run_dir).stdout
    assert "nothing runs" in harness("down", run_dir).stdout
    assert running_in(run_dir) == []
    assert [path.name for path in run_dir.iterdir()] == ["lock"]


def works(values: dict[str, str]) -> None:
    """Everything the addresses name answers."""
    assert "default" in Kubectl(Path(values["KUBECONFIG"]))("get", "namespaces")
    assert http.get(values["CONNECT_URL"] + "/connectors").json() == []
    headers = {"Authorization": f"Bearer {values['LENSES_TOKEN']}"}
    assert http.get(f"{values['LENSES_URL']}/api/v1/environments/demo", headers=headers).status_code == 200


def test_starts_again_only_what_died(run_dir: Path) -> None:
    Environment(run_dir).up()
    values = Environment(run_dir).values()
    before = json.loads((run_dir / "processes.json").read_text())
    os.kill(before["connect"]["processes"][0]["pid"], signal.SIGKILL)

    Environment(run_dir).up()
    assert Environment(run_dir).values() == values
    works(values)
    after = json.loads((run_dir / "processes.json").read_text())
    changed = [name for name in before if before[name]["processes"] != after[name]["processes"]]
    assert changed == ["connect", "lenses"]


@pytest.mark.parametrize(("number", "running"), [(signal.SIGINT, 2), (signal.SIGTERM, 4)])
def test_an_interrupted_start_leaves_nothing(run_dir: Path, number: signal.Signals, running: int) -> None:
    argv = [sys.executable, "-m", "harness", "up", "--run-dir", str(run_dir)]
    with subprocess.Popen(argv, env=ENV, stderr=subprocess.PIPE, text=True) as up:
        wait_until("some parts to run", lambda: len(running_in(run_dir / "parts")) >= running, 30)
        up.send_signal(number)
        _, errors = up.communicate(timeout=HANG)
    assert up.returncode == 130
    assert "interrupted, nothing of it is left running" in errors
    assert running_in(run_dir) == []


def test_a_part_that_does_not_start_ends_the_others(run_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        up = harness("up", run_dir, CONNECT_PORT=str(port))
    assert up.returncode == 1
    assert f"port {port}, chosen for Kafka Connect, is taken already" in up.stderr
    assert running_in(run_dir) == []
    assert not (run_dir / "env").exists()


def test_ports_may_be_chosen(run_dir: Path) -> None:
    ports = {name: str(free_port()) for name in ("API_SERVER_PORT", "KAFKA_PORT", "CONNECT_PORT", "LENSES_PORT")}
    up = harness("up", run_dir, **ports)
    assert up.returncode == 0, up.stderr
    values = Environment(run_dir).values()
    assert values["KAFKA_BOOTSTRAP"] == f"127.0.0.1:{ports['KAFKA_PORT']}"
    assert values["CONNECT_URL"] == f"http://127.0.0.1:{ports['CONNECT_PORT']}"
    assert values["LENSES_URL"] == f"http://127.0.0.1:{ports['LENSES_PORT']}"
    assert ports["API_SERVER_PORT"] in Path(values["KUBECONFIG"]).read_text()


KILLED = """
import pathlib, sys, time
from harness.controlplane import ControlPlane
from harness.kafka import Broker
run_dir = pathlib.Path(sys.argv[1])
plane, broker = ControlPlane.start(run_dir / "parts"), Broker.start(run_dir / "kafka")
print("ready", flush=True)
time.sleep(600)
"""


def test_a_killed_test_run_leaves_nothing(run_dir: Path) -> None:
    argv = [sys.executable, "-c", KILLED, str(run_dir)]
    with subprocess.Popen(argv, env=ENV, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout
        assert tests.stdout.readline() == "ready\n"
        assert len(running_in(run_dir)) == 4
        tests.kill()
    wait_until("end of all that it started", lambda: not running_in(run_dir), 15)
