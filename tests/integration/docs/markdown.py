"""What stands in the documentation: code blocks with what a comment above them says, and the commands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.paths import ROOT

CLI = ROOT / "docs" / "cli"
DAILY = tuple(CLI / f"{name}.md" for name in ("adopt", "diff", "offsets", "status", "verbs"))
"""Pages of commands that are run on what the page has made; the other commands' have tests of their own."""
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *DAILY)
NOTE = re.compile(r"^<!-- (.*?) -->$")
FENCE = re.compile(r"^( *)```([a-z]*)$")


@dataclass(frozen=True)
class Block:
    """`notes`: what the comments between the last block and this one say, `file: orders.yaml` for instance."""

    page: Path
    line: int
    language: str
    text: str
    notes: tuple[str, ...]
    section: str = ""

    def note(self, name: str) -> str | None:
        """The text behind `name:`; empty for a note that is the word alone."""
        for note in self.notes:
            word, _, rest = note.partition(":")
            if word == name:
                return rest.strip()
        return None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass
class Command:
    """One command line, continuation lines joined, and what the page shows below it."""

    block: Block
    text: str
    output: list[str] = field(default_factory=list)


def blocks(page: Path) -> Iterator[Block]:
    notes: list[str] = []
    section = ""
    lines = iter(enumerate(page.read_text().splitlines(), start=1))
    for number, line in lines:
        if found := NOTE.match(line.strip()):
            notes.append(found[1])
        elif line.startswith("#"):
            section = line.lstrip("# ")
        elif fence := FENCE.match(line):
            indent, inside = len(fence[1]), []
            for _, text in lines:
                if text.strip() == "```":
                    break
                inside.append(text[indent:])
            yield Block(page, number, fence[2], "\n".join(inside) + "\n", tuple(notes), section)
            notes = []


def commands(block: Block) -> list[Command]:
    """Of an `sh` block every line, of a `console` block those behind `$ `, with the output; comments left out."""
    found: list[Command] = []
    lines = iter(block.text.splitlines())
    for line in lines:
        if block.language == "console":
            if not line.startswith("$ "):
                found[-1].output.append(line)
                continue
            line = line[2:]
        while line.endswith("\\"):
            line = line[:-1].rstrip() + " " + next(lines).strip()
        if text := without_comment(line):
            found.append(Command(block, text))
    return found


def without_comment(line: str) -> str:
    return re.sub(r"(^|\s+)#\s.*$", "", line).strip()
