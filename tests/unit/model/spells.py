"""Trouble that passes by itself: every round ends as asked within two minutes of its end, and calls for nobody."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from hypothesis import strategies as st

from doubles.connect import BAD
from doubles.incarnation import Habits
from unit.controllers.virtualtime import now
from unit.model.commands import (
    PLACES,
    Annotate,
    Apply,
    CrashAt,
    Lie,
    Meddle,
    Remove,
    Restart,
    SetSecret,
    Step,
    field_of,
)
from unit.model.draws import CONNECTORS, all_habits, lies
from unit.model.world import World

SHORT = 50.0
"""Seconds that trouble lasts at most: longer, and one refusal may be believed."""
SOON = 120.0
LATE = 25.0
"""Seconds in which what was taken late has been carried out."""


@dataclass(frozen=True)
class Round:
    """Steps before the trouble, and in it."""

    before: tuple[Step, ...]
    trouble: Lie
    during: tuple[Step, ...]


@dataclass(frozen=True)
class Spell:
    habits: dict[str, Habits]
    watch: bool
    offered: bool
    rounds: tuple[Round, ...]

    async def tell(self, world: World) -> None:
        world.start()
        for namespace in ("payments", "logistics"):
            await SetSecret(namespace, 1).happen(world)
        try:
            for one in self.rounds:
                await _happen(world, one.before)
                await _ends_soon(world)
                world.log.append((now(), f"*** {one.trouble}"))
                await one.trouble.happen(world)
                over = now() + one.trouble.seconds
                await _happen(world, one.during)
                await asyncio.sleep(max(0.0, over - now()))
                world.log.append((now(), "*** it has passed"))
                late = any(name == "put" for name, _ in one.trouble.ways)
                world.heal()
                await asyncio.sleep(LATE if late else 0.0)
                await _ends_soon(world)
        finally:
            await world.stop(gracefully=False)


async def _happen(world: World, steps: tuple[Step, ...]) -> None:
    for step in steps:
        world.log.append((now(), f"*** {step.command}"))
        await step.command.happen(world)
        await asyncio.sleep(step.wait)


async def _ends_soon(world: World) -> None:
    deadline = now() + SOON
    while (left := world.unsettled()) and now() < deadline and not world.violations:
        await asyncio.sleep(1)
    world.check(not left, f"not as asked after {SOON} s: {left}")


def _well(changes: dict[str, object]) -> bool:
    return changes.get("topic") not in BAD


@st.composite
def spells(draw: st.DrawFn) -> Spell:
    place = st.sampled_from(PLACES[: draw(st.sampled_from([1, 2]))])
    connector = st.sampled_from(CONNECTORS[: draw(st.sampled_from([1, 1, 2]))])
    apply = st.builds(Apply, place, connector, st.lists(field_of, max_size=4).map(dict).filter(_well))
    meddling = ["delete", "topic", "PAUSED", "STOPPED", "RUNNING", "create", "create another"]
    command = st.one_of(
        apply,
        apply,
        apply,
        st.builds(Remove, place),
        st.builds(Remove, place),
        st.builds(Meddle, connector, st.sampled_from(meddling)),
        st.builds(Annotate, place, st.sampled_from(["restart", "reconcile"]), st.sampled_from(["1", "2"])),
        st.builds(SetSecret, st.sampled_from(["payments", "logistics"]), st.sampled_from([1, 2])),
        st.builds(Restart, st.booleans(), st.sampled_from([0.0, 5.0])),
        st.builds(CrashAt, st.integers(1, 12), st.booleans()),
    )
    before = st.lists(st.builds(Step, command, st.sampled_from([0.0, 1.0, 5.0])), max_size=3).map(tuple)
    during = st.lists(st.builds(Step, command, st.sampled_from([0.0, 0.5, 3.0, 10.0])), max_size=4).map(tuple)
    trouble = st.builds(Lie, lies, st.sampled_from([10.0, 30.0, SHORT]))
    rounds = draw(st.lists(st.builds(Round, before, trouble, during), min_size=1, max_size=3))
    return Spell(all_habits(draw), draw(st.booleans()), draw(st.booleans()), tuple(rounds))
