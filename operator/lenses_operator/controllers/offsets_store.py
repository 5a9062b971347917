"""The offsets resources as the watch, our own list and our own writes have shown them last."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lenses_operator.controllers.parsing import parse
from lenses_operator.domain.offsets import holds, next_in_line
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import KIND as CONNECTOR_KIND
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.offsets import LensesConnectorOffsets


class OffsetsStore:
    """Indexed by the LensesConnector they name. An older resourceVersion never replaces a newer one."""

    def __init__(self) -> None:
        self._objects: dict[ObjectKey, LensesConnectorOffsets] = {}
        self._of: dict[ObjectKey, set[ObjectKey]] = defaultdict(set)
        self._gone: deque[str] = deque(maxlen=1000)

    def __iter__(self) -> Iterator[LensesConnectorOffsets]:
        return iter(list(self._objects.values()))

    def get(self, key: ObjectKey) -> LensesConnectorOffsets | None:
        return self._objects.get(key)

    def upsert(self, operation: LensesConnectorOffsets) -> bool:
        """Takes the object unless it is stale; True where a pass has to look at it."""
        before = self._objects.get(operation.key)
        if before is not None and operation.version < before.version:
            return False
        if operation.metadata.uid in self._gone:
            return False  # the answer to a write of ours came after the end: a hold would never end
        if before is not None:
            self._of[connector_key(before)].discard(operation.key)  # a new object of the name may name another
        self._objects[operation.key] = operation
        self._of[connector_key(operation)].add(operation.key)
        if before is None or before.metadata.uid != operation.metadata.uid:
            return True
        old, new = before.metadata, operation.metadata
        return old.generation != new.generation or old.deleting != new.deleting

    def remove(self, key: ObjectKey, uid: str) -> LensesConnectorOffsets | None:
        """The last body known; None where another object of this name is there already."""
        last = self._objects.get(key)
        if last is None or last.metadata.uid != uid:
            return None
        self._gone.append(uid)
        del self._objects[key]
        self._of[connector_key(last)].discard(key)
        return last

    def of(self, connector: ObjectKey) -> list[LensesConnectorOffsets]:
        """All that name this LensesConnector."""
        return [self._objects[key] for key in self._of.get(connector, ())]

    def holding(self, connector: LensesConnector) -> LensesConnectorOffsets | None:
        """The operation that keeps the connector stopped now."""
        operation = next_in_line(self.of(connector.key))
        return operation if holds(operation, connector) else None


class OffsetsIntake:
    """Puts offsets resources into their store and wakes them, their connector and those that wait in its line."""

    def __init__(self, store: OffsetsStore, enqueue: Callable[[ObjectKey], None]) -> None:
        self._store = store
        self._enqueue = enqueue

    def seen(self, body: Mapping[str, Any]) -> None:
        """An object as it is now."""
        operation = parse(LensesConnectorOffsets, body)
        if operation is None:
            return
        before = self._store.get(operation.key)
        if self._store.upsert(operation):
            if before is not None and connector_key(before) != connector_key(operation):
                self.wake(before)
            self.wake(operation)

    def gone(self, body: Mapping[str, Any]) -> None:
        """A DELETED event."""
        operation = parse(LensesConnectorOffsets, body)
        if operation is not None:
            self.lost(operation)

    def lost(self, operation: LensesConnectorOffsets) -> None:
        """Its hold, if it had one, ends with it."""
        last = self._store.remove(operation.key, operation.metadata.uid)
        if last is not None:
            self.wake(last)

    left = lost

    def listed(self, bodies: Sequence[Mapping[str, Any]]) -> list[LensesConnectorOffsets]:
        """A complete list; returns what the store holds and the list does not: to be looked up one by one."""
        uids = {body["metadata"]["uid"] for body in bodies}
        for body in bodies:
            self.seen(body)
        return [operation for operation in self._store if operation.metadata.uid not in uids]

    def wake(self, operation: LensesConnectorOffsets) -> None:
        """Whatever happens to one operation matters to its connector and to the next in line."""
        connector = connector_key(operation)
        self._enqueue(operation.key)
        self._enqueue(connector)
        for other in self._store.of(connector):
            self._enqueue(other.key)


def connector_key(operation: LensesConnectorOffsets) -> ObjectKey:
    return ObjectKey(CONNECTOR_KIND, operation.metadata.namespace, operation.spec.connector_ref.name)
