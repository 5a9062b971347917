"""Secret values cut out of text that leaves the process, in every form in which servers quote them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "[redacted]"
_MARK = "\udfff"
SHORT = 4
"""Characters below which a value is only cut out where it stands alone: `1` must not take every 1 out of a message."""
_ALONE = {length: re.compile(rf"(?<!\w)(?=(.{{{length}}})(?!\w))", re.DOTALL) for length in range(1, SHORT)}
PART = 8
"""Characters from which one line of a value is taken for secret by itself."""
LIMIT = 128 * 1024
"""Characters of all values together. Whoever may make Secrets could otherwise keep the operator busy for minutes."""
HEAVY = 4 * 1024
"""Characters of all values from which working out what to look for takes more than some 20 ms."""
WORK = 5 * 10**7
"""Characters to compare for one text where the event loop waits for it: some 40 ms."""
WORK_ASIDE = 10**9
"""Characters to compare for all texts of one answer, beside the event loop: about a second."""
TOO_MUCH = "the words are withheld, since there are too many secret values to look for in them"
_URL = re.compile(r"//[^/@\s:]*+:(?P<password>[^@\s]++)(?P<at>@)?")
"""Takes an address whole even where no `@` follows: looking again from each `//` in it would be quadratic."""
_PAIR = re.compile(r"""(?<![\w.-])[\w.-]++\s*+[=:]\s*+("[^"]*"|'[^']*'|[^\s;&,"']++)""")
"""Begins only where a word does: from each letter of a long one it would be quadratic."""


class Redactor:
    """`redactor(text)` is the text without the values. Knows each value, its parts and its encoded forms.

    What is to be looked for is worked out with the first text: most connectors never have one. With more than LIMIT
    characters of values it is `overfull` and withholds every text.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values = frozenset(values)
        self.overfull = sum(map(len, self._values)) > LIMIT
        if self.overfull:
            self._values = frozenset()

    def __repr__(self) -> str:
        return "Redactor(…)"

    def __call__(self, text: str, work: int = WORK) -> str:
        """Withheld where it would take more than `work`."""
        if not text or not (self._values or self.overfull):
            return text
        if self.overfull or self.work(len(text)) > work:
            return TOO_MUCH
        # A mark that no decoded text holds: a value `redacted` must not be looked for inside the word itself.
        for word in self._long:
            text = text.replace(word, _MARK)
        for words in self._short:
            text = _without_alone(text, words)
        return text.replace(_MARK, HIDDEN)

    def work(self, length: int) -> int:
        """Characters to compare for a text of this length."""
        return length * (len(self._long) + len(self._short))

    @property
    def heavy(self) -> bool:
        """Whether it takes long to work out what is to be looked for, and it is not known yet."""
        return "_words" not in vars(self) and sum(map(len, self._values)) > HEAVY

    def prepare(self) -> None:
        """Works it out."""
        self.work(0)

    @cached_property
    def _words(self) -> list[str]:
        """The longest first: a part is not to be taken out of the whole."""
        found = {form for value in self._values for part in _parts(value) for form in _forms(part)} - {""}
        return sorted(found, key=lambda form: (-len(form), form))

    @cached_property
    def _long(self) -> list[str]:
        return [word for word in self._words if len(word) >= SHORT]

    @cached_property
    def _short(self) -> list[frozenset[str]]:
        """By length, the longest first."""
        words = [frozenset(word for word in self._words if len(word) == length) for length in range(SHORT - 1, 0, -1)]
        return [alike for alike in words if alike]


def _without_alone(text: str, words: frozenset[str]) -> str:
    """Without those, all of one length, that stand alone.

    Looked up place by place: one pattern of all of them would be tried word by word at each place.
    """
    length = len(next(iter(words)))
    kept, at = [], 0
    for found in _ALONE[length].finditer(text):
        if found.start() >= at and found[1] in words:
            kept += [text[at : found.start()], _MARK]
            at = found.start() + length
    return "".join([*kept, text[at:]])


def passwords_in_urls(text: str) -> Iterator[tuple[int, int]]:
    """Where the passwords of `//user:password@` begin and end."""
    return (match.span("password") for match in _URL.finditer(text) if match["at"])


def _parts(value: str) -> Iterator[str]:
    """The value, its lines, passwords inside URLs, and the values of `key=value` pairs."""
    yield value
    yield value.strip()
    lines = [line.strip() for line in value.splitlines()]
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= PART)
    for start, end in passwords_in_urls(value):
        yield value[start:end]
        yield unquote(value[start:end])
    if "=" in value or ":" in value:
        for match in _PAIR.finditer(value):
            part = match[1].strip("\"'")
            if len(part) >= SHORT:
                yield part
                yield unquote(part)


def _forms(part: str) -> Iterator[str]:
    """As it is, URL-encoded (both cases), JSON-escaped (once and twice), base64."""
    yield part
    for encoded in (quote(part, safe=""), quote(part), quote_plus(part)):
        yield encoded
        yield re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), encoded)
    for ascii_only in (True, False):
        once = json.dumps(part, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield once.replace("/", "\\/")
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]
    raw = part.encode()
    yield from (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode())
    yield from (base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("="))
