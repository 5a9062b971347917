"""The pollers that the resources call for: one per environment and token, from its first resource to its last."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context
from dataclasses import dataclass

from lenses_operator.controllers.session import Session
from lenses_operator.lenses.errors import LensesError
from lenses_operator.lenses.poller import ConnectorName, EnvironmentPoller, View
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import ConnectorKey

Scope = tuple[str, str]
"""(environment, session id): a list seen with one token says nothing about another."""


@dataclass(frozen=True)
class Standing:
    """How one environment's list stands for one token. `read_at`: loop time of the last good one."""

    environment: str
    error: LensesError | None
    read_at: float | None


class Environments:
    """`enqueue` gets the object keys that a new list concerns."""

    def __init__(
        self,
        interval: float,
        enqueue: Callable[[ObjectKey], None],
        claimants: Callable[[ConnectorKey], Iterable[ObjectKey]],
    ) -> None:
        self._interval = interval
        self._enqueue = enqueue
        self._claimants = claimants
        self._scope_of: dict[ObjectKey, Scope] = {}
        self._members: dict[Scope, set[ObjectKey]] = defaultdict(set)
        self._recheck: dict[Scope, set[ObjectKey]] = defaultdict(set)
        self._pollers: dict[Scope, EnvironmentPoller] = {}
        self._tasks: dict[Scope, asyncio.Task[None]] = {}

    def join(self, environment: str, session: Session, key: ObjectKey) -> View | None:
        """The environment's view; None until its first list has ended, which then enqueues the key."""
        scope = (environment, session.id)
        if self._scope_of.get(key) != scope:
            self.leave(key)
            self._scope_of[key] = scope
            self._members[scope].add(key)
        poller = self._pollers.get(scope)
        if poller is None:
            poller = EnvironmentPoller(
                session.client, environment, self._interval, lambda changed: self._changed(scope, changed)
            )
            self._pollers[scope] = poller
            # In a context of its own: it outlives the pass that begins it, whose name its log lines would bear.
            self._tasks[scope] = asyncio.create_task(poller.run(), name=f"poll {environment}", context=Context())
        return poller.view

    def leave(self, key: ObjectKey) -> None:
        """The object needs no list any more."""
        scope = self._scope_of.pop(key, None)
        if scope is None:
            return
        members = self._members[scope]
        members.discard(key)
        self._recheck[scope].discard(key)
        if not members:
            del self._members[scope], self._recheck[scope], self._pollers[scope]
            self._tasks.pop(scope).cancel()

    def recheck(self, key: ObjectKey) -> None:
        """Look at the key after the next list, changed or not: what was read meanwhile is newer than the last list."""
        scope = self._scope_of.get(key)
        if scope is not None:
            self._recheck[scope].add(key)

    def hurry(self, session_id: str) -> None:
        """List again now wherever this session is used: its token is a new one."""
        for (_, used), poller in self._pollers.items():
            if used == session_id:
                poller.hurry()

    def polled(self, environment: str = "") -> bool:
        """Whether this environment's first list has ended, well or badly; without a name that of every one so far."""
        if not environment:
            return all(poller.view is not None for poller in self._pollers.values())
        return any(poller.view is not None for (name, _), poller in self._pollers.items() if name == environment)

    def standings(self) -> Iterator[Standing]:
        """Of every list that has ended at least once."""
        for (environment, _), poller in self._pollers.items():
            if poller.view is not None:
                yield Standing(environment, poller.view.error, poller.read_at)

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _changed(self, scope: Scope, changed: frozenset[ConnectorName] | None) -> None:
        if scope not in self._pollers:
            return  # ended meanwhile
        due, self._recheck[scope] = self._recheck[scope], set()
        if changed is None:
            due = set(self._members[scope])
        else:
            for cluster, name in changed:
                due.update(self._claimants(ConnectorKey(scope[0], cluster, name)))
        for key in due:
            self._enqueue(key)
