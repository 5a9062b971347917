"""Programs are started, waited for and ended, with their last words in the error when that does not work."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from harness import paths
from harness.identity import Identity, identify
from harness.ports import free_port, on_free_ports
from harness.process import Launcher, Process, ProcessFailedError, end_all
from harness.waiting import wait_until

SLEEP = "import time; time.sleep(600)"


def program(launcher: Launcher, log: Path, text: str) -> Process:
    return launcher.spawn("part", [sys.executable, "-u", "-c", text], log)


def test_is_ready_when_the_condition_holds(tmp_path: Path) -> None:
    with Launcher() as launcher:
        process = program(launcher, tmp_path / "log", f"print('here I am'); {SLEEP}")
        process.wait_ready(lambda: "here I am" in process.log.read_text(), 20)
        assert process.alive
    assert not process.alive


def test_an_early_end_shows_the_last_lines_of_the_log(tmp_path: Path) -> None:
    with Launcher() as launcher:
        process = program(launcher, tmp_path / "log", "[print(f'<{n}>') for n in range(100)]; raise SystemExit(3)")
        with pytest.raises(ProcessFailedError) as caught:
            process.wait_ready(lambda: False, 20)
    assert "part ended with code 3" in str(caught.value)
    assert "<99>" in str(caught.value)
    assert "<70>" in str(caught.value)
    assert "<69>" not in str(caught.value)


def test_an_early_end_shows_what_went_wrong_before_the_last_lines(tmp_path: Path) -> None:
    text = """
print("[11:00] ERROR Cannot start")
print("java.net.BindException: Address already in use")
print("Errors are not expected here")
[print(f"closing {n}") for n in range(100)]
raise SystemExit(1)
"""
    with Launcher() as launcher, pytest.raises(ProcessFailedError) as caught:
        program(launcher, tmp_path / "log", text).wait_ready(lambda: False, 20)
    told = str(caught.value).partition("errors in ")[2].splitlines()[1:]
    assert told == ["  [11:00] ERROR Cannot start", "  java.net.BindException: Address already in use"]


def test_a_late_start_shows_the_last_lines_of_the_log(tmp_path: Path) -> None:
    with Launcher() as launcher:
        process = program(launcher, tmp_path / "log", f"print('still thinking'); {SLEEP}")
        wait_until("output", process.log.read_text, 20)
        with pytest.raises(ProcessFailedError, match=r"(?s)not ready within 0.1 s.*still thinking"):
            process.wait_ready(lambda: False, 0.1)


def test_survives_the_thread_that_asked_for_it(tmp_path: Path) -> None:
    """The kernel's signal follows threads: a fixture or a part started in one must not end with it."""
    with Launcher() as launcher:
        found: list[Process] = []
        thread = threading.Thread(target=lambda: found.append(program(launcher, tmp_path / "log", SLEEP)))
        thread.start()
        thread.join()
        done = program(launcher, tmp_path / "other", "print('done')")
        assert done.wait_for(20) == 0
        assert found[0].alive


def test_dies_with_the_killed_parent(tmp_path: Path) -> None:
    parent_text = f"""
import pathlib, sys, time
from harness.process import Launcher
process = Launcher().spawn("part", [sys.executable, "-c", {SLEEP!r}], pathlib.Path({str(tmp_path / "log")!r}))
print(process.pid, flush=True)
time.sleep(600)
"""
    env = {**os.environ, "PYTHONPATH": str(paths.HARNESS.parent)}
    argv = [sys.executable, "-c", parent_text]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env) as parent:
        assert parent.stdout
        child = identify(int(parent.stdout.readline()))
        assert child.alive
        parent.send_signal(signal.SIGKILL)
    wait_until("end of the child", lambda: not child.alive, 10)


def test_run_returns_the_output_and_fails_with_it(tmp_path: Path) -> None:
    with Launcher() as launcher:
        assert launcher.run("part", [sys.executable, "-c", "print('fine')"], tmp_path / "log") == "fine\n"
        with pytest.raises(ProcessFailedError, match="no way"):
            launcher.run("part", [sys.executable, "-c", "raise SystemExit('no way')"], tmp_path / "log")


def test_nothing_starts_any_more_after_the_end(tmp_path: Path) -> None:
    launcher = Launcher()
    launcher.close()
    with pytest.raises(RuntimeError, match="is not started any more"):
        program(launcher, tmp_path / "log", SLEEP)


def test_a_number_that_was_used_again_is_left_alone(tmp_path: Path) -> None:
    with Launcher() as launcher:
        process = program(launcher, tmp_path / "log", SLEEP)
        earlier = replace(process.identity, started="some other time")
        assert not earlier.alive
        earlier.kill()
        assert process.alive
    assert not Identity(process.pid, "").alive


LISTEN = """
import socket, time
try:
    listener = socket.create_server(("127.0.0.1", {port}))
except OSError as error:
    print(error)
    print("\\n".join(map(str, range({said}))))
    raise SystemExit(1)
print("listening")
time.sleep(600)
"""


@pytest.mark.parametrize("said", [0, 500])
def test_starts_again_when_a_port_was_taken_meanwhile(tmp_path: Path, said: int) -> None:
    """`said`: the lines that it says before it ends, as a broker of Kafka does by the hundred."""
    tried: list[int] = []

    def ready(port: int, log: Path) -> Process:
        process = program(launcher, log, LISTEN.format(port=port, said=said))
        process.wait_ready(lambda: "listening" in process.log.read_text(), 20)
        return process

    with Launcher() as launcher:
        ready(stolen := free_port(), tmp_path / "thief")

        def start(ports: list[int]) -> Process:
            tried.append(ports[0])
            return ready(ports[0] if tried[1:] else stolen, tmp_path / "log")

        assert on_free_ports(1, start).alive
    assert len(tried) == 2


def test_another_failure_is_not_tried_again(tmp_path: Path) -> None:
    tried: list[int] = []

    def start(ports: list[int]) -> None:
        tried.append(ports[0])
        program(launcher, tmp_path / "log", "raise SystemExit('bad setting')").wait_ready(lambda: False, 20)

    with Launcher() as launcher, pytest.raises(ProcessFailedError, match="bad setting"):
        on_free_ports(1, start)
    assert len(tried) == 1


def test_one_that_cannot_be_ended_does_not_keep_the_others_alive() -> None:
    ended = []

    def stuck() -> None:
        raise TimeoutError("still there")

    with pytest.raises(TimeoutError, match="still there"):
        end_all([lambda: ended.append("first"), stuck, lambda: ended.append("last")])
    assert ended == ["last", "first"]
