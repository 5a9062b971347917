"""The pollers that the resources call for: one per environment, from its first resource to its last."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable

from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.poller import ConnectorName, EnvironmentPoller, View
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import ConnectorKey


class Environments:
    """`enqueue` gets the object keys that a new list concerns."""

    def __init__(
        self,
        client: LensesClient,
        interval: float,
        enqueue: Callable[[ObjectKey], None],
        claimants: Callable[[ConnectorKey], Iterable[ObjectKey]],
    ) -> None:
        self._client = client
        self._interval = interval
        self._enqueue = enqueue
        self._claimants = claimants
        self._members: dict[str, set[ObjectKey]] = defaultdict(set)
        self._recheck: dict[str, set[ObjectKey]] = defaultdict(set)
        self._pollers: dict[str, EnvironmentPoller] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def join(self, environment: str, key: ObjectKey) -> View | None:
        """The environment's view; None until its first list has ended, which then enqueues the key."""
        self._members[environment].add(key)
        poller = self._pollers.get(environment)
        if poller is None:
            poller = EnvironmentPoller(
                self._client, environment, self._interval, lambda changed: self._changed(environment, changed)
            )
            self._pollers[environment] = poller
            self._tasks[environment] = asyncio.create_task(poller.run(), name=f"poll {environment}")
        return poller.view

    def leave(self, environment: str, key: ObjectKey) -> None:
        members = self._members.get(environment)
        if members is None:
            return
        members.discard(key)
        if not members:
            del self._members[environment]
            self._recheck.pop(environment, None)
            del self._pollers[environment]
            self._tasks.pop(environment).cancel()

    def forget(self, key: ObjectKey) -> None:
        """The object is no more."""
        for environment in [name for name, members in self._members.items() if key in members]:
            self.leave(environment, key)

    def recheck(self, environment: str, key: ObjectKey) -> None:
        """Look at the key after the next list, changed or not: what was read meanwhile is newer than the last list."""
        self._recheck[environment].add(key)

    def polled(self) -> bool:
        """Whether every environment's first list has ended, well or badly."""
        return all(poller.view is not None for poller in self._pollers.values())

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _changed(self, environment: str, changed: frozenset[ConnectorName] | None) -> None:
        due = self._recheck.pop(environment, set())
        if changed is None:
            for key in list(self._members[environment]):
                self._enqueue(key)
            return
        for cluster, name in changed:
            due.update(self._claimants(ConnectorKey(environment, cluster, name)))
        for key in due:
            self._enqueue(key)
