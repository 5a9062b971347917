"""JSON that keeps numbers to the letter.

Offsets must survive a round trip exactly: `1.0` is not `1`, and integers may be longer than 64 bits.
"""

from __future__ import annotations

import json
from typing import Any


class ExactFloat(float):
    """A float that remembers how it was written."""

    text: str

    def __new__(cls, text: str) -> ExactFloat:
        value = super().__new__(cls, text)
        value.text = text
        return value


def loads(text: str | bytes) -> Any:
    """Parse; every number with a fraction or an exponent keeps its text."""
    return json.loads(text, parse_float=ExactFloat)


def dumps(value: Any, *, sort_keys: bool = False) -> str:
    """Write; the standard encoder would normalise floats, so containers are walked here."""
    if isinstance(value, ExactFloat):
        return value.text
    if isinstance(value, dict):
        items = sorted(value.items()) if sort_keys else value.items()
        return "{" + ", ".join(f"{json.dumps(str(k))}: {dumps(v, sort_keys=sort_keys)}" for k, v in items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(dumps(item, sort_keys=sort_keys) for item in value) + "]"
    return json.dumps(value)
