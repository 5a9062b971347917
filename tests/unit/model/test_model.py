"""Whole histories against the contract: whatever happens in whatever order, what is left must be right.

MODEL_EXAMPLES=5000 looks for that many histories at random; without it the same few are told every time.
"""

from __future__ import annotations

import asyncio
import logging
import os

from hypothesis import HealthCheck, given, settings

from unit.controllers.virtualtime import VirtualTimeLoop
from unit.model.commands import Story, stories
from unit.model.spells import Spell, spells
from unit.model.world import Ear, World

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "0"))


def tell(story: Story | Spell) -> None:
    logger = logging.getLogger("lenses_operator")
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        world = runner.run(_heard(story, logger))
    if world.violations:
        tail = "\n".join(f"{at:.3f} {what}" for at, what in world.log[-150:])
        raise AssertionError("\n".join([tail, *world.violations]))


async def _heard(story: Story | Spell, logger: logging.Logger) -> World:
    world = World(story.habits, watch=story.watch, offered=story.offered)
    ear, level = Ear(world), logger.level
    logger.addHandler(ear)
    logger.setLevel(logging.DEBUG)
    try:
        await story.tell(world)
    finally:
        logger.removeHandler(ear)
        logger.setLevel(level)
    return world


@settings(
    max_examples=EXAMPLES or 250,
    derandomize=not EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
@given(stories())
def test_every_history_ends_as_the_resources_say(story: Story) -> None:
    tell(story)


@settings(
    max_examples=EXAMPLES or 150,
    derandomize=not EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
@given(spells())
def test_what_passes_by_itself_ends_as_asked_and_soon(spell: Spell) -> None:
    tell(spell)
