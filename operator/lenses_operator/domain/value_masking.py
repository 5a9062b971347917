"""Configuration values on a screen or in a pull request: what is secret, or may be, is not shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from lenses_operator.domain.redaction import HIDDEN, passwords_in_urls
from lenses_operator.domain.sensitive import REFERENCE, is_secret_key, looks_secret

_WORDS = (
    r"passw|passphrase|pwd|secret|token|credential|jaas|api[._-]?key|access[._-]?key|private[._-]?key|account[._-]?key"
)
SENSITIVE = re.compile(rf"{_WORDS}|sas[._-]|keystore\.key|sasl\.", re.IGNORECASE)
"""Keys whose values are taken for secret, wherever they come from: Lenses may show them in the clear."""
PAIR = re.compile(
    rf"""((?<![\w.-])(?=[\w.-]*?(?:{_WORDS}))[\w.-]++["']?+\s*+[=:]\s*+)("[^"]*"|'[^']*'|[^\s;&,"'}}]++)""",
    re.IGNORECASE,
)
"""A word is searched once, from its beginning: from each of its letters on it would be cubic."""


def may_be_secret(key: str) -> bool:
    """Whether values of this key are not shown, wherever they come from."""
    return SENSITIVE.search(key) is not None or is_secret_key(key)


class ValueMasker:
    """`masker(key, value)` is what may be shown of it.

    `private`: keys whose values are not shown. `redact` knows the values of the Secrets that were read.
    """

    def __init__(self, private: Collection[str], redact: Callable[[str], str]) -> None:
        self._private = private
        self._redact = redact

    def __call__(self, key: str, value: str) -> str:
        """A `${…}` is a reference and not what it resolves to, in a manifest as well as in Lenses."""
        if REFERENCE.fullmatch(value):
            return value
        if key in self._private or may_be_secret(key):
            return HIDDEN
        shown = self.text(value)
        return HIDDEN if looks_secret(shown.replace(HIDDEN, "${}")) else shown

    def text(self, value: str) -> str:
        """Without passwords in URLs and in `password=…` pairs."""
        clean = self._redact(value)
        for start, end in reversed(list(passwords_in_urls(clean))):
            clean = clean[:start] + HIDDEN + clean[end:]
        return PAIR.sub(rf"\g<1>{HIDDEN}", clean)
