"""What this process says of itself: whether it is ready, and what only a restart can fix."""

from __future__ import annotations

from collections.abc import Callable

from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.lenses_state.pollers import Pollers
from lenses_operator.resources.base import ObjectKey
from lenses_operator.workqueue.queue import WorkQueue

QUEUE_STUCK = 240.0
"""Seconds in which no pass begins or ends, and no request to Lenses ends, though keys are due: longer than the longest
request, 190 s."""
LIST_STUCK = 900.0
"""Seconds in which no list of the resources is begun: many times what lies between two."""


class Probes:
    """Not ready until `stand_by` or `begin`, nor while a kind is missing.

    `list_age` gives the seconds since the last list was begun, `missing_kinds` a sentence for each.
    """

    def __init__(
        self,
        queue: WorkQueue[ObjectKey],
        cache: ConnectorCache,
        environments: Pollers,
        list_age: Callable[[], float],
        missing_kinds: Callable[[], list[str]],
    ) -> None:
        self._queue = queue
        self._cache = cache
        self._environments = environments
        self._list_age = list_age
        self._missing_kinds = missing_kinds
        self._synced = False
        self._working = False
        self._first: dict[ObjectKey, str] = {}
        """Resources whose first pass has not ended, and their environments."""

    def stand_by(self) -> None:
        """Everything is listed, and another process works: ready to take over."""
        self._synced = True

    def begin(self) -> None:
        """The work begins with what is listed."""
        self._synced = self._working = True
        self._first = {resource.key: resource.spec.environment for resource in self._cache}

    def passed(self, key: ObjectKey) -> None:
        """A pass over it has ended."""
        self._first.pop(key, None)

    def missing(self) -> list[str]:
        """Ready needs neither Lenses nor the lease: all resources listed, and every environment's first list ended."""
        if kinds := self._missing_kinds():
            return kinds
        if not self._synced:
            return ["the resources have not been listed yet"]
        if not self._environments.polled() or self._unasked():
            return ["an environment's connectors have not been listed yet"]
        return []

    def problems(self) -> list[str]:
        found = []
        if self._working and self._queue.stuck_for() > QUEUE_STUCK:
            found.append(
                f"no pass and no request to Lenses has ended for {self._queue.stuck_for():.0f} s though resources wait"
            )
        if self._list_age() > LIST_STUCK:
            found.append(f"no list of the resources has been begun for {self._list_age():.0f} s")
        return found

    def _unasked(self) -> bool:
        """Whether some environment's list has not ended, of those of the resources whose first pass has not either."""
        unasked = {one for one in set(self._first.values()) if not self._environments.polled(one)}
        return any(one in unasked and self._cache.get(key) is not None for key, one in self._first.items())
