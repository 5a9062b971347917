"""Pytest fixtures around the Lenses server; load with `pytest_plugins = ["harness.lenses.fixtures"]`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from harness.lenses.client import LensesApi
from harness.lenses.control import LensesControl
from harness.lenses.running import RunningLenses


@dataclass(frozen=True, slots=True)
class LensesEnv:
    """A fresh environment with one memory cluster `connect`."""

    name: str
    url: str
    token: str
    control: LensesControl
    cluster: str = "connect"

    @property
    def api(self) -> str:
        """The base of the 13 operations."""
        return f"{self.url}/api/v1/environments/{self.name}/proxy/api/kafka-connect"

    def client(self, token: str | None = None) -> LensesApi:
        """A plain client that checks conformance."""
        return LensesApi(self.url, token or self.token, self.name)


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
