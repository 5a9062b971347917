"""The server as a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import http
from harness.lenses.client import LensesApi
from harness.lenses.control import ControlError, LensesControl
from harness.waiting import wait_until

TESTS = Path(__file__).resolve().parents[2]


def command(tmp_path: Path) -> tuple[list[str], Path]:
    """The command and its state file."""
    config = {
        "environments": {"demo": {"clusters": {"mem": {"backend": "memory"}}}},
        "tokens": {"t": {}},
        "persona": "observed",
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    state = tmp_path / "state.json"
    argv = [sys.executable, "-m", "harness.lenses", "--config", str(tmp_path / "config.json"), "--port", "0"]
    argv += ["--persona", "documented"]
    return [*argv, "--control-port", "0", "--state-file", str(state), "--die-with-parent"], state


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """The state file of a running server, which has to end cleanly on SIGTERM."""
    argv, path = command(tmp_path)
    process = subprocess.Popen(argv, env={"PYTHONPATH": str(TESTS)})
    wait_until("the state file", path.exists, timeout=30)
    yield path
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert not path.exists()


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    argv, state = command(tmp_path)
    script = "import subprocess, sys; subprocess.Popen(sys.argv[1:]).wait()"
    parent = subprocess.Popen([sys.executable, "-c", script, *argv], env={"PYTHONPATH": str(TESTS)})
    wait_until("the state file", state.exists, timeout=30)
    parent.kill()
    parent.wait(10)
    wait_until("the server to end", lambda: not state.exists(), timeout=10)


def test_it_serves_what_its_config_says(state: Path) -> None:
    addresses = json.loads(state.read_text())
    with LensesApi(addresses["url"], "t", "demo") as api:
        assert api.call("GetClusterInfo", cluster="mem").json()["name"] == "mem"
    control = LensesControl(addresses["control_url"])
    assert control.environments() == {"demo": ["mem"]}
    assert control.persona() == {"name": "documented"}
    assert not addresses["control_url"].startswith(addresses["url"])
    with pytest.raises(ControlError, match="no command"):
        control._call("nothing")
    with pytest.raises(ControlError, match="exists"):
        control.add_environment("demo", {})
    with pytest.raises(ControlError, match="unknown settings"):
        control.add_cluster("demo", "c", {"backend": "memory", "stat_delay": 1})
    control.close()
    assert http.get(f"{addresses['url']}/api/v1/environments/demo").status_code == 401
