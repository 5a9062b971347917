"""Hours of faults over many connectors, with clocks that jump and two operators at once, in virtual time.

CHAOS_MINUTES, where it is set, says how many virtual minutes each storm takes, CHAOS_SEED with which seed, and
CHAOS_CONNECTORS over how many connectors. `python -m chaos.virtual.tell --seed N` tells one by itself.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from harness import paths

SEEDS = [int(seed) for seed in os.environ.get("CHAOS_SEED", "3,4").split(",")]
CONNECTORS = int(os.environ.get("CHAOS_CONNECTORS") or 60)
SECONDS = 60 * float(os.environ.get("CHAOS_MINUTES") or 15)


def told(seed: int, connectors: int, seconds: float) -> subprocess.CompletedProcess[str]:
    """In a process of its own, since the order of sets is part of the story."""
    path = f"{paths.ROOT / 'operator'}:{paths.ROOT / 'tests'}"
    env = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}
    size = ["--connectors", str(connectors), "--seconds", str(seconds)]
    command = [sys.executable, "-m", "chaos.virtual.tell", "--seed", str(seed), *size]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_promised_holds_throughout(seed: int) -> None:
    ended = told(seed, CONNECTORS, SECONDS)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_seed_tells_the_same_story_again() -> None:
    digests = [told(seed, 10, 120).stdout.partition("digest ")[2] for seed in (5, 5, 6)]
    assert digests[0] == digests[1] != digests[2]
    assert digests[0]
