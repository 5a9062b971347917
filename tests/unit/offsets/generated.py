"""Offsets of every shape that is worth a try, and how they are written."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARTITIONS = st.dictionaries(
    st.text(min_size=1, max_size=8), st.integers() | st.text(max_size=8), min_size=1, max_size=3
)
OFFSETS = st.dictionaries(st.text(max_size=8), VALUES, max_size=4)
ENTRIES = st.lists(
    st.fixed_dictionaries({"partition": PARTITIONS, "offset": OFFSETS}),
    min_size=1,
    max_size=5,
    unique_by=lambda found: _name_of(found),
)


def _name_of(found: Any) -> str:
    """Zero and its string are one partition."""
    return json.dumps({key: str(value) for key, value in found["partition"].items()}, sort_keys=True)


def entry(partition: str, offset: str) -> str:
    return f'[{{"partition": {partition}, "offset": {offset}}}]'
