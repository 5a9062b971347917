"""A plan for people."""

from __future__ import annotations

from collections.abc import Iterator

from lenses_operator.commands.lines import wrapped
from lenses_operator.commands.terminal import console
from lenses_operator.manifests.documents import Place
from lenses_operator.planning.result import Action, Change, Item, Result

MARKS = {
    Action.CREATE: ("+", "green"),
    Action.CHANGE: ("~", "yellow"),
    Action.ADOPT: ("@", "green"),
    Action.STATE: ("~", "yellow"),
    Action.DELETE: ("-", "red"),
    Action.OFFSETS: ("~", "yellow"),
    Action.REFUSED: ("!", "red"),
    Action.SUSPENDED: ("=", None),
}
ORDER = tuple(MARKS)
LONG = 100
"""Characters of a value from which it is cut short; -o json has it whole."""
UPDATES = {
    "Recreate": "restarted: the connector is deleted and created again; its offsets stay",
    "InPlace": "updated in place",
    "Waiting": "waits until the connector is next to run",
}


def print_plan(result: Result) -> None:
    """What is to do first, the summary last; what is unchanged is only counted."""
    out = console()
    width = out.width if out.is_terminal else None

    def say(text: str, style: str | None = None, indent: str = "") -> None:
        for row in text.split("\n"):
            for line in wrapped(row, width, indent):
                out.print(line, style=style)

    shown = [item for item in result.items if item.action in MARKS or item.notes]
    for item in sorted(shown, key=lambda item: ORDER.index(item.action) if item.action in MARKS else len(ORDER)):
        mark, colour = MARKS.get(item.action, (" ", None))
        say(f"{mark} {_headline(item)}", colour)
        for text in _details(item):
            say(text, indent="    ")
    for word, told, colour in (("error", result.errors, "red"), ("warning", result.warnings, "yellow")):
        for place, message in told:
            say(f"{word}: {_at(place, message)}", colour)
    for note in result.notes:
        say(f"note: {note}")
    say(result.summary, "bold")


def _headline(item: Item) -> str:
    kind = "" if item.kind == "LensesConnector" else f"{item.kind} "
    what = f"{item.action.value}  {kind}{item.namespace}/{item.name}"
    connector = f"  {item.connector}" if item.connector else ""
    return f"{what}{connector}" + (f"  ({item.place})" if item.place else "")


def _details(item: Item) -> Iterator[str]:
    first = True
    for place, message in item.problems:
        yield _at(place, f"{item.reason}: {message}" if first and item.reason else message)
        first = False
    yield from (_change(change) for change in item.changes)
    if item.update:
        yield UPDATES[item.update]
    yield from (f"{state} the connector" for state in item.states)
    if item.unknown:
        yield f"not known here: {', '.join(item.unknown)}"
    yield from item.notes


def _change(change: Change) -> str:
    line = f"  (line {change.line})" if change.line else ""
    if change.old is None:
        return f"+ {change.key}: {_short(change.new)}{line}"
    if change.new is None:
        return f"- {change.key}: {_short(change.old)}{line}"
    return f"~ {change.key}: {_short(change.old)} -> {_short(change.new)}{line}"


def _short(value: str | None) -> str:
    text = (value or "").replace("\n", "\\n")
    return text if len(text) <= LONG else text[: LONG - 1] + "…"


def _at(place: Place | None, message: str) -> str:
    return f"{place}: {message}" if place else message
