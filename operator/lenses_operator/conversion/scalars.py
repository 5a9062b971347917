"""YAML scalars that every parser takes to the letter: YAML 1.1 and 1.2, kubectl's and Python's.

A plain scalar is written only where nobody can take it for anything else; the rest is quoted, or in a block where
that reads better.
"""

from __future__ import annotations

import json
import re

WIDTH = 100
"""Characters beyond which a text with spaces is folded."""

_PLAIN = re.compile(r"[A-Za-z_/](?:[\w./,;@+=()*<>$-]|:(?=[\w/])| (?=[\w./(*<$=+-]))*", re.ASCII)
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"})
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,14}", re.ASCII)
"""Integers that also survive programs which keep numbers as floats; `0644`, `-0` and `1_000` would not survive YAML."""
_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def text(value: str) -> str:
    """One line that is this very string: plain, in single quotes or in double quotes."""
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    readable = not _UNPRINTABLE.search(value) and "\n" not in value and "\t" not in value
    if readable and ('"' in value or "\\" in value):
        return "'" + value.replace("'", "''") + "'"
    return quoted(value)


def entry(key: str, value: str, indent: int) -> list[str]:
    """`key: value` as one or more lines: a block for long and for multi-line text."""
    head = f"{' ' * indent}{text(key)}:"
    inner = " " * (indent + 2)
    for style, lines in (_literal(value), _folded(value, WIDTH - indent)):
        if lines:
            return [f"{head} {style}", *(inner + line if line else "" for line in lines)]
    return [f"{head} {text(value)}"]


def config_entry(key: str, value: str, indent: int) -> list[str]:
    """The same for a configuration: integers and booleans unquoted where they come out as the same text."""
    if value in ("true", "false") or _INTEGER.fullmatch(value):
        return [f"{' ' * indent}{text(key)}: {value}"]
    return entry(key, value, indent)


def _literal(value: str) -> tuple[str, list[str]]:
    """No lines where a block would lose something, or an editor that trims lines would."""
    body = value.rstrip("\n")
    lines = body.split("\n")
    if "\n" not in value or not body or body[0] in " \t\n" or _UNPRINTABLE.search(value):
        return "", []
    if any(line != line.rstrip() for line in lines):
        return "", []
    newlines = len(value) - len(body)
    return ("|-", "|", "|+")[min(newlines, 2)], lines + [""] * (newlines - 1)


def _folded(value: str, width: int) -> tuple[str, list[str]]:
    """Broken at single spaces only: any other white space would not come back."""
    if len(value) <= WIDTH or value != value.strip() or _UNPRINTABLE.search(value) or re.search("[\t\n]", value):
        return "", []
    lines = [""]
    for piece in re.split(r"(?<=[^ ]) (?=[^ ])", value):
        if lines[-1] and len(lines[-1]) + 1 + len(piece) > width:
            lines.append(piece)
        else:
            lines[-1] = f"{lines[-1]} {piece}" if lines[-1] else piece
    return (">-", lines) if len(lines) > 1 else ("", [])


def quoted(value: str) -> str:
    """JSON that YAML 1.1 reads alike: it takes some characters for line breaks, and no surrogate pairs."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
