"""How large a storm is: by default what every test run can afford, see the Makefile's target `chaos`."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Size:
    """`minutes` of storm; what comes before and after it comes on top."""

    seed: int
    minutes: float
    connectors: int

    @property
    def replay(self) -> str:
        return f"make chaos SEED={self.seed} MINUTES={self.minutes:g} CONNECTORS={self.connectors}"


@pytest.fixture(scope="session")
def size() -> Size:
    """A fixed seed, so that a test run is no lottery."""
    return Size(
        seed=int(os.environ.get("CHAOS_SEED") or 1),
        minutes=float(os.environ.get("CHAOS_MINUTES") or 0.6),
        connectors=int(os.environ.get("CHAOS_CONNECTORS") or 120),
    )
