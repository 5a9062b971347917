"""The command line without an operator behind it."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from harness.waiting import HANG
from lenses_operator import app
from lenses_operator.cli import main
from lenses_operator.kube.api import KubeError
from lenses_operator.observability.loop_holds import LoopHolds
from lenses_operator.settings import Settings
from lenses_operator.variables import PREFIX

ENVIRONMENT = {PREFIX + "LENSES_URL": "http://127.0.0.1:1", PREFIX + "LENSES_TOKEN_FILE": "/no/such/token"}


@pytest.fixture(autouse=True)
def _process_as_it_was() -> object:
    """Logging and signals are the process's own business, and this is the tests' process."""
    root = logging.getLogger()
    before = list(root.handlers), root.level, signal.getsignal(signal.SIGTERM)
    yield None
    root.handlers, level, handler = before
    root.setLevel(level)
    signal.signal(signal.SIGTERM, handler)


def test_the_version() -> None:
    result = CliRunner().invoke(main, ["version"])
    assert result.exit_code == 0
    assert result.output.strip()[0].isdigit()


def test_bad_settings_end_it_with_2_and_a_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PREFIX + "LENSES_URL", raising=False)
    result = CliRunner().invoke(main, ["run"], env={PREFIX + "HTTP_PORT": "x", PREFIX + "LENSES_TOKEN_FILE": "/t"})
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"lenses-operator: {PREFIX}") for line in lines)


@pytest.mark.parametrize("error", [KubeError("Kubernetes access", 0, "nowhere"), OSError("port taken")])
def test_what_keeps_it_from_running_ends_it_with_1(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    async def fail(_: Settings, __: LoopHolds) -> None:
        raise error

    monkeypatch.setattr(app, "run", fail)
    result = CliRunner().invoke(main, ["run"], env=ENVIRONMENT)
    assert result.exit_code == 1
    assert result.stderr == f"lenses-operator: {error}\n"


def test_a_token_file_that_is_not_there_is_a_bad_setting() -> None:
    result = CliRunner().invoke(main, ["run"], env=ENVIRONMENT)
    assert result.exit_code == 2
    assert "/no/such/token" in result.stderr


AT_START = """
import os, signal, sys, time

class Importing:
    def find_spec(self, name, path=None, target=None):
        if name == "lenses_operator.app":
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)

sys.meta_path.insert(0, Importing())
from lenses_operator.cli import main
main(["run"])
"""


def test_a_sigterm_that_comes_while_it_starts_ends_it_in_order() -> None:
    """Without a handler it would be no signal at all to process 1 of a container, and -15 here."""
    done = subprocess.run([sys.executable, "-c", AT_START], timeout=HANG, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
