"""Java's properties format, as far as Kafka Connect's own files use it: all of it."""

from __future__ import annotations

import re
from typing import NamedTuple

from lenses_operator.conversion.yaml_source import Unreadable

_BLANK = " \t\f"
_NEWLINE = re.compile(r"\r\n|\r|\n")
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


class Property(NamedTuple):
    """`line` counts from 1. `dropped`: the first character of the value after a meaningless backslash."""

    key: str
    value: str
    line: int
    dropped: str = ""


def decode(raw: bytes) -> tuple[str, bool]:
    """The text, and whether it has characters of which Java, which reads ISO-8859-1, makes others."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return raw.decode("iso-8859-1"), False
    return text, not text.isascii()


def parse(text: str) -> list[Property]:
    """Every entry in order; of a key that is given twice both. Raises Unreadable."""
    found: list[Property] = []
    lines = enumerate(_NEWLINE.split(text), start=1)
    for number, line in lines:
        logical = line.lstrip(_BLANK)
        if not logical or logical[0] in "#!":
            continue
        pieces = [logical]
        while _continues(pieces[-1]):
            pieces[-1] = pieces[-1][:-1]
            pieces.append(next(lines, (0, ""))[1].lstrip(_BLANK))
        key, value = _split("".join(pieces))
        found.append(Property(_unescaped(key, number), _unescaped(value, number), number, _dropped(value)))
    return found


def _continues(line: str) -> bool:
    """Whether an odd number of backslashes ends it."""
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _split(line: str) -> tuple[str, str]:
    """At the first `=`, `:` or white space that is not escaped."""
    at = 0
    while at < len(line) and line[at] not in f"=:{_BLANK}":
        at += 2 if line[at] == "\\" else 1
    rest = line[at:].lstrip(_BLANK)
    if rest[:1] in ("=", ":"):
        rest = rest[1:].lstrip(_BLANK)
    return line[:at], rest


def _dropped(text: str) -> str:
    """Java's own writer puts a backslash before blanks and `=:#!`: these are meant."""
    escaped = (found[1] for found in re.finditer(r"\\(.)", text, re.DOTALL))
    return next((one for one in escaped if one not in "tnrfu\\ =:#!\"'"), "")


def _unescaped(text: str, line: int) -> str:
    def character(match: re.Match[str]) -> str:
        escape = match[1]
        if escape[0] != "u":
            return _ESCAPES.get(escape, escape)
        if len(escape) != 5:
            raise Unreadable("\\u without four hexadecimal digits", line)
        return chr(int(escape[1:], 16))

    plain = re.sub(r"\\(u[0-9a-fA-F]{4}|.|$)", lambda m: character(m) if m[1] else "", text, flags=re.DOTALL)
    try:
        return plain.encode("utf-16", "surrogatepass").decode("utf-16")  # Java escapes one character as two
    except UnicodeDecodeError:
        raise Unreadable("\\u escapes that are half a character", line) from None
