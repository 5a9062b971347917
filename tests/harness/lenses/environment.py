"""An environment of its own for one test."""

from __future__ import annotations

from dataclasses import dataclass

from harness.lenses.client import LensesApi
from harness.lenses.control import LensesControl


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

    def client(self, token: str | None = None, *, check: bool = True) -> LensesApi:
        """A plain client that checks conformance, unless told not to."""
        return LensesApi(self.url, token or self.token, self.name, check=check)
