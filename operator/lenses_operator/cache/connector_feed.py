"""Where objects come in: from the watch, from our own complete list, and when they go."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Set
from math import inf
from typing import Any

from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.cache.parsing import parse
from lenses_operator.domain.references import RefKind, RefName
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import LensesConnector

logger = logging.getLogger(__name__)


class ConnectorFeed:
    """Puts objects into the cache and wakes the keys that a pass has to look at. No I/O."""

    def __init__(
        self,
        cache: ConnectorCache,
        enqueue: Callable[[ObjectKey], None],
        operations: Callable[[ObjectKey], Iterable[ObjectKey]] = lambda _: (),
        read: Callable[[str, RefName], str | None] = lambda *_: None,
    ) -> None:
        """`operations`: the offsets resources that name a connector's resource, which wait for what becomes of it.
        `read`: the version of a Secret or ConfigMap that a pass has read last."""
        self._cache = cache
        self._operations = operations
        self._read = read
        self._enqueue = enqueue
        self._digests: dict[tuple[str, RefName], str] = {}
        cache.let_go = self._wake_siblings  # whoever has seen it: the answer to a write comes in past the watch

    def is_news(self, body: Mapping[str, Any]) -> bool:
        """Whether the object is not held as it is: else `seen` does nothing."""
        return self._cache.is_news(body)

    def seen(self, body: Mapping[str, Any]) -> None:
        """An object as it is now."""
        if not self.is_news(body):
            return
        resource = parse(LensesConnector, body)
        if resource is None:
            return
        if self._cache.upsert(resource):
            self._wake(resource)

    def gone(self, body: Mapping[str, Any]) -> None:
        """A DELETED event; with a label selector it may also mean that the object lost its label."""
        resource = parse(LensesConnector, body)
        if resource is not None:
            self._went(resource, resource.version)

    def lost(self, resource: LensesConnector) -> None:
        """The object is proven to be no more."""
        self._went(resource, inf)

    def _went(self, resource: LensesConnector, version: float) -> None:
        """Without our own release the connector may be left behind: see `_owes_deletion`."""
        last = self._cache.remove(resource.key, resource.metadata.uid, version)
        if last is None:
            return
        stripped = resource.metadata.deleting  # the watch may have missed the deletion time that the last event shows
        if not self._cache.was_released(last.metadata.uid) and _owes_deletion(last) and not stripped:
            logger.warning("object removed before its finalizer could hold it", extra={"resource": last.key})
            self._cache.record_lost(last)
        self._wake(last)

    def left(self, resource: LensesConnector) -> None:
        """It lost the label we look for: it is no longer ours to look after, and nothing of it is touched."""
        self._cache.leave(resource.key)
        self._wake(resource)

    def reference(self, event: str | None, kind: RefKind, body: Mapping[str, Any]) -> None:
        """A labelled Secret or ConfigMap. Only its data counts; what a first list brings the passes have read, unless
        it has changed between."""
        metadata = body["metadata"]
        place = (metadata["namespace"], RefName(kind, metadata["name"]))
        digest = None if event == "DELETED" else _digest(body)
        known = self._digests.get(place)
        if digest is None:
            self._digests.pop(place, None)
        else:
            self._digests[place] = digest
        if event is None and known is None:
            changed = self._read(*place) not in (None, metadata["resourceVersion"])
        else:
            changed = digest != known
        if changed:
            for key in self._cache.referrers(*place):
                self._enqueue(key)

    def listed(self, bodies: Iterable[Mapping[str, Any]]) -> None:
        """A page of a list."""
        for body in bodies:
            self.seen(body)

    def unlisted(self, uids: Set[str]) -> list[LensesConnector]:
        """What is held and not in a complete list: to be looked up one by one."""
        return self._cache.unlisted(uids)

    def _wake(self, resource: LensesConnector) -> None:
        self._enqueue(resource.key)
        for operation in self._operations(resource.key):
            self._enqueue(operation)
        self._wake_siblings(resource)

    def _wake_siblings(self, resource: LensesConnector) -> None:
        for sibling in self._cache.siblings(resource):
            self._enqueue(sibling)


def _owes_deletion(last: LensesConnector) -> bool:
    """The API server may remove an object whose finalizer patch overlaps its deletion (seen): then its last body has
    our finalizer and no deletion time. With a deletion time a person has stripped the finalizer: which releases it.
    """
    held = last.metadata.has_finalizer and not last.metadata.deleting
    return held and last.status.ownership.state.ours and not last.cannot_be_deleted


def _digest(body: Mapping[str, Any]) -> str:
    """Kept in memory only, to tell a change of data from one of metadata."""
    data = [body.get("data") or {}, body.get("binaryData") or {}]
    return hashlib.sha256(json.dumps([dict(part) for part in data], sort_keys=True).encode()).hexdigest()
