"""Last of all: the page of the docs says what was seen."""

from __future__ import annotations

import pytest

from connectors import table
from connectors.test_versions import VERSIONS

PLUGINS = 3


def test_the_docs_say_what_was_seen() -> None:
    if list(table.TRIED.versions) != list(VERSIONS) or len(table.TRIED.plugins) < PLUGINS:
        pytest.skip("not everything was tried this time")
    table.check()
