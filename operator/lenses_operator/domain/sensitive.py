"""Which configuration values are secrets, judged by their key and by what they look like."""

from __future__ import annotations

import re

from lenses_operator.domain.drift import is_masked

_KEY = re.compile(
    r"passw(or)?d|passphrase|pwd$|secret|token(?!i)|credential|jaas\.config|private[._-]?key|user\.info|license"
    r"|(api|access|account|sas|auth|encryption|shared|master)[._-]?key|connection[._-]?string|keystore\.(key|cert)",
    re.IGNORECASE,
)
_HARMLESS_KEY = re.compile(
    r"(class|type|mode|source|name|location|path|file|url|uri|endpoint|enabled?|provider|algorithm|format|ms|size|count"
    r"|namespace|topic)$",
    re.IGNORECASE,
)
"""How keys end that speak about a secret without holding it, such as `ssl.keystore.location`."""
_IN_VALUE = (
    re.compile(r"//[^/@\s:]*:(?!\$\{)[^@\s/]+@"),
    re.compile(
        r"""(?<![a-z])(password|passwd|pwd|secret|account_?key|shared_?access_?key|access_?token)\s*=\s*["']?"""
        r"""(?!\$\{)[^\s"';&,]""",
        re.IGNORECASE,
    ),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|\"private_key\"\s*:"),
)
"""A password inside a URL, a `password=...` pair, a private key; a config provider's reference (`${...}`) is none."""


def is_sensitive(key: str, value: str) -> bool:
    """Whether the value does not belong into Git. A reference of a config provider is no secret."""
    if any(pattern.search(value) for pattern in _IN_VALUE):
        return True
    if value in ("", "true", "false") or "${" in value:
        return False
    return is_masked(value) or bool(_KEY.search(key) and not _HARMLESS_KEY.search(key))


def is_partly_masked(value: str) -> bool:
    """A readable value with a part that hides another: it cannot be told from what the connector has."""
    return "***" in value and not is_masked(value)
