"""Everything goes wrong at once, for a while: what the operator promises holds all the time, and all is well after."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chaos.conftest import Size
from chaos.real.faults import TABLE
from chaos.real.plan import draw
from chaos.real.stage import Stage
from chaos.real.storm import Storm
from harness import build
from harness.paths import BUILD


@pytest.mark.timeout(0)
def test_storm(size: Size, tmp_path: Path) -> None:
    build.require("controlplane")
    stage = Stage(tmp_path)
    storm = Storm(stage, draw(size.seed, 60 * size.minutes, size.connectors), size.connectors, size.replay)
    try:
        stage.start()
        storm.prepare()
        storm.rage()
        storm.settle()
    finally:
        stage.stop()
        kept = BUILD / "chaos"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(tmp_path / "operators", kept / "operators", dirs_exist_ok=True)
        shutil.copy(tmp_path / "storm.log", kept)
    assert stage.expired
    # Each lasts for seconds, in which an operator that has little time may ask for nothing that the fault is about.
    met = sum(storm.hits[row.name] > 0 for row in TABLE)
    assert met > len(TABLE) / 2, f"{met} of {len(TABLE)} faults met a request: {storm.hits}"
