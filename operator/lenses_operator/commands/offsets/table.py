"""Offsets for people: a sink's as topic, partition and number, a source's as the JSON they are, every digit there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from lenses_operator.commands.lines import Line, columns, wrapped
from lenses_operator.domain.offsets_text import Step, steps
from lenses_operator.resources.text import one_row

_BLANK = re.compile(r'"(?:[^"\\]|\\.)*"|\s+')
NONE = "-"
"""No offset."""


def listed(text: str, width: int | None) -> Iterator[Line]:
    """As they are. `width` None: there is no terminal."""
    found = steps(text, None)
    yield from _table(found, ("OFFSET",), [(one.before,) for one in found], width)
    yield Line(f"{_partitions(len(found))}", "bold")


def compared(found: Sequence[Step], width: int | None) -> Iterator[Line]:
    """What would change; the rest is counted."""
    changing = [one for one in found if not one.same]
    yield from _table(changing, ("NOW", "AFTER"), [(one.before, one.after) for one in changing], width)
    same = len(found) - len(changing)
    yield Line(f"{_partitions(len(changing))} to change" + (f", {same} as asked already" if same else ""), "bold")


def _partitions(number: int) -> str:
    return f"{number} partition{'' if number == 1 else 's'}"


def _table(
    found: Sequence[Step], titles: tuple[str, ...], offsets: Sequence[tuple[str | None, ...]], width: int | None
) -> Iterator[Line]:
    sink = [_sink(one.partition) for one in found]
    numbers = [tuple(_number(one) for one in row) for row in offsets]
    if all(one is not None for one in sink) and all(one is not None for row in numbers for one in row):
        rows = [(*(place or ()), *map(str, row)) for place, row in zip(sink, numbers, strict=True)]
        rows.sort(key=lambda row: (row[0], int(row[1])))
        yield from columns(("TOPIC", "PARTITION", *titles), rows, width, right=range(1, 2 + len(titles)))
        return
    rows = [
        (_compact(one.partition), *(NONE if text is None else _compact(text) for text in row))
        for one, row in zip(found, offsets, strict=True)
    ]
    if width is None or _fits(("PARTITION", *titles), rows, width):
        yield from columns(("PARTITION", *titles), rows, width)
        return
    for partition, *values in rows:
        yield from map(Line, wrapped(partition, width))
        for title, value in zip(titles, values, strict=True):
            yield from map(Line, wrapped(f"{title.lower()}: {value}", width, "  "))


def _fits(titles: tuple[str, ...], rows: Sequence[tuple[str, ...]], width: int) -> bool:
    return sum(max(len(row[at]) for row in (titles, *rows)) + 2 for at in range(len(titles))) - 2 <= width


def _sink(partition: str) -> tuple[str, str] | None:
    found = json.loads(partition)
    if not isinstance(found, dict) or found.keys() != {"kafka_topic", "kafka_partition"}:
        return None
    topic, number = found["kafka_topic"], str(found["kafka_partition"])
    return (one_row(topic), number) if isinstance(topic, str) and number.isascii() and number.isdigit() else None


def _number(offset: str | None) -> str | None:
    """None: it is no sink's."""
    if offset is None:
        return NONE
    found = json.loads(offset, parse_float=str)
    number = found.get("kafka_offset") if isinstance(found, dict) and len(found) == 1 else None
    return str(number) if isinstance(number, int) and not isinstance(number, bool) else None


def _compact(text: str) -> str:
    """Without white space between its parts; everything else as it is."""
    return one_row(_BLANK.sub(lambda found: found[0] if found[0].startswith('"') else "", text))
