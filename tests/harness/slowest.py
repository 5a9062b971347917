"""What a run waits for: `--slowest 20` lists so many tests, and the seconds of every folder.

A test's seconds are those of its setup, call and teardown; what a session fixture takes to start is its first user's.
"""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slowest", type=int, default=0, metavar="N", help="list the slowest N tests, and folders")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    wanted: int = config.getoption("--slowest")
    if not wanted:
        return
    tests: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                tests[report.nodeid] += report.duration  # type: ignore[assignment]
    folders: Counter[str] = Counter()
    for nodeid, seconds in tests.items():
        folders[str(PurePosixPath(nodeid.partition("::")[0]).parent)] += seconds
    for title, found in (("folders, all workers together", folders), (f"slowest {wanted} tests", tests)):
        terminalreporter.section(title)
        for name, seconds in found.most_common(None if found is folders else wanted):
            terminalreporter.write_line(f"{seconds:8.1f} s  {name}")
