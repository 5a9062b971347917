"""LensesConnectorOffsets as users apply them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from e2e.conftest import SLOW, Stage
from harness.kube import Object
from harness.operator_fixtures import reason


@dataclass(frozen=True)
class Offsets:
    stage: Stage

    def apply(self, name: str, connector: str, **spec: Any) -> None:
        place = self.stage.place
        manifest = {
            "apiVersion": "connect.lenses.io/v1alpha1",
            "kind": "LensesConnectorOffsets",
            "metadata": {"name": name, "namespace": place.namespace, "labels": dict(place.labels)},
            "spec": {"connectorRef": {"name": connector}, **spec},
        }
        place.kube.apply(manifest)

    def wait(self, name: str, wanted: str, timeout: float = SLOW) -> Object:
        place = self.stage.place
        return place.kube.wait_for("lco", place.namespace, name, lambda found: reason(found) == wanted, timeout)

    def applied(self, name: str, connector: str, **spec: Any) -> Object:
        """And the connector goes on."""
        self.apply(name, connector, **spec)
        found = self.wait(name, "Applied")
        self.stage.place.wait_running(connector, SLOW)
        return found

    def observed(self, connector: str) -> list[dict[str, Any]]:
        """What it shows; the object is gone again afterwards."""
        name = f"look-{connector}"
        self.apply(name, connector, action="Observe", refreshInterval="10s")
        found: list[dict[str, Any]] = self.wait(name, "Observed")["status"].get("offsets", [])
        self.stage.place.kube.delete("lco", self.stage.place.namespace, name)
        return found

    def of_connect(self, connector: str) -> list[dict[str, Any]]:
        """What Connect itself says."""
        answer = self.stage.rest("GET", connector, "/offsets")
        found: list[dict[str, Any]] = json.loads(answer.raise_for_status().text)["offsets"]
        return found
