"""Which environment a key's work waits for: one that is slow must not take the places of the others."""

from __future__ import annotations

from lenses_operator.controllers.offsets_store import OffsetsStore, connector_key
from lenses_operator.controllers.store import Store
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.offsets import KIND as OFFSETS


def environment_of(key: ObjectKey, store: Store, operations: OffsetsStore) -> str:
    """Empty where there is none to ask."""
    if key.kind == OFFSETS:
        operation = operations.get(key)
        connector = store.get(connector_key(operation)) if operation else None
    else:
        tombstone = store.tombstone(key)
        connector = tombstone.resource if tombstone else store.get(key)
    return connector.spec.environment if connector else ""
