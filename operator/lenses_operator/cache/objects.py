"""The latest known objects of one kind, from whichever source: the watch, our own list, the answer to a write."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Set
from math import inf
from typing import Any, Generic, TypeVar

from lenses_operator.resources.base import ObjectKey, Resource

R = TypeVar("R", bound=Resource)
REMEMBERED = 10_000
"""Objects that went, remembered so that what was begun before their end cannot bring them back."""


class Objects(Generic[R]):
    """An older resourceVersion never replaces a newer one, nor one that was current before the object went."""

    def __init__(self) -> None:
        self._objects: dict[ObjectKey, R] = {}
        self._gone: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[R]:
        return iter(list(self._objects.values()))

    def get(self, key: ObjectKey) -> R | None:
        return self._objects.get(key)

    def put(self, resource: R) -> bool:
        """Takes the object unless it is stale."""
        before = self._objects.get(resource.key)
        if resource.version <= self._gone.get(resource.metadata.uid, -inf):
            return False
        if before is not None and resource.version < before.version:
            return False
        self._objects[resource.key] = resource
        return True

    def remove(self, key: ObjectKey, uid: str, version: float = inf) -> R | None:
        """The last body known; None where there is none, or another object by now.

        `version`: when it went, as its last event tells. One that only lost the label we look for may come back later;
        -inf: it is still there.
        """
        self._gone[uid] = version
        while len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)
        last = self._objects.get(key)
        if last is None or last.metadata.uid != uid:
            return None
        del self._objects[key]
        return last

    def may_return(self, uid: str) -> None:
        """It is there after all."""
        self._gone.pop(uid, None)

    def is_news(self, body: Mapping[str, Any], kind: str) -> bool:
        """Whether an object of this kind is not held as it is: what the answer to a write brought comes again."""
        metadata = body.get("metadata")
        if not isinstance(metadata, Mapping):
            return True  # whoever parses it says what is wrong
        held = self._objects.get(ObjectKey(kind, str(metadata.get("namespace")), str(metadata.get("name"))))
        known = held and (held.metadata.uid, held.metadata.resource_version)
        return known != (metadata.get("uid"), metadata.get("resourceVersion"))

    def unlisted(self, uids: Set[str]) -> list[R]:
        """What is held and not in a complete list: to be looked up one by one."""
        return [resource for resource in self if resource.metadata.uid not in uids]
