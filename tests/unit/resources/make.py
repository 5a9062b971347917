"""A LensesConnector to tweak: everything a test does not say is the same everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from lenses_operator.resources.base import FINALIZER
from lenses_operator.resources.conditions import Condition, Phase, Verdict
from lenses_operator.resources.connector import LensesConnector

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLASS = "org.apache.kafka.connect.file.FileStreamSourceConnector"
SPEC: dict[str, Any] = {
    "environment": "prod",
    "cluster": "connect-eu",
    "class": CLASS,
    "config": {"topic": "orders", "file": "/data/orders"},
}
SENT = {"topic": "orders", "file": "/data/orders", "connector.class": CLASS}
"""What SPEC comes to."""


def body(
    name: str = "orders",
    *,
    namespace: str = "payments",
    uid: str = "uid-1",
    age: int = 0,
    version: int | str = 1,
    generation: int = 1,
    deleting: bool = False,
    finalizers: tuple[str, ...] = (FINALIZER,),
    status: dict[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """As the API server gives it. `age`: seconds younger than the oldest there can be; `class_` is `class`."""
    if "class_" in spec:
        spec["class"] = spec.pop("class_")
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "uid": uid,
        "resourceVersion": str(version),
        "generation": generation,
        "creationTimestamp": (CREATED + timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "finalizers": list(finalizers),
    }
    if deleting:
        metadata["deletionTimestamp"] = "2026-02-01T00:00:00Z"
    return {"metadata": metadata, "spec": SPEC | spec, **({"status": status} if status else {})}


def resource(name: str = "orders", **changes: Any) -> LensesConnector:
    return LensesConnector.parse(body(name, **changes))


def owned(name: str = "orders", **changes: Any) -> LensesConnector:
    """A resource that owns its connector."""
    status = {"ownership": {"state": "Owned"}} | changes.pop("status", {})
    return resource(name, status=status, **changes)


def conditions(verdict: Verdict, generation: int = 1, since: datetime = NOW) -> tuple[Condition, ...]:
    return verdict.conditions(generation, since, ())


def verdict(**changes: Any) -> Verdict:
    base: dict[str, Any] = {"ready": "True", "reason": "Running", "message": "1 of 1 tasks running."}
    return Verdict(**(base | changes))


__all__ = [
    "CLASS",
    "CREATED",
    "FINALIZER",
    "NOW",
    "SENT",
    "SPEC",
    "Phase",
    "body",
    "conditions",
    "owned",
    "resource",
    "verdict",
]
