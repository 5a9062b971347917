"""What servers show in the place of a value that they hide: any of many notations, none of them documented."""

from __future__ import annotations

import re

_HIDING = (
    "hidden|hide|redacted|masked|mask|sensitive|secret|secure|secured|obfuscated|obscured|removed|protected|encrypted"
    "|omitted|filtered|private|confidential|withheld|censored|suppressed|password|restricted|not shown"
)
_WORD = re.compile(rf"(?:[a-z]+[\s_-]+){{0,3}}(?:{_HIDING})(?:[\s_-]+[a-z]+){{0,3}}", re.IGNORECASE)
_OPENING, _CLOSING = "[<({*_#|«‹-", "]>)}*_#|»›-"
_PLAIN = frozenset("#xX_.?-=~")
"""Of ASCII, beside the asterisk, what is used for it: a shorter run may be a separator or a name."""
_LONGEST_WORD = 60
_LONGEST_RUN = 64


def is_masked(value: str) -> bool:
    """A value that hides another, whatever its key: one sign again and again, such as `***`, `••••` and `xxxxx`, or a
    word in brackets such as `[hidden]` and `<sensitive value>`."""
    if len(value) < 3:
        return False
    signs = set(value)
    if len(signs) == 1:
        (sign,) = signs
        return (
            sign == "*"
            or (not sign.isascii() and not sign.isalnum())
            or (sign in _PLAIN and 4 < len(value) <= _LONGEST_RUN)
        )
    return _in_brackets(value)


def may_be_masked(value: str) -> bool:
    """The same where the key is known for a secret's, whose values look otherwise: a bare word such as `REDACTED`,
    brackets around anything, signs alone, or a part of a value with such signs in it."""
    text = value.strip()
    if not text or "${" in text:
        return False
    if is_masked(text) or _is_word(text):
        return True
    if len(text) >= 3 and (len(set(text)) == 1 or not any(sign.isalnum() for sign in text)):
        return True
    if len(text) >= 3 and text[0] + text[-1] in ("[]", "<>", "()", "«»", "‹›"):
        return True
    return re.search(r"\*{3}|([^\x00-\x7f])\1{2}|[xX#]{5}|\.{5}|[\u2026]", text) is not None


def _in_brackets(value: str) -> bool:
    text = value.strip()
    if len(text) > _LONGEST_WORD or text[:1] not in _OPENING or text[-1:] not in _CLOSING:
        return False
    return _is_word(text.lstrip(_OPENING).rstrip(_CLOSING).strip())


def _is_word(text: str) -> bool:
    return len(text) <= _LONGEST_WORD and _WORD.fullmatch(text) is not None
