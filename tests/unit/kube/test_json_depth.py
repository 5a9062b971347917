"""Objects nested more deeply than a parser goes: cut where they are too deep, and nothing else of them changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenses_operator.kube.json_depth import DEEPEST, loads, shallow

DEEP = 9_990
"""The API server takes ten thousand levels."""


def nested(levels: int, inner: str = "1", opening: str = '{"a":') -> str:
    return opening * levels + inner + ("}" if opening[0] == "{" else "]") * levels


def depth(value: Any) -> int:
    levels = 0
    while isinstance(value, dict | list) and value:
        value = next(iter(value.values())) if isinstance(value, dict) else value[0]
        levels += 1
    return levels


@pytest.mark.parametrize("opening", ['{"a":', "[", '{"]}":', '{"\\"[":'])
@pytest.mark.parametrize("levels", [DEEPEST, DEEPEST + 1, DEEPEST + 2, 1500, DEEP])
def test_what_is_too_deep_is_null(opening: str, levels: int) -> None:
    text = f'[{{"before": [1]}}, {nested(levels, opening=opening)}, "[{{\\"\\\\", {nested(3)}]'
    found = json.loads(shallow(text.encode()))
    assert depth(found[1]) == min(levels, DEEPEST - 1)
    assert (found[0], found[2:]) == ({"before": [1]}, ['[{"\\', {"a": {"a": {"a": 1}}}])


@pytest.mark.parametrize("levels", [DEEPEST, 900, DEEP])
def test_many_in_one_page_each_for_itself(levels: int) -> None:
    page = "[" + ", ".join([nested(levels), '{"a": "x"}'] * 5) + "]"
    found = loads(page)
    assert [depth(one) for one in found] == [DEEPEST - 1, 1] * 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(value=st.lists(JSON, min_size=1), ascii_only=st.booleans())
def test_what_is_not_deep_is_left_to_the_letter(value: list[Any], ascii_only: bool) -> None:
    wide = [*value, *[[0]] * (DEEPEST + 1)]
    text = json.dumps(wide, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert shallow(text) == text


@pytest.mark.parametrize("raw", [b"", b"[" * 5000, b"]" * 5000, b'"' * 5001, b'"[' * 5000, b"}{" * 5000, b"\\" * 5000])
def test_what_is_no_json_ends_nothing(raw: bytes) -> None:
    """The parser says so."""
    with pytest.raises(ValueError):
        json.loads(shallow(raw))
