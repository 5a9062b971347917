"""More and more connectors in one process, as far as the memory of this machine goes, and what gives way first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bench.figures import Phase
from bench.ground import Dimension, Ground
from bench.objects import manifest
from bench.scenarios import LONG, NAMESPACE
from bench.stage import ENVIRONMENT

EACH_MB = 0.25
"""Of all processes together for one connector: what API server, etcd, watch cache, Lenses and operator have come to."""
SPARE = 0.8
"""Of what is available."""


def _busiest(phase: Phase) -> float | None:
    return None if phase.spent.holds is None else phase.spent.holds.busiest * 1000


# What is aimed at, by phase: words, the figure, the most it may be, and its unit.
AIMS: tuple[tuple[str, str, Callable[[Phase], float | None], float, str], ...] = (
    ("restart", "all looked at after", lambda phase: phase.spent.seconds, 15, "s"),
    ("create", "peak RSS, against the chart's limit", lambda phase: phase.spent.peak, 536.9, "MB"),
    ("steady", "CPU", lambda phase: 100 * phase.spent.cpu / phase.spent.seconds, 50, "% of a core"),
    *((name, "most CPU in one turn of the loop", _busiest, 50, "ms") for name in ("create", "steady", "restart")),
)


def available() -> float:
    """MB that this machine could still give."""
    words = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable"))
    return int(words.split()[1]) * 1024 / 1e6


def fits(size: int, megabytes: float) -> bool:
    return size * EACH_MB < SPARE * megabytes


async def _many(ground: Ground) -> None:
    if not fits(ground.size, available()):
        ground.say(f"left out: it would take some {ground.size * EACH_MB:.0f} MB")
        return
    count = ground.size
    await ground.create([manifest(NAMESPACE, ENVIRONMENT, f"connector-{number}") for number in range(count)])
    await ground.steady()
    async with ground.phase("restart", "connector", count):
        ground.ours.end()
        ground.ours.start(ground.bench.stage)
        await ground.until(lambda: ground.ours.looked_at_all(count), f"not looked at all within {LONG:.0f} s")


def missed(phases: Sequence[Phase]) -> list[str]:
    """What gives way: the aims that are missed."""
    if not phases:
        return ["the memory of this machine: left out"]
    found = []
    for phase in phases:
        for name, words, figure, limit, unit in AIMS:
            value = figure(phase) if phase.name == name else None
            if value is not None and value > limit:
                found.append(f"{name}: {words} {value:.0f} {unit}, aim {limit:.0f}")
    return found or ["nothing"]


MANY = Dimension("many", "connectors in one process", (5000, 10000, 20000), _many, missed=missed)
