"""What was tried with what: the part of docs/connect-versions.md between its markers, made from what the tests saw."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from harness.paths import ROOT

PAGE = ROOT / "docs" / "connect-versions.md"
BEGIN, END = "<!-- tried: begin -->", "<!-- tried: end -->"


@dataclass
class Tried:
    """`versions`: by version of Connect, by step. `plugins`: by connector, what was seen to work, in order."""

    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    plugins: dict[str, list[str]] = field(default_factory=dict)

    def saw(self, connector: str, *what: str) -> None:
        self.plugins.setdefault(connector, []).extend(what)

    def text(self) -> str:
        steps = list(next(iter(self.versions.values())))
        rows = [[step, *(seen[step] for seen in self.versions.values())] for step in steps]
        plugins = [[connector, "; ".join(what)] for connector, what in sorted(self.plugins.items())]
        return f"{_table(['Kafka Connect', *self.versions], rows)}\n\n{_table(['connector', 'seen'], plugins)}"


TRIED = Tried()


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def check() -> None:
    """The page says what was seen; with TABLE=write it is made to."""
    page = PAGE.read_text()
    head, rest = page.split(BEGIN)
    tail = rest.split(END)[1]
    wanted = f"{head}{BEGIN}\n{TRIED.text()}\n{END}{tail}"
    if os.environ.get("TABLE") == "write":
        PAGE.write_text(wanted)
    assert PAGE.read_text() == wanted, f"{PAGE.name} does not say what was seen: make test-connectors TABLE=write"
