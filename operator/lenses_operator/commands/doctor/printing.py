"""The report, grouped for people or as one document, and the calls as they happen."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import click

from lenses_operator.commands.output import Format, print_document, say
from lenses_operator.diagnosis.results import Result, Verdict, counts
from lenses_operator.resources.text import plain

_STYLES: dict[Verdict, dict[str, Any]] = {
    Verdict.OK: {"fg": "green"},
    Verdict.WARNING: {"fg": "yellow"},
    Verdict.FAILED: {"fg": "red", "bold": True},
    Verdict.SKIPPED: {"dim": True},
}
_INDENT = 13


def report(results: Sequence[Result], output: Format) -> None:
    if output != "table":
        print_document(_document(results), output)
        return
    terminal = sys.stdout.isatty()
    for group, lines in groupby(results, lambda result: result.group):
        _echo(group, bold=True)
        for line in _joined(list(lines)):
            _echo(f"  {line.verdict.value:<{_INDENT - 4}}", end="  ", **_STYLES[line.verdict])
            _echo(_wrapped(f"{line.check}: {line.message}", "", terminal))
            if line.seen:
                _echo(_wrapped(line.seen, "seen: ", terminal, first=True))
            if line.remedy:
                _echo(_wrapped(line.remedy, "do: ", terminal, first=True))
        _echo("")
    _echo(", ".join(f"{number} {verdict}" for verdict, number in counts(results).items()))


def _echo(text: str, *, end: str = "\n", **style: Any) -> None:
    """Colours at a terminal only, unless NO_COLOR says none. Nothing in what Lenses or a cluster says steers it."""
    color = False if os.environ.get("NO_COLOR") else None
    click.echo(click.style(plain(text), **style) + end, nl=False, color=color)


def _joined(results: Sequence[Result]) -> list[Result]:
    """Neighbours that say the same are one line: `eu: get topics, get offsets`."""
    joined: list[Result] = []
    for result in results:
        last = joined[-1] if joined else None
        if last is not None and replace(result, check=last.check) == last:
            cluster, colon, _ = last.check.partition(": ")
            joined[-1] = replace(last, check=f"{last.check}, {result.check.removeprefix(cluster + colon)}")
        else:
            joined.append(result)
    return joined


def _wrapped(text: str, label: str, terminal: bool, *, first: bool = False) -> str:
    """Hanging below the check at a terminal; one line in a pipe, where something may look for it."""
    margin = " " * _INDENT
    if not terminal:
        return (margin if first else "") + label + text
    width = max(40, shutil.get_terminal_size().columns - _INDENT)
    lines = textwrap.wrap(label + text, width, break_long_words=False, break_on_hyphens=False)
    return (margin if first else "") + f"\n{margin}".join(lines)


def _document(results: Sequence[Result]) -> dict[str, object]:
    return {
        "summary": counts(results),
        "checks": [
            {
                key: value
                for key, value in {
                    "group": result.group,
                    "check": result.check,
                    "verdict": result.verdict.value,
                    "message": result.message,
                    "remedy": result.remedy,
                    "seen": result.seen,
                }.items()
                if value
            }
            for result in results
        ],
    }


def call(what: str, outcome: int | str, seconds: float) -> None:
    """A line on standard error."""
    say(f"{what}: {outcome}, {seconds * 1000:.0f} ms")


def lenses_call(operation: str, environment: str, outcome: int | str, seconds: float) -> None:
    where = f" in {environment}" if environment else ""
    call(f"{operation.replace('_', ' ')}{where}", outcome, seconds)
