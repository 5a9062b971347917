"""What a dimension is measured on: one operator on a stage of its own, and its phases, each with what it cost."""

from __future__ import annotations

import asyncio
import tempfile
import time
from argparse import Namespace
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.counting import Bench
from bench.figures import DimensionResult, Phase
from bench.objects import Objects
from bench.scenarios import LONG, LOOK, NAMESPACE
from bench.stage import Stage
from bench.subjects import Ours


@dataclass
class Ground:
    """`size` is the dimension's own, such as a number of clusters."""

    bench: Bench
    ours: Ours
    size: int
    options: Namespace
    folder: Path
    say: Callable[[str], None]
    phases: list[Phase] = field(default_factory=list)

    @asynccontextmanager
    async def phase(self, name: str, unit: str, units: float) -> AsyncIterator[None]:
        """All that is done within is counted, and shared out among so many units."""
        self.say(name)
        spending = await self.bench.spending()
        yield
        self.phases.append(Phase(name=name, unit=unit, units=units, spent=await spending()))

    async def create(self, wanted: list[dict[str, Any]]) -> list[str]:
        """All applied at once, until all are Ready; their names."""
        names = [one["metadata"]["name"] for one in wanted]
        async with self.phase("create", "connector", len(names)):
            await self.bench.objects.apply_all(wanted)
            await self.bench.seen.all_ready(names, LONG)
        return names

    async def steady(self, name: str = "steady") -> None:
        """A time in which nothing happens, a moment after what has been done."""
        await asyncio.sleep(self.options.quiet)
        seconds: float = self.options.steady
        async with self.phase(name, "minute", seconds / 60):
            await asyncio.sleep(seconds)

    def asked(self, operation: str) -> int:
        """Requests of this kind so far."""
        return self.bench.stage.control.counts().get(operation, 0)

    async def until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + LONG
        while not await asyncio.to_thread(done):
            if time.monotonic() > deadline:
                raise TimeoutError(what)
            await asyncio.sleep(LOOK)


@dataclass(frozen=True)
class Dimension:
    """`grows`: what its size is a number of. `settings`: those of the operator, for a size, whose files go into the
    folder."""

    name: str
    grows: str
    sizes: tuple[int, ...]
    run: Callable[[Ground], Awaitable[None]]
    settings: Callable[[Path, int], Mapping[str, str]] = lambda _folder, _size: {}
    missed: Callable[[Sequence[Phase]], list[str]] = lambda _phases: []

    async def measure(self, size: int, options: Namespace) -> DimensionResult:
        """With a control plane, a Lenses server and an operator that nothing else has used."""
        begun = time.monotonic()

        def say(what: str) -> None:
            print(f"bench: {size} {self.grows}, {time.monotonic() - begun:5.0f} s: {what}", flush=True)

        with tempfile.TemporaryDirectory(prefix="bench-") as temporary, Stage.set(Path(temporary)) as stage:
            folder = Path(temporary)
            async with Objects.connect(stage.plane) as objects:
                await objects.create_namespace(NAMESPACE)
                async with objects.watched(NAMESPACE) as seen:
                    ours = Ours({**self.settings(folder, size), **dict(options.setting)})
                    bench = Bench(stage, ours, objects, seen, [], 0)
                    ground = Ground(bench, ours, size, options, folder, say)
                    ours.start(stage)
                    await ground.until(ours.ready, "the operator does not get ready")
                    await self.run(ground)
        return DimensionResult(
            dimension=self.name, grows=self.grows, size=size, phases=ground.phases, missed=self.missed(ground.phases)
        )
