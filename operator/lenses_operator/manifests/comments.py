"""Comments that may have been meant as a part of the value before them: ` #` ends a value that is not quoted."""

from __future__ import annotations

import re

from lenses_operator.domain.sensitive import is_secret_key

_STATEMENT_KEY = re.compile(r"kcql|sql|query|statement|filter|regex|pattern", re.IGNORECASE)
_STATEMENT = re.compile(r"\s*(insert|upsert|select|update|delete|merge|from)\b", re.IGNORECASE)
_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"))


def is_cut(key: str, value: object, comment: str) -> bool:
    """Whether the comment behind a value, with its `#`, looks like its rest rather than like a remark.

    A remark is `# ` behind one whole word. A statement, a sentence or a secret may have a ` #` inside.
    """
    if not comment.startswith("#"):
        return False
    if not re.match(r"#+(\s|$)", comment) or is_secret_key(key):
        return True
    if not isinstance(value, str):
        return False
    return bool(_STATEMENT_KEY.search(key) or _STATEMENT.match(value) or " " in value) or _is_open(value)


def _is_open(value: str) -> bool:
    """Whether something in it is not finished."""
    if value.endswith(("/", ",", "=", "+", "|", ".", "&", "-", "\\")):
        return True
    return any(value.count(mark) % 2 for mark in "\"'`") or any(
        value.count(one) != value.count(other) for one, other in _PAIRS
    )
