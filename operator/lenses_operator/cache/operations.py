"""The LensesConnectorOffsets that are known, and the holds that follow from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from math import inf
from typing import Any

from lenses_operator.aside import AT_ONCE, aside
from lenses_operator.cache.objects import Objects
from lenses_operator.cache.parsing import parse
from lenses_operator.domain.offsets_text import holds, next_in_line, usable, weight
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import KIND as CONNECTOR_KIND
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets


class OperationCache:
    """Indexed by object and by the LensesConnector they name."""

    def __init__(self) -> None:
        self._objects: Objects[LensesConnectorOffsets] = Objects()
        self._of: dict[ObjectKey, set[ObjectKey]] = defaultdict(set)

    def __iter__(self) -> Iterator[LensesConnectorOffsets]:
        return iter(self._objects)

    def get(self, key: ObjectKey) -> LensesConnectorOffsets | None:
        return self._objects.get(key)

    def upsert(self, operation: LensesConnectorOffsets) -> bool:
        """Takes the object unless it is stale; True where passes have to look at it or, of a new phase, its line.

        A phase comes by a write of ours, whose answer may fail to come.
        """
        before = self._objects.get(operation.key)
        if not self._objects.put(operation):
            return False
        if before is not None:
            self._unindex(before)  # a new object of the name may name another
        self._of[connector_key(operation)].add(operation.key)
        if before is None or before.metadata.uid != operation.metadata.uid:
            return True
        old, new = before.metadata, operation.metadata
        moved = before.status.phase != operation.status.phase
        return moved or old.generation != new.generation or old.deleting != new.deleting

    def remove(self, key: ObjectKey, uid: str, version: float = inf) -> LensesConnectorOffsets | None:
        """See `Objects.remove`."""
        last = self._objects.remove(key, uid, version)
        if last is not None:
            self._unindex(last)
        return last

    def _unindex(self, operation: LensesConnectorOffsets) -> None:
        connector = connector_key(operation)
        self._of[connector].discard(operation.key)
        if not self._of[connector]:
            del self._of[connector]

    def is_news(self, body: Mapping[str, Any]) -> bool:
        """See `Objects.is_news`."""
        return self._objects.is_news(body, LensesConnectorOffsets.kind_name)

    def unlisted(self, uids: Set[str]) -> list[LensesConnectorOffsets]:
        """See `Objects.unlisted`."""
        return self._objects.unlisted(uids)

    def of(self, connector: ObjectKey) -> list[LensesConnectorOffsets]:
        """All that name this LensesConnector."""
        return [one for key in self._of.get(connector, ()) if (one := self._objects.get(key)) is not None]

    async def weigh(self, connector: LensesConnector) -> None:
        """Works out beside the event loop what `holding` would work out in it, of what is long."""
        for one in self.of(connector.key):
            if weight(one.spec) > AT_ONCE and not one.finished:
                await aside(weight(one.spec), usable, one.spec)

    def holding(self, connector: LensesConnector) -> LensesConnectorOffsets | None:
        """The operation that keeps the connector stopped now."""
        operation = self.first(connector)
        return operation if holds(operation, connector) else None

    def first(self, connector: LensesConnector) -> LensesConnectorOffsets | None:
        """The next in line, whether or not it keeps the connector stopped."""
        return next_in_line(self.of(connector.key))

    def holds_as_before(self, connector: LensesConnector, held: bool, first: LensesConnectorOffsets | None) -> bool:
        """Asked in the middle of a pass; `held`, `first`: as it was when the pass began. A long operation is not worked
        out here: one that has come since is a change."""
        operation = self.first(connector)
        if operation is None or operation.under_way or weight(operation.spec) <= AT_ONCE:
            return holds(operation, connector) is held
        return first is not None and _same(first, operation)


class OperationFeed:
    """Puts offsets resources into their cache and wakes them, their connector and those that wait in its line."""

    def __init__(self, cache: OperationCache, enqueue: Callable[[ObjectKey], None]) -> None:
        self._cache = cache
        self._enqueue = enqueue

    def is_news(self, body: Mapping[str, Any]) -> bool:
        """Whether the object is not held as it is: else `seen` does nothing."""
        return self._cache.is_news(body)

    def seen(self, body: Mapping[str, Any]) -> None:
        """An object as it is now."""
        if not self.is_news(body):
            return
        operation = parse(LensesConnectorOffsets, body)
        if operation is None:
            return
        before = self._cache.get(operation.key)
        if self._cache.upsert(operation):
            if before is not None and connector_key(before) != connector_key(operation):
                self.wake(before)
            self.wake(operation)

    def gone(self, body: Mapping[str, Any]) -> None:
        """A DELETED event; with a label selector it may also mean that the object lost its label."""
        operation = parse(LensesConnectorOffsets, body)
        if operation is not None:
            self._went(operation, operation.version)

    def lost(self, operation: LensesConnectorOffsets) -> None:
        """The object is proven to be no more."""
        self._went(operation, inf)

    def _went(self, operation: LensesConnectorOffsets, version: float) -> None:
        """Its hold, if it had one, ends with it."""
        last = self._cache.remove(operation.key, operation.metadata.uid, version)
        if last is not None:
            self.wake(last)

    def left(self, operation: LensesConnectorOffsets) -> None:
        """It lost the label we look for, and may get it back; its hold ends all the same."""
        self._went(operation, -inf)

    def listed(self, bodies: Iterable[Mapping[str, Any]]) -> None:
        """A page of a list."""
        for body in bodies:
            self.seen(body)

    def unlisted(self, uids: Set[str]) -> list[LensesConnectorOffsets]:
        """What is held and not in a complete list: to be looked up one by one."""
        return self._cache.unlisted(uids)

    def wake(self, operation: LensesConnectorOffsets) -> None:
        """Whatever happens to one operation matters to its connector and to the next in line."""
        connector = connector_key(operation)
        self._enqueue(operation.key)
        self._enqueue(connector)
        for other in self._cache.of(connector):
            self._enqueue(other.key)


def _same(one: LensesConnectorOffsets, other: LensesConnectorOffsets) -> bool:
    before, now = one.metadata, other.metadata
    return (before.uid, before.generation) == (now.uid, now.generation)


def connector_key(operation: LensesConnectorOffsets) -> ObjectKey:
    return ObjectKey(CONNECTOR_KIND, operation.metadata.namespace, operation.spec.connector_ref.name)
