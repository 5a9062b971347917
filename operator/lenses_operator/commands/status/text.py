"""The overview for people: a line for each connector, and below it why it is not as it is to be."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import datetime

from lenses_operator.commands.lines import LEAST, Line, wrapped
from lenses_operator.commands.readiness import Readiness, age
from lenses_operator.commands.status.overview import FailedTask, Operation, Overview, Row
from lenses_operator.resources.text import one_row

NAME = 8
"""Characters that the first column has at least."""
INDENT = " " * 6
COLOURS = {"True": "green", "False": "red", "Unknown": "yellow"}
MARKS = {"True": " ", "False": "!", "Unknown": "~"}
TITLES = ("NAME", "STATE", "TASKS", "READY", "AGE")


def lines(
    all_of_them: Overview, now: datetime, width: int | None, *, namespaces: bool = False, failing: bool = False
) -> Iterator[Line]:
    """Fits `width`; None: there is no terminal, and nothing is wrapped. `namespaces`: names begin with theirs.

    `failing`: only what is not well has lines; the counts at the end are of all.
    """
    found = all_of_them.only_failing() if failing else all_of_them
    table = {place: [_cells(row, now, namespaces=namespaces) for row in rows] for place, rows in found.groups()}
    widths = _widths([TITLES, *(cells for rows in table.values() for cells in rows)], width)
    for (environment, cluster), rows in found.groups():
        yield Line(one_row(f"{environment or '(unknown)'} / {cluster or '(unknown)'}"), "bold")
        yield from _row(" ", TITLES, widths, "dim")
        for row, cells in zip(rows, table[environment, cluster], strict=True):
            yield from _row(MARKS[row.state.ready], cells, widths, COLOURS[row.state.ready])
            for text in _details(row, now):
                yield from (Line(one) for one in wrapped(text, width, INDENT))
        yield Line("")
    for one in found.strays:
        for text in wrapped(f"{one.namespace}/{_operation(one, now)}: no such connector here", width, INDENT):
            yield Line(text, "yellow")
    for text in textwrap.wrap(summary(all_of_them), max(width or 10**6, LEAST)):
        yield Line(text, "bold")


def summary(found: Overview) -> str:
    """`12 connectors: 10 ready, 1 failing, 1 under way`; what there is none of is left out."""
    counts = found.counts
    words = {"ready": "ready", "failing": "failing", "unknown": "under way or unknown", "suspended": "suspended"}
    parts = [f"{counts[name]} {word}" for name, word in words.items() if counts[name]]
    number = counts["connectors"]
    text = f"{number} connector{'' if number == 1 else 's'}" + (f": {', '.join(parts)}" if parts else "")
    under_way = counts["openOffsetsOperations"]
    return text + (f"; {under_way} offsets operation{'' if under_way == 1 else 's'} under way" if under_way else "")


def brief(row: Row) -> str:
    """One connector on one line, for a stream of changes."""
    what = " ".join(filter(None, [row.lenses_state, row.tasks, _reason(row.state)]))
    cause = next((task.cause for task in row.failed if task.cause), "" if row.state.well else row.state.message)
    return one_row(f"{row.namespace}/{row.name} {what}" + (f": {cause}" if cause else ""))


def brief_operation(one: Operation) -> str:
    """The same of an offsets operation, whose message says in each phase what is going on."""
    what = f"{one.namespace}/{one.connector} offsets {one.name}: {one.action} {one.phase or _reason(one.state)}"
    return one_row(what + ("" if one.state.well else f": {one.state.message}"))


def _cells(row: Row, now: datetime, *, namespaces: bool) -> tuple[str, ...]:
    name = f"{row.namespace}/{row.name}" if namespaces else row.name
    cells = (name, row.lenses_state[:12] or "-", row.tasks or "-", _reason(row.state), age(row.changed, now))
    return tuple(one_row(cell) for cell in cells)


def _reason(state: Readiness) -> str:
    return str(state.reason) or "-"


def _widths(table: list[tuple[str, ...]], width: int | None) -> list[int]:
    """Of each column; the first one gets what the others leave."""
    widest = [max(len(cells[column]) for cells in table) for column in range(len(TITLES))]
    if width is not None:
        left = width - sum(one + 2 for one in widest[1:]) - 2
        widest[0] = min(widest[0], max(NAME, left))
    return widest


def _row(mark: str, cells: tuple[str, ...], widths: list[int], style: str) -> Iterator[Line]:
    """A name that is too long stands on lines of its own."""
    name, rest = cells[0], cells[1:]
    if len(name) > widths[0]:
        room = widths[0] + sum(one + 2 for one in widths[1:])
        for part in textwrap.wrap(name, room, break_long_words=True, break_on_hyphens=False):
            yield Line(f"{mark} {part}", style)
        mark, name = " ", ""
    padded = [cell.ljust(size) for cell, size in zip((name, *rest), widths, strict=True)]
    yield Line(f"{mark} {'  '.join(padded)}".rstrip(), style)


def _details(row: Row, now: datetime) -> Iterator[str]:
    if row.failed:
        yield from _tasks(row.failed)
    elif not row.state.well and not row.suspended:
        yield row.state.message
    for one in row.operations:
        yield f"offsets {_operation(one, now)}" + ("" if one.state.well else f": {one.state.message}")
    if row.earlier:
        yield f"offsets: {row.earlier} earlier, done"


def _tasks(failed: tuple[FailedTask, ...]) -> Iterator[str]:
    before = ""
    for task in failed:
        where = f"task {task.id}" + (f" on {task.worker}" if task.worker else "")
        cause = task.cause or "Lenses gave no trace"
        yield f"{where}: {'the same' if cause == before else cause}"
        before = cause


def _operation(one: Operation, now: datetime) -> str:
    return f"{one.name}: {one.action} {one.phase or _reason(one.state)} {age(one.changed, now)}"
