"""docs/versions.md is what the trials said, and every trial says how it is built."""

from __future__ import annotations

import json

from harness import build, versions


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
