"""One answer takes as much memory as it may, however long it is, and the next one takes no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from fuzz.memory import CASES
from harness.paths import ROOT
from harness.waiting import HANG

TIMES = 2
BOUNDS = {
    "largest list": 200,
    "long list": 220,
    "long traces": 180,
    "many tasks": 250,
    "most offsets": 150,
    "long offsets": 220,
    "flat offsets": 220,
    "endless": 180,
    "endless error": 180,
}
"""MiB that the peak of the process may grow by, for a pod of 512. Without limits the long list would take 1,400 and the
long traces 10,000; the endless ones have 200 to give."""
MORE = 1.5
"""Times the growth of the first answer that all of them together may come to: what was read is let go again."""


@pytest.mark.parametrize("case", CASES)
def test_memory_is_bounded(case: str) -> None:
    path = os.pathsep.join(str(ROOT / part) for part in ("operator", "tests"))
    done = subprocess.run(
        [sys.executable, "-m", "fuzz.memory", case, str(TIMES)],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    grown = json.loads(done.stdout)
    assert grown[-1] < BOUNDS[case], grown
    assert grown[-1] < MORE * grown[0] + 20, grown
