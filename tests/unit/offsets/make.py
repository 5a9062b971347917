"""A LensesConnectorOffsets to tweak: everything a test does not say is the same everywhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from lenses_operator.resources.connector_offsets import LensesConnectorOffsets, OffsetsSpec
from unit.resources.make import CREATED

FILE = {"filename": "/data/orders"}


def to(position: int) -> list[dict[str, Any]]:
    """The offsets that put the connector there."""
    return [{"partition": FILE, "offset": {"position": position}}]


ASKED = to(5)
BEFORE = '[{"partition": {"filename": "/data/orders"}, "offset": {"position": 1000}}]'


def body(
    name: str = "back",
    *,
    namespace: str = "payments",
    uid: str = "off-1",
    age: int = 0,
    version: int | str = 1,
    generation: int = 1,
    status: dict[str, Any] | None = None,
    labels: dict[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """As the API server gives it; `spec` in camel case, an Alter to position 5 unless it says otherwise."""
    wanted = {"connectorRef": {"name": "orders"}, "action": "Alter", **spec}
    if wanted["action"] == "Alter" and "offsetsJson" not in wanted:
        wanted.setdefault("offsets", ASKED)
    metadata = {
        "name": name,
        "namespace": namespace,
        "uid": uid,
        "resourceVersion": str(version),
        "generation": generation,
        "creationTimestamp": (CREATED + timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "labels": labels or {},
    }
    return {"metadata": metadata, "spec": wanted, "status": {"observedGeneration": -1} if status is None else status}


def operation(name: str = "back", **changes: Any) -> LensesConnectorOffsets:
    return LensesConnectorOffsets.parse(body(name, **changes))


def spec(**fields: Any) -> OffsetsSpec:
    return operation(**fields).spec
