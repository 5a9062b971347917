"""docs/versions.md is what the trials said, and every trial says how it is built."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from harness import build, versions
from harness.waiting import wait_until

BEGIN = """
import os, subprocess, threading
import pytest

def here(pid: int) -> None:
    with open({pids!r}, "a") as pids:
        pids.write(f"{{pid}}\\n")

here(os.getpid())
"""
HANGS = {  # each with the number of workers
    "a test that waits for a program": (
        "2",
        """
def test_it() -> None:
    with subprocess.Popen(["sleep", "1000"]) as child:
        here(child.pid)
""",
    ),
    "the end of a fixture": (
        "2",
        """
@pytest.fixture(scope="session")
def it():
    yield
    threading.Event().wait()

def test_it(it) -> None: pass
""",
    ),
    "the end of the interpreter": (
        "0",  # xdist ends its workers without
        """
def test_it() -> None:
    threading.Thread(target=threading.Event().wait).start()
""",
    ),
}

BOUND = 9.0
"""Seconds, in which pytest has to have begun."""


def test_the_page_is_made_of_the_results() -> None:
    results = json.loads(versions.RESULTS.read_text())
    assert versions.PAGE.read_text() == versions.page(results)


def test_every_trial_has_a_step_or_is_of_python() -> None:
    names = [trial.name for trial in versions.trials()]
    assert len(names) == len(set(names))
    for trial in versions.trials():
        assert trial.step in build.STEPS or trial.part == "Python"
        assert trial.step not in build.needed(), "only those build it who try it"


def test_counts_are_read_from_pytests_closing_line() -> None:
    assert versions.COUNTS.findall("..\n1 failed, 12 passed, 3 skipped in 4.51s (0:01:00)\n") == [
        "1 failed, 12 passed, 3 skipped"
    ]
    assert versions.COUNTS.findall("=== 2 passed in 0.01s ===") == ["2 passed"]
    assert versions.COUNTS.findall("no tests ran in 0.01s") == []


def test_a_trial_that_hangs_ends_with_all_its_processes_and_leaves_its_log(tmp_path: Path) -> None:
    """All of them at a time: each takes as long as its bound."""

    def hang(what: str) -> tuple[str, bool]:
        at = tmp_path / what
        at.mkdir()
        (at / "pids").touch()
        workers, code = HANGS[what]
        (at / "test_it.py").write_text(BEGIN.format(pids=str(at / "pids")) + code)
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", workers, str(at)]
        return versions.tried(argv, {}, at / "log", BOUND)

    with ThreadPoolExecutor(len(HANGS)) as pool:
        assert set(pool.map(hang, HANGS)) == {(f"did not end within {BOUND / 60:g} minutes", False)}
    for what in HANGS:
        pids = [int(pid) for pid in (tmp_path / what / "pids").read_text().split()]
        assert pids, f"{what}: {(tmp_path / what / 'log').read_text()}"
        wait_until(f"an end after {what}", partial(gone, pids), 30)


def gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)
