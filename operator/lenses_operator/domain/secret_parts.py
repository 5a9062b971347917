"""The parts of a Secret's value that servers quote by themselves."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from itertools import islice

from lenses_operator.domain.ordinary_words import is_ordinary

PART = 6
"""Characters from which a part is taken for secret by itself, where it is no ordinary word."""
NAMED = 4
"""The same of what a `key=value` pair holds."""
_NESTED = 4
"""Levels of parts within parts: a JSON value with a URL in it with a password that has an `&`."""
_EDGES = 8
_EDGED = 256
"""Separators, and characters of a value, up to which also all before and all behind each of them is a part."""
_MEMBERS = 4096
"""Of one JSON value."""
_AGAIN, _AT_LEAST = 8, 4096
"""Characters of parts looked at for parts of their own: so many for each of the value, and so many in any case."""
_URL = re.compile(r"//[^/@\s:]*+:(?P<password>[^@\s]++)(?P<at>@)?")
"""Takes an address whole even where no `@` follows: looking again from each `//` in it would be quadratic."""
_TO_THE_LAST_AT = re.compile(r"//[^/@\s:]*+:(?P<password>[^\s/]++)")
"""A password may hold an `@` itself."""
_PAIR = re.compile(r"""(?<![\w.-])([\w.-]++)\s*+[=:]\s*+("[^"]*"|'[^']*'|[^\s;&,"']++)""")
"""Begins only where a word does: from each letter of a long one it would be quadratic."""
_SECRET_NAME = re.compile(r"pass|pwd|secret|token|key|credential|sig", re.IGNORECASE)
_SEPARATOR = re.compile(r"[\s&@]+")
_SEPARATORS = re.compile(r"[\s&@;,|]+")
_BRACKETS = "\"'`()[]{}<>"
_EXPANDED = re.compile(r"\$\{[^{}]*+\}|\{\{[^{}]*+\}\}|%\{[^{}]*+\}|#\{[^{}]*+\}")
"""What a connector puts something else in the place of."""
_BASIC = re.compile(r"\s*basic\s++([A-Za-z0-9+/_-]{8,}={0,2})\s*", re.IGNORECASE)


def passwords_in_urls(text: str) -> Iterator[tuple[int, int]]:
    """Where the passwords of `//user:password@` begin and end."""
    return (match.span("password") for match in _URL.finditer(text) if match["at"])


def parts(value: str) -> frozenset[str]:
    """The value itself and its parts, each also without white space around it."""
    found, seen, level = {value, value.strip()}, {value}, [value]
    left = _AGAIN * len(value) + _AT_LEAST
    for _ in range(_NESTED):
        found.update(part for one in level for part in _passwords(one))
        further = dict.fromkeys(part for one in level for part in _within(one) if len(part) >= PART)
        level = []
        for part in further:
            left -= len(part)
            if part not in seen and left > 0:
                seen.add(part)
                level.append(part)
        found.update(part for part in level if not is_ordinary(part) and not _says_itself(part))
    return frozenset(part for part in found if part.strip())


def _within(value: str) -> Iterator[str]:
    """What is searched again for parts of its own. JSON has its values, and nothing between them."""
    members = list(_members(value))
    if members:
        yield from members
        return
    for kind in (_lines, _decoded, _pieces, _fixed, _held, _edges):
        yield from kind(value)


def _says_itself(part: str) -> bool:
    """`password=…`, of which what it holds is a part by itself, and what it is called may stay."""
    match = _PAIR.fullmatch(part)
    return match is not None and is_ordinary(match[1]) and len(match[2].strip("\"'")) >= NAMED


def _passwords(value: str) -> Iterator[str]:
    """What is named a secret: whatever word it is."""
    for start, end in passwords_in_urls(value):
        yield value[start:end]
    for match in _TO_THE_LAST_AT.finditer(value):
        password, at, _ = match["password"].rpartition("@")
        if at:
            yield password
    if "=" in value or ":" in value:
        for match in _PAIR.finditer(value):
            part = match[2].strip("\"'")
            if len(part) >= NAMED and (_SECRET_NAME.search(match[1]) or not is_ordinary(part)):
                yield part


def _held(value: str) -> Iterator[str]:
    """By `key=value` pairs: for the parts within."""
    if "=" in value or ":" in value:
        yield from (match[2].strip("\"'") for match in _PAIR.finditer(value))


def _lines(value: str) -> Iterator[str]:
    lines = value.splitlines()
    if len(lines) > 1:
        yield from (line.strip() for line in lines)


def _pieces(value: str) -> Iterator[str]:
    """Between blanks, `&`, `@` and the like."""
    pieces = _SEPARATORS.split(value)
    if len(pieces) > 1:
        yield from pieces
    yield from (piece.strip(_BRACKETS) for piece in pieces)


def _edges(value: str) -> Iterator[str]:
    """All text before or after a blank, `&` or `@`."""
    if len(value) <= _EDGED:
        for match in islice(_SEPARATOR.finditer(value), _EDGES):
            yield from (value[: match.start()], value[match.end() :])


def _fixed(value: str) -> Iterator[str]:
    """What a template such as `orders_${topic}_x` leaves as it is."""
    pieces = _EXPANDED.split(value)
    if len(pieces) > 1:
        yield from pieces


def _members(value: str) -> Iterator[str]:
    """The values within JSON, numbers as they are written."""
    if not value.lstrip().startswith(("{", "[", '"')):
        return
    try:
        held = json.loads(value, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return
    waiting, count = [held], 0
    while waiting and count < _MEMBERS:
        count += 1
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str):
            yield one


def _decoded(value: str) -> Iterator[str]:
    """`user:password` of a header for basic authentication."""
    match = _BASIC.fullmatch(value)
    if match is not None:
        try:
            padded = match[1].rstrip("=") + "=" * (-len(match[1].rstrip("=")) % 4)
            plain = base64.b64decode(padded, altchars=b"-_" if set(match[1]) & {"-", "_"} else None).decode()
        except (binascii.Error, UnicodeDecodeError):
            return
        yield plain
        yield plain.partition(":")[2]
