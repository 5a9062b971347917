"""The LensesConnectors that are known, by object and by connector, and the deletions that are still pending."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from math import inf
from typing import Any

from lenses_operator.cache.objects import REMEMBERED, Objects
from lenses_operator.domain.references import RefName, named
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import ConnectorKey, LensesConnector, OwnershipState, TokenRef


@dataclass(frozen=True)
class Tombstone:
    """An object that the API server removed although our finalizer had just been put: its deletion is still pending."""

    resource: LensesConnector


class ConnectorCache:
    """Indexed by object, by connector and by the Secrets and ConfigMaps that are named."""

    def __init__(self) -> None:
        self._objects: Objects[LensesConnector] = Objects()
        self._tombstones: dict[ObjectKey, Tombstone] = {}
        self._by_connector: dict[ConnectorKey, set[ObjectKey]] = defaultdict(set)
        self._by_reference: dict[tuple[str, RefName], set[ObjectKey]] = defaultdict(set)
        self._released: OrderedDict[str, None] = OrderedDict()
        self.let_go: Callable[[LensesConnector], None] = lambda _: None
        """Called with an object as it was, when it claims its connector no longer as it did: see `_lets_go`."""

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[LensesConnector]:
        return iter(self._objects)

    def get(self, key: ObjectKey) -> LensesConnector | None:
        return self._objects.get(key)

    def tombstone(self, key: ObjectKey) -> Tombstone | None:
        return self._tombstones.get(key)

    def upsert(self, resource: LensesConnector) -> bool:
        """Takes the object unless it is stale; True where a pass has to look at it."""
        before, references = self._objects.get(resource.key), self._references(resource.key)
        if before is not None:
            resource = resource.remembering(before)
        if not self._objects.put(resource):
            return False
        self._index_references(resource.key, references)
        self._by_connector[resource.connector].add(resource.key)
        if before is not None and before.metadata.uid != resource.metadata.uid:
            self._unindex(before)
        if before is not None and _lets_go(before, resource):
            self.let_go(before)
        return before is None or _wakes(before, resource)

    def remove(self, key: ObjectKey, uid: str, version: float = inf) -> LensesConnector | None:
        """See `Objects.remove`."""
        references = self._references(key)
        last = self._objects.remove(key, uid, version)
        if last is not None:
            self._unindex(last)
            self._index_references(key, references)
        return last

    def leave(self, key: ObjectKey) -> None:
        """Forget the object, which is still there and may come back."""
        last = self._objects.get(key)
        if last is not None:
            self.remove(key, last.metadata.uid, -inf)

    def restore(self, key: ObjectKey) -> None:
        """The object thought to be gone is there after all; if it is ours to look after, the next list brings it."""
        tombstone = self._tombstones.get(key)
        if tombstone is not None:
            self._objects.may_return(tombstone.resource.metadata.uid)
            self.drop_tombstone(key)

    def is_news(self, body: Mapping[str, Any]) -> bool:
        """See `Objects.is_news`."""
        return self._objects.is_news(body, LensesConnector.kind_name)

    def unlisted(self, uids: Set[str]) -> list[LensesConnector]:
        """See `Objects.unlisted`."""
        return self._objects.unlisted(uids)

    def released(self, uid: str) -> None:
        """We took our own finalizer off this object: its going is no surprise."""
        self._released[uid] = None
        while len(self._released) > REMEMBERED:  # its end may never be seen, or was seen before
            self._released.popitem(last=False)

    def was_released(self, uid: str) -> bool:
        """Asked once, when the object goes."""
        if uid in self._released:
            del self._released[uid]
            return True
        return False

    def record_lost(self, resource: LensesConnector) -> None:
        references = self._references(resource.key)
        self._tombstones[resource.key] = Tombstone(resource)
        self._index_references(resource.key, references)
        self._by_connector[resource.connector].add(resource.key)

    def drop_tombstone(self, key: ObjectKey) -> None:
        references = self._references(key)
        tombstone = self._tombstones.pop(key, None)
        if tombstone is not None:
            self._index_references(key, references)
            self._unindex(tombstone.resource)

    def claimants(self, connector: ConnectorKey) -> list[LensesConnector]:
        """Every resource that names this connector, tombstones included, since they still owe its deletion."""
        keys = self._by_connector.get(connector, set())
        living = [living for key in keys if (living := self._objects.get(key)) is not None]
        buried = [self._tombstones[key].resource for key in keys if key in self._tombstones]
        return [resource for resource in (*living, *buried) if resource.connector == connector]

    def owned_beside(self, resource: LensesConnector) -> bool:
        """Whether another connector of its cluster that is ours and seen with the same token is there, or has to be."""
        return any(
            other.connector[:2] == resource.connector[:2]
            and other.connector != resource.connector
            and not other.metadata.deleting
            and other.status.ownership.state is OwnershipState.OWNED
            and (other.status.state is not None or not other.spec.suspend)
            and _token(other) == _token(resource)
            for other in self
        )

    def siblings(self, resource: LensesConnector) -> list[ObjectKey]:
        """The other objects about the same connector: whatever happens to one matters to them."""
        return [other.key for other in self.claimants(resource.connector) if other.key != resource.key]

    def referrers(self, namespace: str, ref: RefName) -> list[ObjectKey]:
        """The objects whose spec names this Secret or ConfigMap, tombstones included."""
        return list(self._by_reference.get((namespace, ref), ()))

    def names(self, connector: ConnectorKey) -> bool:
        """Whether any object is about this connector, or any tombstone."""
        return connector in self._by_connector

    def refers(self, namespace: str, ref: RefName) -> bool:
        """Whether any object names this Secret or ConfigMap, or any tombstone."""
        return (namespace, ref) in self._by_reference

    def _references(self, key: ObjectKey) -> set[RefName]:
        living, tombstone = self._objects.get(key), self._tombstones.get(key)
        found = named(living.spec) if living is not None else set()
        return found | named(tombstone.resource.spec) if tombstone is not None else found

    def _index_references(self, key: ObjectKey, before: set[RefName]) -> None:
        now = self._references(key)
        for ref in now - before:
            self._by_reference[key.namespace, ref].add(key)
        for ref in before - now:
            keys = self._by_reference[key.namespace, ref]
            keys.discard(key)
            if not keys:
                del self._by_reference[key.namespace, ref]

    def _unindex(self, resource: LensesConnector) -> None:
        """Unless a living object of the same name, or a tombstone, is about the same connector."""
        if any(other.key == resource.key for other in self.claimants(resource.connector)):
            return
        keys = self._by_connector.get(resource.connector)
        if keys is not None:
            keys.discard(resource.key)
            if not keys:
                del self._by_connector[resource.connector]


def _wakes(before: LensesConnector, after: LensesConnector) -> bool:
    """A change of status alone wakes no key: we wrote it."""
    finalized = after.metadata.has_finalizer and not before.metadata.has_finalizer
    return asks_anew(before, after) or finalized or before.schema_mismatch != after.schema_mismatch


def _lets_go(before: LensesConnector, after: LensesConnector) -> bool:
    """Whether another resource may have the connector's name now. No DELETED event need follow: somebody else's
    finalizer may keep the object for good."""
    other = (before.metadata.uid, before.connector) != (after.metadata.uid, after.connector)
    released = after.metadata.released and not before.metadata.released
    return other or released or (before.status.ownership.state.ours and not after.status.ownership.state.ours)


def asks_anew(before: LensesConnector, after: LensesConnector) -> bool:
    """What a person has done, and no write of ours ever does: a `kubectl replace` drops our finalizer, say."""
    stripped = before.metadata.has_finalizer and not after.metadata.has_finalizer
    old, new = (
        (one.uid, one.generation, one.deleting, one.restart, one.reconcile) for one in (before.metadata, after.metadata)
    )
    return old != new or stripped


def _token(resource: LensesConnector) -> tuple[str, TokenRef] | None:
    """None: the operator's own."""
    ref = resource.spec.token_secret_ref
    return None if ref is None else (resource.metadata.namespace, ref)
