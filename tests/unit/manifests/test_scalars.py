"""Scalars become what kubectl makes of them; the integration test holds the same list against kubectl itself."""

from __future__ import annotations

import pytest

from lenses_operator.manifests.nodes import trees
from unit.manifests.scalars import TABLE


@pytest.mark.parametrize(("text", "value"), TABLE.items(), ids=list(TABLE))
def test_what_a_plain_scalar_becomes(text: str, value: object) -> None:
    (tree,) = trees(f"key: {text}\n")
    assert tree.problems == []
    assert tree.value == {"key": value}
    assert type(tree.value["key"]) is type(value)


@pytest.mark.parametrize("text", [".inf", "-.Inf", ".NAN"])
def test_numbers_that_json_lacks(text: str) -> None:
    (tree,) = trees(f"a: 1\nkey: {text}\n")
    assert [problem.line for problem in tree.problems] == [2]


@pytest.mark.parametrize("text", ['"0644"', "'yes'", "!!str 1e3", "|\n  1.0"])
def test_what_is_quoted_is_text(text: str) -> None:
    (tree,) = trees(f"key: {text}\n")
    assert isinstance(tree.value["key"], str)
    assert tree.written == []
