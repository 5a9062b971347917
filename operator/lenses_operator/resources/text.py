"""Text that comes from elsewhere, made fit for terminals and logs."""

from __future__ import annotations

import re

STAND_IN = "\ufffd"
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udfff]"
)
"""Controls but line break and tab, what reverses the direction of reading, and what is no character at all."""


def plain(text: str) -> str:
    """Nothing in it steers a terminal or shows other text than there is; line breaks and tabs stay."""
    return _STEERING.sub(STAND_IN, text.replace("\r\n", "\n"))


def one_row(text: str) -> str:
    """The same on one line, so that it cannot pass for a line of its own."""
    return plain(text).replace("\n", "\\n")


def escaped(json: str) -> str:
    """The same JSON, with such characters as escapes."""
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", json)
