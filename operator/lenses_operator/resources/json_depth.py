"""How deeply a value is nested."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def is_deeper(value: Any, levels: int) -> bool:
    """Without going down by recursion, which ends before the value may."""
    row = [value]
    for _ in range(levels + 1):
        row = [inner for one in row if isinstance(one, dict | list) for inner in _inner(one)]
        if not row:
            return False
    return True


def _inner(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value
