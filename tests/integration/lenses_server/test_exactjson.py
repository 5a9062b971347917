"""Numbers survive to the letter."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.lenses import exactjson

TREES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(TREES)
def test_what_json_writes_is_kept_to_the_letter(tree: Any) -> None:
    text = json.dumps(tree)
    assert exactjson.dumps(exactjson.loads(text)) == text


@pytest.mark.parametrize("text", ["1.0", "1.7412e12", "-0.0", "1E400", "0.1000", "123456789012345678901234567890"])
def test_notations_json_would_change(text: str) -> None:
    assert exactjson.dumps(exactjson.loads(text)) == text
