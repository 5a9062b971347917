"""JSON taken apart piece by piece: no call into the parser, which holds the interpreter's lock, takes long."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

LONGEST = 4 * 1024 * 1024
"""Characters of one value: what Kafka Connect tells of a task or a partition it keeps in one record of Kafka."""
_SCANNER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\n\r]*+")


class TooLong(ValueError):  # noqa: N818 - says what it is
    """A single value is longer than LONGEST, or ends nowhere."""


class _Window:
    """Decodes values of a text, showing the decoder no more of it than LONGEST characters at a time."""

    def __init__(self, text: str, decoder: json.JSONDecoder) -> None:
        self._text = text
        self._decoder = decoder
        self._base = 0
        self._part = text[:LONGEST]

    def decode(self, at: int) -> tuple[object, int]:
        """The value that begins here, and where it ends. Raises JSONDecodeError, TooLong, what the decoder raises."""
        if at < self._base + len(self._part):
            try:
                return self._decode(at)
            except ValueError:
                if at == self._base or not self._cut:
                    raise
        self._base, self._part = at, self._text[at : at + LONGEST]
        return self._decode(at)

    @property
    def _cut(self) -> bool:
        return self._base + len(self._part) < len(self._text)

    def _decode(self, at: int) -> tuple[object, int]:
        try:
            value, end = self._decoder.raw_decode(self._part, at - self._base)
        except json.JSONDecodeError as failure:
            if not self._cut:
                raise json.JSONDecodeError(failure.msg, self._text, self._base + failure.pos) from None
        else:
            if end < len(self._part) or not self._cut:
                return value, self._base + end
        raise TooLong(f"it is malformed, or one value has more than {LONGEST} characters")


def skip(text: str, at: int) -> int:
    """Where what is not blank goes on."""
    found = _BLANK.match(text, at)
    return found.end() if found else at


def members(text: str, decoder: json.JSONDecoder = _SCANNER) -> Iterator[tuple[str, int, int]]:
    """Key, begin and end of each member of the JSON object that the text is; nothing where it is no object.

    Raises JSONDecodeError, TooLong, and what the decoder raises.
    """
    at, window = skip(text, 0), _Window(text, decoder)
    if text[at : at + 1] != "{":
        return
    at = skip(text, at + 1)
    if text[at : at + 1] != "}":
        while True:
            if text[at : at + 1] != '"':
                raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
            key, at = window.decode(at)
            at = skip(text, at)
            if text[at : at + 1] != ":":
                raise json.JSONDecodeError("Expecting ':' delimiter", text, at)
            begin = skip(text, at + 1)
            end = _end_of(text, begin, window)
            yield str(key), begin, end
            at = skip(text, end)
            if text[at : at + 1] != ",":
                break
            at = skip(text, at + 1)
    _close(text, at, "}")


def elements(text: str, decoder: json.JSONDecoder = _SCANNER) -> Iterator[tuple[object, int, int]]:
    """Value, begin and end of each element of the JSON array that the text is; nothing where it is no array.

    Raises JSONDecodeError, TooLong, and what the decoder raises.
    """
    at = skip(text, 0)
    if text[at : at + 1] == "[":
        for value, begin, end in elements_at(text, at, _Window(text, decoder)):
            at = end
            if begin >= 0:
                yield value, begin, end
        nothing_after(text, at)


def nothing_after(text: str, at: int) -> None:
    """Raises JSONDecodeError where anything but blanks follows."""
    rest = skip(text, at)
    if rest != len(text):
        raise json.JSONDecodeError("Extra data", text, rest)


def _end_of(text: str, at: int, window: _Window) -> int:
    """Where the value that begins here ends."""
    if text[at : at + 1] != "[":
        return window.decode(at)[1]
    for _, _, end in elements_at(text, at, window):
        at = end
    return at


def elements_at(text: str, at: int, window: _Window | None = None) -> Iterator[tuple[object, int, int]]:
    """Those of the array that begins here; the last one is none, begins at -1 and ends where the array does."""
    window = window or _Window(text, _SCANNER)
    at = skip(text, at + 1)
    if text[at : at + 1] != "]":
        while True:
            value, end = window.decode(at)
            yield value, at, end
            at = skip(text, end)
            if text[at : at + 1] != ",":
                break
            at = skip(text, at + 1)
    if text[at : at + 1] != "]":
        raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
    yield None, -1, at + 1


def _close(text: str, at: int, mark: str) -> None:
    if text[at : at + 1] != mark:
        raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
    nothing_after(text, at + 1)
