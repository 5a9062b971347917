"""Hours of faults over many connectors, with clocks that jump and two operators at once, in virtual time.

CHAOS_MINUTES, where it is set, says how many virtual minutes each storm takes, CHAOS_SEED with which seed, and
CHAOS_CONNECTORS over how many connectors. `python -m chaos.virtual.tell --seed N` tells one by itself.
"""

from __future__ import annotations

import os

import pytest

from chaos.virtual.tell import TAIL, tell

SEEDS = [int(seed) for seed in os.environ.get("CHAOS_SEED", "3,8").split(",")]
CONNECTORS = int(os.environ.get("CHAOS_CONNECTORS") or 60)
SECONDS = 60 * float(os.environ.get("CHAOS_MINUTES") or 15)


@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_promised_holds_throughout(seed: int) -> None:
    world, _ = tell(seed, connectors=CONNECTORS, seconds=SECONDS)
    again = f"python -m chaos.virtual.tell --seed {seed} --connectors {CONNECTORS} --seconds {SECONDS:.0f}"
    assert not world.violations, "\n".join([world.log.tail(TAIL), *world.violations, f"again: {again}"])


def test_a_seed_tells_the_same_story_again() -> None:
    told = [tell(5, connectors=10, seconds=120)[0] for _ in range(2)]
    assert told[0].log.digest == told[1].log.digest
    assert tell(6, connectors=10, seconds=120)[0].log.digest != told[0].log.digest
