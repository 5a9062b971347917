"""What is asked before offsets are changed."""

from __future__ import annotations

import pytest

from lenses_operator.commands.offsets.changing import meanwhile
from unit.commands.shown import connector


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("running", "orders is stopped for this and then resumed. "),
        ("paused", "orders is stopped for this and then paused again. "),
        ("stopped", ""),
    ],
)
def test_what_becomes_of_the_connector_is_what_its_spec_says(state: str, words: str) -> None:
    assert meanwhile(connector(state=state)) == words
