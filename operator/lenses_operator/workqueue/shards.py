"""Which environment a key's work waits for: one that is slow must not take the places of the others."""

from __future__ import annotations

from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.cache.operations import OperationCache, connector_key
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import KIND as OFFSETS


def connector_of(key: ObjectKey, cache: ConnectorCache, operations: OperationCache) -> LensesConnector | None:
    """The connector's resource that the key is of or about, as far as it is known."""
    if key.kind == OFFSETS:
        operation = operations.get(key)
        return cache.get(connector_key(operation)) if operation else None
    tombstone = cache.tombstone(key)
    return tombstone.resource if tombstone else cache.get(key)


def environment_of(key: ObjectKey, cache: ConnectorCache, operations: OperationCache) -> str:
    """Empty where there is none to ask."""
    connector = connector_of(key, cache, operations)
    return connector.spec.environment if connector else ""
