"""Offsets resources beside the connectors of a place."""

from __future__ import annotations

import pytest

from harness.operator_fixtures import Place
from integration.offsets.support import Offsets


@pytest.fixture
def offsets(place: Place) -> Offsets:
    """Of a place that the shared operator looks after."""
    return Offsets(place)
