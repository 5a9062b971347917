"""Manifests as users write them, and what is seen of them in the cluster and in Lenses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.kube import Kube, Object
from harness.lenses.control import LensesControl
from harness.operator_fixtures import conditions
from harness.waiting import wait_until

ENVIRONMENT, CLUSTER = "demo", "connect"
TIMEOUT = 180.0
"""Seconds; a bound that says when to give up, never a verdict about speed."""


def connector(
    name: str,
    *lines: str,
    config: Mapping[str, str | None] | None = None,
    annotations: Mapping[str, str] | None = None,
    cluster: str = CLUSTER,
) -> str:
    """YAML text. `lines` go into the spec; `config` is YAML text by key, None leaves one of the usual keys out."""
    keys: dict[str, str | None] = {"file": "/dev/null", "topic": f"t-{name}", **(config or {})}
    return (
        _head("LensesConnector", name, annotations)
        + f"  environment: {ENVIRONMENT}\n  cluster: {cluster}\n  class: FileStreamSource\n"
        + "".join(f"  {line}\n" for line in lines)
        + "  config:\n"
        + "".join(f"    {key}: {value}\n" for key, value in keys.items() if value is not None)
    )


def offsets(name: str, of: str, *lines: str, annotations: Mapping[str, str] | None = None) -> str:
    return (
        _head("LensesConnectorOffsets", name, annotations)
        + f"  connectorRef: {{name: {of}}}\n"
        + "".join(f"  {line}\n" for line in lines)
    )


def _head(kind: str, name: str, annotations: Mapping[str, str] | None) -> str:
    noted = "".join(f"    {key}: {json.dumps(value)}\n" for key, value in (annotations or {}).items())
    return (
        f"apiVersion: connect.lenses.io/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}\n"
        + (f"  annotations:\n{noted}" if noted else "")
        + "spec:\n"
    )


INVALID = {"topic": None}
"""A source without a topic, which Kafka Connect's validation refuses."""
BOOLEANS = {"batch.size": "500", "errors.log.enable": "true", "errors.log.include.messages": '"false"'}


@dataclass(frozen=True)
class Cluster:
    """Seen past the tools."""

    kube: Kube
    control: LensesControl

    def get(self, namespace: str, name: str, kind: str = "lc") -> Object | None:
        return self.kube.get(kind, namespace, name)

    def ready(self, namespace: str, name: str, kind: str = "lc") -> tuple[str, str, str]:
        """Status, reason and message."""
        found = self.get(namespace, name, kind)
        one = conditions(found).get("Ready", {}) if found else {}
        return one.get("status", ""), one.get("reason", ""), one.get("message", "")

    def connectors(self) -> set[str]:
        """Names, in Lenses."""
        return {one["name"] for one in self.control.connectors(ENVIRONMENT)}

    def wait_connectors(self, present: Sequence[str] = (), absent: Sequence[str] = ()) -> None:
        wait_until(
            f"{present} in Lenses without {absent}",
            lambda: set(present) <= self.connectors() and not set(absent) & self.connectors(),
            TIMEOUT,
        )

    def patch(self, namespace: str, name: str, spec: Mapping[str, Any]) -> None:
        """As a person does it with kubectl."""
        self.kube.patch("lc", namespace, name, {"spec": dict(spec)})

    def requests(self, since: int = 0) -> list[Any]:
        return self.control.requests(ENVIRONMENT, None, None, since)
