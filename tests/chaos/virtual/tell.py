"""Tells one storm: `python -m chaos.virtual.tell --seed 7`. The same arguments, the same story, to the letter."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import sys
import time

from chaos.virtual.storm import Storm
from chaos.virtual.world import StormWorld
from unit.controllers.virtualtime import START, VirtualTimeLoop
from unit.model.world import Ear

TAIL = int(os.environ.get("CHAOS_TAIL", "200"))


def tell(seed: int, *, connectors: int, seconds: float, hostile: bool = False) -> tuple[StormWorld, float]:
    """The world at its end, and how many virtual seconds it took. What the operator itself draws is seeded, too."""
    random.seed(seed)
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        world = runner.run(_heard(Storm(seed, connectors=connectors, seconds=seconds, hostile=hostile)))
        return world, runner.get_loop().time() - START


async def _heard(storm: Storm) -> StormWorld:
    logger = logging.getLogger("lenses_operator")
    world = storm.world()
    ear, level = Ear(world), logger.level
    logger.addHandler(ear)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        await storm.rage(world)
    finally:
        logger.removeHandler(ear)
        logger.setLevel(level)
        logger.propagate = True
    return world


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--connectors", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=3600.0, help="of virtual time")
    parser.add_argument("--hostile", action="store_true", help="Lenses misleads, which is otherwise left to the seed")
    given = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets is part of the story
        os.execve(
            sys.executable,
            [sys.executable, "-m", "chaos.virtual.tell", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    began = time.monotonic()
    world, took = tell(given.seed, connectors=given.connectors, seconds=given.seconds, hostile=given.hostile)
    told = [world.log.tail(TAIL), *world.violations] if world.violations else []
    told.append(
        f"seed {given.seed}: {len(world.violations)} violations, {world.log.lines} lines, {took:.0f} virtual seconds "
        f"in {time.monotonic() - began:.1f}, digest {world.log.digest}"
    )
    sys.stdout.write("\n".join(told) + "\n")
    return 1 if world.violations else 0


if __name__ == "__main__":
    sys.exit(main())
