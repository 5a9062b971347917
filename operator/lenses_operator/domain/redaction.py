"""Secret values cut out of text that leaves the process, in every form in which servers quote them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "[redacted]"
SHORT = 4
"""Characters below which a value is only cut out where it stands alone: `1` must not take every 1 out of a message."""
PART = 8
"""Characters from which one line of a value is taken for secret by itself."""
PASSWORD_IN_URL = re.compile(r"//[^/@\s:]*:([^@\s]+)@")
PAIR = re.compile(r"""[\w.-]+\s*[=:]\s*("[^"]*"|'[^']*'|[^\s;&,"']+)""")


class Redactor:
    """`redactor(text)` is the text without the values. Knows each value, its parts and its encoded forms."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        found: set[str] = set()
        for value in values:
            for part in _parts(value):
                found.update(_forms(part))
        found.discard("")
        words = sorted(found, key=lambda form: (-len(form), form))
        long = [re.escape(word) for word in words if len(word) >= SHORT]
        short = [rf"(?<!\w){re.escape(word)}(?!\w)" for word in words if len(word) < SHORT]
        self._pattern = re.compile("|".join(long + short)) if words else None

    def __repr__(self) -> str:
        return "Redactor(…)"

    def __call__(self, text: str) -> str:
        return self._pattern.sub(HIDDEN, text) if self._pattern else text


def _parts(value: str) -> Iterator[str]:
    """The value, its lines, passwords inside URLs, and the values of `key=value` pairs."""
    yield value
    yield value.strip()
    lines = [line.strip() for line in value.splitlines()]
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= PART)
    for match in PASSWORD_IN_URL.finditer(value):
        yield match[1]
        yield unquote(match[1])
    if "=" in value or ":" in value:
        for match in PAIR.finditer(value):
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
