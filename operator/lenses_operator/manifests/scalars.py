"""What a plain YAML scalar becomes on its way to Kubernetes.

kubectl, Helm, Flux and Argo CD read YAML with the same Go library, whose rules are those of YAML 1.1 with
differences of its own; Python's parser disagrees (`1e3`, `1:30`, `08`). These are the Go library's rules.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress

Scalar = str | int | float | bool | None

WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?")
INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
EXACT = range(-(2**63), 2**64)
LONG = 21
"""Decimal digits that are beyond EXACT whatever they are; Python refuses to read thousands of them."""
BEYOND = 2**64


def plain_value(text: str) -> Scalar:
    """The value of a scalar without quotes and tag."""
    if text in WORDS:
        return WORDS[text]
    if text[0] not in "+-.0123456789" or DATE.fullmatch(text):
        return text
    bare = text if text[0] == "." else text.replace("_", "")
    found = INTEGER.fullmatch(bare)
    if found:
        value = _integer(found)
        if value in EXACT:
            return value
    if FLOAT.fullmatch(bare):
        with suppress(OverflowError):
            number = float(bare)
            return text if math.isinf(number) else number
    return text


def as_json(value: Scalar) -> Scalar:
    """A number without a fraction arrives as an integer, however it was written, up to where Go writes an exponent."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    return value


def _integer(found: re.Match[str]) -> int:
    sign, hexadecimal, binary, octal, decimal = found.groups()
    for digits, base in ((hexadecimal, 16), (binary, 2), (octal, 8), (decimal, 10)):
        if digits is not None:
            return int(sign + digits, base) if base != 10 or len(digits) < LONG else BEYOND
    raise AssertionError(found)
