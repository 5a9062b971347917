"""The report, grouped for people or as one document, and the calls as they happen."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from lenses_operator.commands.output import Format, console, print_document, say
from lenses_operator.diagnosis.results import Result, Verdict, counts

_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "bold red", Verdict.SKIPPED: "dim"}
_INDENT = 13


def report(results: Sequence[Result], output: Format) -> None:
    if output != "table":
        print_document(_document(results), output)
        return
    out = console()
    for group, lines in groupby(results, lambda result: result.group):
        out.print(group, style="bold")
        for line in _joined(list(lines)):
            out.print(f"  {line.verdict.value:<{_INDENT - 4}}", style=_STYLES[line.verdict], end="  ")
            out.print(_wrapped(f"{line.check}: {line.message}", "", out.is_terminal))
            if line.seen:
                out.print(_wrapped(line.seen, "seen: ", out.is_terminal, first=True))
            if line.remedy:
                out.print(_wrapped(line.remedy, "do: ", out.is_terminal, first=True))
        out.print()
    out.print(", ".join(f"{number} {verdict}" for verdict, number in counts(results).items()))


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
