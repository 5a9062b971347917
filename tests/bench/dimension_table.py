"""The figures of each dimension as a table: sizes side by side, how each grows, and how it was counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from rich.table import Table

from bench.figures import DimensionResult, Phase
from bench.table import AUDIT, HOLDS, OVER, PROC, SERVER, printed

Value = Callable[[Phase], float | None]
LISTS = "ListConnectors"


def _each(value: Value) -> Value:
    def each(phase: Phase) -> float | None:
        found = value(phase)
        return None if found is None else found / phase.units

    return each


def _minute(value: Value) -> Value:
    def minute(phase: Phase) -> float | None:
        found = value(phase)
        return None if found is None else found / phase.spent.seconds * 60

    return minute


def _over_control_plane(phase: Phase) -> float | None:
    spent = phase.spent
    return spent.cpu / spent.control_plane if spent.control_plane and spent.writes else None


def _per_request(phase: Phase) -> float | None:
    return phase.spent.cpu * 1000 / phase.spent.requests if phase.spent.requests else None


def _hold(name: str) -> Value:
    return lambda phase: None if phase.spent.holds is None else float(getattr(phase.spent.holds, name)) * 1000


# `{unit}`: the phase's own.
ROWS: Sequence[tuple[str, str, Value, str]] = (
    ("seconds", ".1f", lambda phase: phase.spent.seconds, "from the first request of it to the last thing waited for"),
    ("CPU for each {unit}, ms", ".2f", _each(lambda phase: phase.spent.cpu * 1000), PROC + ", all it did meanwhile"),
    ("CPU, % of a core", ".2f", lambda phase: 100 * phase.spent.cpu / phase.spent.seconds, PROC),
    ("CPU against API server and etcd", ".2f", _over_control_plane, OVER + ", where anything was written"),
    ("CPU for each Lenses request, ms", ".2f", _per_request, PROC + ", all it did"),
    ("Lenses requests for each {unit}", ".2f", _each(lambda phase: phase.spent.requests), SERVER),
    ("lists a minute", ".1f", _minute(lambda phase: phase.spent.lenses.get(LISTS, 0)), SERVER),
    ("Kubernetes writes for each {unit}", ".2f", _each(lambda phase: phase.spent.writes), AUDIT),
    ("peak RSS, MB", ".0f", lambda phase: phase.spent.peak, PROC + ": VmHWM, since the process began"),
    *((words + ", ms", ".1f", _hold(name), how) for name, words, how in HOLDS),
)
GROWTH = "grows as"
"""Column: the power of the size that leads from the first value to the last; n^0 does not grow, n^1 doubles with it."""


def dimensions_shown(results: Sequence[DimensionResult]) -> str:
    """One table for each dimension."""
    found = groupby(results, lambda result: result.dimension)
    return "\n\n".join(_one(list(group)) for _, group in found)


def _one(results: list[DimensionResult]) -> str:
    table = Table(show_edge=False, pad_edge=False)
    table.add_column(results[0].grows)
    for result in results:
        table.add_column(str(result.size), justify="right")
    table.add_column(GROWTH)
    table.add_column("how it was counted")
    sizes = [result.size for result in results]
    for name in dict.fromkeys(phase.name for result in results for phase in result.phases):
        phases = [next((one for one in result.phases if one.name == name), None) for result in results]
        unit = next(phase.unit for phase in phases if phase is not None)
        for number, (words, form, value, how) in enumerate(ROWS):
            values = [None if phase is None else value(phase) for phase in phases]
            if all(one is None for one in values):
                continue
            title = f"{name}: {words}" if number == 0 else f"  {words}"
            cells = ("" if one is None else format(one, form) for one in values)
            table.add_row(title.format(unit=unit), *cells, growth(sizes, values), how)
    missed = (f"{result.size} {result.grows}: {'; '.join(result.missed)}" for result in results if result.missed)
    return "\n".join([printed(table), *(f"gives way at {line}" for line in missed)])


def growth(sizes: Iterable[int], values: Iterable[float | None]) -> str:
    """Between the first and the last size that have one."""
    there = [(size, value) for size, value in zip(sizes, values, strict=True) if value]
    if len(there) < 2:
        return ""
    (first, low), (last, high) = there[0], there[-1]
    return f"n^{math.log(high / low) / math.log(last / first):.2f}" if last != first and low * high > 0 else ""
