"""Pytest fixtures around the Lenses server; load with `pytest_plugins = ["harness.lenses.fixtures"]`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from harness.lenses.environment import LensesEnv
from harness.lenses.running import RunningLenses


@pytest.fixture(scope="session")
def lenses() -> Iterator[RunningLenses]:
    """One server for the whole run; a response of it that does not conform fails the run."""
    running = RunningLenses.start()
    yield running
    violations = running.control.violations()
    running.stop()
    assert violations == []


@pytest.fixture
def lenses_env(lenses: RunningLenses) -> Iterator[LensesEnv]:
    name = f"env-{secrets.token_hex(4)}"
    lenses.control.add_environment(name, {"connect": {"backend": "memory"}})
    yield LensesEnv(name, lenses.url, lenses.token, lenses.control)
    lenses.control.remove_environment(name)
