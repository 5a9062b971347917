"""How cost grows with the number of connectors, as one picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from bench.figures import Result

PANELS: Sequence[tuple[str, Callable[[Result], float | None]]] = (
    ("Steady CPU, % of a core", lambda r: 100 * r.steady.cpu if r.steady else None),
    ("Lenses requests per minute, steady", lambda r: r.steady.lenses_per_minute if r.steady else None),
    ("Restart: all looked at, s", lambda r: r.start.seconds if r.start else None),
    ("Peak RSS after a restart, MB", lambda r: r.start.peak if r.start else None),
    ("Mass create, connectors per second", lambda r: r.create.per_second if r.create else None),
    ("Apply to call p99, ms", lambda r: 1000 * r.call.p99 if r.call else None),
)


def draw(results: Sequence[Result], path: Path) -> None:
    """A line for each operator in each panel, both axes logarithmic."""
    figure = Figure(figsize=(12, 7), layout="constrained")
    axes = figure.subplots(2, 3).flat
    operators = list(dict.fromkeys(result.operator for result in results))
    for axis, (title, value) in zip(axes, PANELS, strict=True):
        for operator in operators:
            found = [(r.connectors, value(r)) for r in results if r.operator == operator]
            points = [(count, figure) for count, figure in found if figure is not None]
            axis.plot(*zip(*points, strict=True), marker="o", label=operator) if points else None
        axis.set(title=title, xlabel="connectors", xscale="log", yscale="log")
        axis.grid(visible=True, which="both", alpha=0.3)
        axis.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100, metadata={"Software": None})
