"""Offsets resources beside the connectors of a place; each scenario runs under a persona of the Lenses server."""

from __future__ import annotations

import pytest

from harness.operator_fixtures import Place
from harness.personas import persona, pytest_generate_tests
from integration.offsets.support import Offsets

__all__ = ["offsets", "persona", "pytest_generate_tests"]


@pytest.fixture
def offsets(place: Place) -> Offsets:
    """Of a place that the shared operator looks after."""
    return Offsets(place)
