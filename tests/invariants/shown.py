"""What every status and every text must hold to, whoever reads it and whatever happened before."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote


def forms(values: Iterable[str]) -> set[str]:
    """Values of Secrets, and how JSON, a URL and a Secret's manifest write them."""
    found: set[str] = set()
    for value in values:
        encoded = base64.b64encode(value.encode()).decode()
        found |= {value, json.dumps(value)[1:-1], quote(value), quote(value, safe=""), encoded}
    return found


def unsound(conditions: Sequence[tuple[str, int | None]], observed: int | None) -> Iterator[str]:
    """What is wrong with a status: `conditions` are types and observed generations, `observed` is its own."""
    kinds, generations = zip(*conditions, strict=True) if conditions else ((), ())
    if kinds.count("Ready") != 1:
        yield "has no Ready"
    if len(kinds) > 2 or len(set(kinds)) < len(kinds):
        yield f"has conditions {', '.join(kinds)}"
    if set(kinds) == {"Reconciling", "Stalled"}:
        yield "is Reconciling and Stalled"
    if set(generations) != {observed}:
        yield "mixes generations"
