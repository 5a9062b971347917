"""Text as it was before a server escaped it, with a map back to the original position of each character."""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

DEPTH = 3
"""Times that one text may have been escaped: a URL inside JSON inside a page, each by its own rules."""
MOST = 24
"""Readings of one text, those that take the fewest rules first."""
RULES = {
    "%": re.compile(r"(?:%[0-9A-Fa-f]{2})+"),
    "&": re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});"),
    "\\": re.compile(r"(?:\\u[0-9A-Fa-f]{4})+|\\x[0-9A-Fa-f]{2}|\\[bfnrt]|\\[^\w\n]"),
    "''": re.compile("''"),
    '""': re.compile('""'),
}
"""By what each escape begins with: those of URLs, of HTML and XML, of JSON and Java, of SQL, of CSV. One at a time: a
value may hold by itself what another rule takes for an escape."""
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Layer:
    """A text, and the one that it was unescaped from."""

    __slots__ = ("_before", "_ends", "_origins", "_starts", "text")

    def __init__(self, text: str, before: Layer | None = None) -> None:
        self.text = text
        self._before = before
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._origins: list[tuple[int, int]] = []

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The position of a piece of this text in the original. An escape is taken whole."""
        if self._before is None:
            return start, end
        return self._before.origin(self._before_start(start), self._before_end(end))

    def _before_start(self, at: int) -> int:
        found = bisect_right(self._starts, at) - 1
        if found < 0:
            return at
        first, last = self._origins[found]
        return first if at < self._ends[found] else last + at - self._ends[found]

    def _before_end(self, at: int) -> int:
        found = bisect_right(self._starts, at - 1) - 1
        if found < 0:
            return at
        _, last = self._origins[found]
        return last if at <= self._ends[found] else last + at - self._ends[found]

    def unescaped(self, rule: re.Pattern[str]) -> Layer:
        """By one rule alone."""
        pieces: list[str] = []
        layer, at, length = Layer("", self), 0, 0
        for match in rule.finditer(self.text):
            start, end = match.span()
            pieces += [self.text[at:start], _meaning(match[0])]
            length += start - at
            layer._starts.append(length)
            length += len(pieces[-1])
            layer._ends.append(length)
            layer._origins.append((start, end))
            at = end
        layer.text = "".join([*pieces, self.text[at:]])
        return layer


def layers(text: str) -> Iterator[Layer]:
    """The text, and what it is when it is unescaped by one rule after another."""
    level, seen = [Layer(text)], {text}
    yield level[0]
    for _ in range(DEPTH):
        further = []
        for layer in level:
            for sign, rule in RULES.items():
                if sign not in layer.text:
                    continue
                found = layer.unescaped(rule)
                if found.text in seen:
                    continue
                if len(seen) == MOST:
                    return
                seen.add(found.text)
                further.append(found)
                yield found
        level = further


def _meaning(escape: str) -> str:
    match escape[0]:
        case "%":
            raw = unquote_to_bytes(escape)
            try:
                return raw.decode()
            except UnicodeDecodeError:
                return raw.decode("latin-1")
        case "&":
            return html.unescape(escape)
        case "\\" if len(escape) == 2:
            return _CONTROLS.get(escape[1], escape[1])
        case "\\" if escape[1] == "x":
            return bytes.fromhex(escape[2:]).decode("latin-1")
        case "\\":
            units = bytes.fromhex(escape.replace("\\u", ""))
            return units.decode("utf-16-be", "replace")
        case _:
            return escape[0]
