"""`make demo WITH=postgres`, by the command that the target runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.test_demo import TIMEOUT, output, running_in, start
from harness import build
from harness.postgres import MISSING, programs
from harness.process import Launcher


@pytest.fixture
def launcher() -> Iterator[Launcher]:
    build.require("controlplane", "kafka", *build.PLUGINS)
    if programs() is None:
        pytest.skip(MISSING)
    with Launcher() as made:
        yield made


def test_rows_come_out_of_kafka_and_once_more_after_a_reset(launcher: Launcher, tmp_path: Path) -> None:
    run_dir = tmp_path / "demo"
    code = start(launcher, run_dir, "--with", "postgres", "--exit").wait_for(TIMEOUT)
    shown = output(run_dir).read_text()
    assert code == 0, shown
    story = shown[shown.index("== A database") :]
    assert [story.count(f'"fruit": "{fruit}"') for fruit in ("apples", "pears", "plums")] == [4, 4, 3]
    assert running_in(run_dir) == []
