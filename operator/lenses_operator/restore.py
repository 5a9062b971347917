"""The way back from an offsets operation: a ready LensesConnectorOffsets from what the operation kept."""

from __future__ import annotations

import json

from lenses_operator.domain.offsets import text_of
from lenses_operator.resources.base import API_VERSION
from lenses_operator.resources.offsets import KIND, LensesConnectorOffsets


class NothingToRestoreError(LookupError):
    """The resource keeps no earlier offsets."""


def restoring(operation: LensesConnectorOffsets | None) -> str:
    """YAML for `kubectl create`. Strings are JSON, which YAML takes to the letter. Raises NothingToRestoreError."""
    if operation is None:
        raise NothingToRestoreError("there is no such LensesConnectorOffsets in this namespace")
    status, name = operation.status, operation.metadata.name
    text = text_of(status.before, status.before_compressed)
    if text is None:
        raise NothingToRestoreError(
            f"{name} keeps no earlier offsets: status.before is written just before Alter or Reset"
        )
    if json.loads(text) == []:
        raise NothingToRestoreError(f"there were no offsets before {name}: to go back to that, use action: Reset")
    prefix = f"{name[:200]}-restore-"
    return "\n".join(
        [
            f"# Sets the offsets that {operation.spec.connector_ref.name} had just before {name}.",
            "# Partitions that had none then are left as they are now.",
            f"apiVersion: {API_VERSION}",
            f"kind: {KIND}",
            "metadata:",
            f"  generateName: {json.dumps(prefix)}",
            f"  namespace: {json.dumps(operation.metadata.namespace)}",
            "spec:",
            f"  connectorRef: {{name: {json.dumps(operation.spec.connector_ref.name)}}}",
            "  action: Alter",
            f"  offsetsJson: {json.dumps(text, ensure_ascii=False)}",
            "",
        ]
    )
