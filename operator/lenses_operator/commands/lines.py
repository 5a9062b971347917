"""Lines of text for people, in columns."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from lenses_operator.resources.text import one_row

NARROWEST = 8
"""Characters that a first column keeps."""


LEAST = 40
"""Columns of a terminal that text is broken for."""


class Line(NamedTuple):
    """One line of text and its style."""

    text: str
    style: str | None = None


def wrapped(text: str, width: int | None, indent: str = "") -> Iterator[str]:
    """A text on lines of a terminal, all but the first further in; on one line where there is none (None)."""
    text = one_row(text)
    if width is None:
        yield indent + text
        return
    yield from textwrap.wrap(
        text, max(width, LEAST), initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
    )


def columns(
    titles: tuple[str, ...], rows: Sequence[tuple[str, ...]], width: int | None, right: Collection[int] = ()
) -> Iterator[Line]:
    """A table; the first column is broken where it leaves the others no room. `right`: columns of numbers."""
    if not rows:
        return
    widest = [max(len(row[at]) for row in (titles, *rows)) for at in range(len(titles))]
    if width is not None:
        widest[0] = min(widest[0], max(NARROWEST, width - sum(one + 2 for one in widest[1:])))
    for style, row in (("dim", titles), *((None, row) for row in rows)):
        first = row[0]
        while len(first) > widest[0]:
            room = sum(one + 2 for one in widest) - 2
            yield Line(first[:room], style)
            first = first[room:] if len(first) > room else ""
        cells = [
            cell.rjust(size) if at in right else cell.ljust(size)
            for at, (cell, size) in enumerate(zip((first, *row[1:]), widest, strict=True))
        ]
        yield Line("  ".join(cells).rstrip(), style)
