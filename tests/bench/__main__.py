"""`python -m bench`: see `make bench`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bench import scenarios
from bench.counting import Bench
from bench.dimension_table import dimensions_shown
from bench.dimensions import add_options, measure_all, numbers
from bench.figures import DimensionResult, Result, compared
from bench.objects import Objects
from bench.stage import Stage
from bench.subjects import Baseline, Ours, Subject
from bench.table import shown
from harness import build, paths

OUT = paths.BUILD / "bench.json"
SUBJECTS: dict[str, type[Ours] | type[Baseline]] = {"ours": Ours, "baseline": Baseline}


class Run:
    """All measurements of one operator with one number of connectors."""

    def __init__(self, subject: Subject, count: int, options: argparse.Namespace) -> None:
        self._subject, self._count, self._options = subject, count, options
        self._begun = time.monotonic()

    def say(self, what: str) -> None:
        passed = time.monotonic() - self._begun
        print(f"bench: {self._subject.name}, {self._count} connectors, {passed:5.0f} s: {what}", flush=True)

    async def run(self) -> Result:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder, Stage.set(Path(folder)) as stage:
            async with Objects.connect(stage.plane) as objects:
                await objects.create_namespace(scenarios.NAMESPACE)
                async with objects.watched(scenarios.NAMESPACE) as seen:
                    names = [f"connector-{number}" for number in range(self._count)]
                    changes = min(self._options.changes, self._count)
                    bench = Bench(stage, self._subject, objects, seen, names, changes)
                    self._subject.start(stage)
                    return await self._measure(bench)

    async def _measure(self, bench: Bench) -> Result:
        result = Result(operator=self._subject.name, connectors=self._count)
        only = self._options.only
        ours = isinstance(self._subject, Ours)

        def wanted(name: str) -> bool:
            return not only or name in only

        async with self._scenario(bench, result, "create", "mass create"):
            result.create = await scenarios.mass_create(bench)
        if wanted("steady"):
            # The first look at each connector by itself costs more than all later ones.
            await asyncio.sleep(self._subject.interval * self._options.rounds + self._options.quiet)
            async with self._scenario(bench, result, "steady", "steady state"):
                result.steady = await scenarios.steady(bench, self._options.steady)
        if wanted("change"):
            async with self._scenario(bench, result, "call", "single changes"):
                result.call = await scenarios.one_change(bench)
        if wanted("repair"):
            async with self._scenario(bench, result, "repair", "repair of states"):
                result.state_repair = await scenarios.state_repair(bench)
        if self._options.config_drift:
            self.say("repair of configurations")
            result.config_repair = await scenarios.config_repair(bench)
        if wanted("start"):
            await asyncio.sleep(self._options.quiet)
            async with self._scenario(bench, result, "start", "restart"):
                result.start = await scenarios.restart(bench, self._count)
        if wanted("beside") and ours:
            async with self._scenario(bench, result, "beside", "a slow and a failing environment beside"):
                result.beside = await scenarios.beside(bench)
        if wanted("delete"):
            async with self._scenario(bench, result, "delete", "deletion of the namespace"):
                result.delete = await scenarios.mass_delete(bench)
        if wanted("floor") and ours:
            self.say("the writes of a mass create, without an operator")
            result.floor = await scenarios.floor(bench)
        return result

    @asynccontextmanager
    async def _scenario(self, bench: Bench, result: Result, name: str, words: str) -> AsyncIterator[None]:
        """Says that it begins, and notes afterwards how long it held the operator's loop."""
        self.say(words)
        before = await bench.turns()
        yield
        held = (await bench.turns()).since(before)
        if held is not None:
            result.holds[name] = held


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Measures the operator and a plain one beside it.")
    parser.add_argument("--sizes", type=numbers, default=[100, 1000, 5000], help="numbers of connectors")
    parser.add_argument("--steady", type=float, default=180, help="seconds of steady state")
    parser.add_argument("--quiet", type=float, default=20, help="seconds after the last change before a measurement")
    parser.add_argument("--rounds", type=float, default=1, help="times it looks at all before the steady state")
    parser.add_argument("--config-drift", action="store_true", help="wait for drift checks too: five minutes each time")
    parser.add_argument("--changes", type=int, default=100, help="single changes of each kind")
    parser.add_argument("--subjects", default="ours,baseline", help="ours, baseline or both")
    parser.add_argument(
        "--only", type=lambda text: text.split(","), default=[], help="steady,change,repair,start,beside,delete,floor"
    )
    parser.add_argument("--out", type=Path, default=OUT)
    add_options(parser)
    parser.add_argument("--plot", type=Path, help="where to draw the growth, a PNG file")
    return parser.parse_args()


def main() -> None:
    options = _options()
    build.require("controlplane")
    if options.dimensions:
        found = measure_all(options, lambda results: _write(options.out, dimensions=results))
        print(dimensions_shown(found))
        return
    results: list[Result] = []
    for count in options.sizes:
        for name in options.subjects.split(","):
            results.append(asyncio.run(Run(SUBJECTS[name](), count, options).run()))
            _write(options.out, results)
    results = sorted(compared(results), key=lambda result: result.connectors)
    print(shown(results))
    if options.plot:
        from bench.plot import draw

        draw(results, options.plot)


def _write(path: Path, results: Sequence[Result] = (), dimensions: Sequence[DimensionResult] = ()) -> None:
    """After each measurement: one that is broken off leaves what it has."""
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {name: [one.model_dump(mode="json") for one in made] for name, made in _named(results, dimensions)}
    path.write_text(json.dumps({"machine": machine, **found}, indent=2) + "\n")


def _named(
    results: Sequence[Result], dimensions: Sequence[DimensionResult]
) -> Iterator[tuple[str, Sequence[Result | DimensionResult]]]:
    if results:
        yield "results", compared(results)
    if dimensions:
        yield "dimensions", dimensions


if __name__ == "__main__":
    main()
