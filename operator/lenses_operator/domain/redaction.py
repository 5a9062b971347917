"""Secret values cut out of text that leaves the process, in every form in which servers quote them.

A text is searched as received and unescaped, so that no list of escaped forms is ever complete or
wrong; base64 alone hides a value from that.
"""

from __future__ import annotations

import base64
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice

from lenses_operator.domain.secret_parts import parts
from lenses_operator.domain.secret_parts import passwords_in_urls as passwords_in_urls
from lenses_operator.domain.unescaping import MOST, RULES, layers

HIDDEN = "[redacted]"
SHORT = 4
"""Characters below which a value is only cut out where it is alone: `1` must not take every 1 out of a message."""
_ALONE = {length: re.compile(rf"(?<!\w)(?=(.{{{length}}})(?!\w))", re.DOTALL) for length in range(1, SHORT)}
LIMIT = 128 * 1024
"""Characters of all values together. Whoever may make Secrets could otherwise keep the operator busy for minutes."""
HEAVY = 2048
"""Characters of all values from which working out what to look for takes more than some 20 ms."""
WORK = 5 * 10**7
"""Characters to compare for one text where the event loop waits for it: some 40 ms."""
WORK_ASIDE = 10**9
"""Characters to compare for all texts of one answer, beside the event loop: about a second."""
TOO_MUCH = "the error text is withheld, since there are too many secret values to look for in them"
_STEP = 128
"""Characters compared in the time that one step of the walk through a text takes."""
_ESCAPE = 2048
"""The same for reading one escape."""


class Exhausted(Exception):  # noqa: N818 - it says what has happened
    """More was to be compared than may be."""


class Budget:
    """Characters that may be compared still, for one text or for several."""

    __slots__ = ("left",)

    def __init__(self, work: int) -> None:
        self.left = work

    def spend(self, work: int) -> None:
        """Raises Exhausted, and goes on to do so."""
        self.left -= work
        if self.left < 0:
            raise Exhausted


class Redactor:
    """`redactor(text)` is the text without the values. Knows each value, its parts and its encoded forms.

    What is to be looked for is worked out with the first text: most connectors never have one. With more than LIMIT
    characters of values it is `overfull` and withholds every text.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values = frozenset(value for value in values if value.strip())
        self.overfull = sum(map(len, self._values)) > LIMIT
        if self.overfull:
            self._values = frozenset()

    def __repr__(self) -> str:
        return "Redactor(…)"

    def __call__(self, text: str, budget: Budget | None = None) -> str:
        """Withheld where it would take more than the budget, which is WORK where none is given."""
        if not text or not (self._values or self.overfull):
            return text
        if self.overfull:
            return TOO_MUCH
        budget = budget or Budget(WORK)
        try:
            return _without(text, self._spans(text, budget))
        except Exhausted:
            return TOO_MUCH

    def work(self, length: int) -> int:
        """Characters to compare for a text of this length, if the worst is to be feared."""
        return length * MOST * (min(len(self._long), 2 * _STEP) + _STEP * len(self._short))

    @property
    def heavy(self) -> bool:
        """Whether it takes long to work out what is to be looked for, and it is not known yet."""
        return "_words" not in vars(self) and sum(map(len, self._values)) > HEAVY

    def prepare(self) -> None:
        """Works it out."""
        self.work(0)

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(form for value in self._values for part in parts(value) for form in _forms(part))

    @cached_property
    def _long(self) -> list[str]:
        return [word for word in self._words if len(word) >= SHORT]

    @cached_property
    def _short(self) -> dict[int, frozenset[str]]:
        found = {length: frozenset(word for word in self._words if len(word) == length) for length in range(1, SHORT)}
        return {length: words for length, words in found.items() if words}

    @cached_property
    def _lengths(self) -> dict[str, list[int]]:
        """How long those are that begin with the same characters, the longest first."""
        found = defaultdict(set)
        for word in self._long:
            found[word[:SHORT]].add(len(word))
        return {beginning: sorted(lengths, reverse=True) for beginning, lengths in found.items()}

    def _spans(self, text: str, budget: Budget) -> Iterator[tuple[int, int]]:
        """The position of one of the words. Raises Exhausted."""
        for layer in layers(text):
            for start, end in self._found(layer.text, budget):
                yield layer.origin(start, end)
            # Before the next one is made of it: at most one for each rule
            budget.spend(sum(map(layer.text.count, RULES)) * _ESCAPE)

    def _found(self, text: str, budget: Budget) -> Iterator[tuple[int, int]]:
        """A few words are looked for one by one, many in one walk."""
        few = len(self._long) <= _STEP
        budget.spend(len(text) * (min(len(self._long), _STEP) + _STEP * len(self._short)))
        yield from _each(text, self._long) if few else self._walked(text, budget)
        for length, words in self._short.items():
            alone = (found for found in _ALONE[length].finditer(text) if found[1] in words)
            yield from ((found.start(), found.start() + length) for found in alone)

    def _walked(self, text: str, budget: Budget) -> Iterator[tuple[int, int]]:
        lengths, words = self._lengths, self._words
        for at in [at for at in range(len(text) - SHORT + 1) if text[at : at + SHORT] in lengths]:
            for length in lengths[text[at : at + SHORT]]:
                budget.spend(_STEP + length)
                if text[at : at + length] in words:
                    yield at, at + length
                    break


def _each(text: str, words: Iterable[str]) -> Iterator[tuple[int, int]]:
    for word in words:
        at = text.find(word)
        while at >= 0:
            yield at, at + len(word)
            at = text.find(word, at + 1)


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Those that overlap are cut out as one: what one leaves of another would be a piece of it."""
    kept, at, until = [], 0, 0
    for start, end in sorted(spans):
        if start >= until:
            kept += [text[at:start], HIDDEN]
        at = until = max(until, end)
    return "".join([*kept, text[at:]])


def _forms(part: str) -> Iterator[str]:
    """As it is, as it would be read where escapes are, and in base64."""
    for layer in islice(layers(part), 1 + len(RULES)):  # by one rule: a value that is escaped itself is so once
        if len(layer.text) >= SHORT or layer.text == part:
            yield layer.text
            yield layer.text.replace(" ", "+")  # as forms are sent
    raw = part.encode(errors="surrogatepass")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode()
        yield from (whole, whole.rstrip("="))
        if len(raw) >= 2 * SHORT:
            yield from (_amid(encode(bytes(before) + raw).decode(), before) for before in (1, 2))


def _amid(encoded: str, before: int) -> str:
    """What does not depend on the bytes around it: `user:` may stand before a password, and a line end behind it."""
    whole = encoded.rstrip("=")
    return whole[before + 1 : len(whole) - (encoded != whole)]
