"""The pollers that the resources call for: one per Connect cluster and token, from its first resource to its last."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context
from dataclasses import dataclass
from typing import NamedTuple

from lenses_operator.domain.deleting import Visibility
from lenses_operator.domain.polling import stretched, while_lost
from lenses_operator.lenses.errors import LensesError
from lenses_operator.lenses_state.list_budget import ListBudget
from lenses_operator.lenses_state.poller import ClusterPoller, ConnectorName, View
from lenses_operator.lenses_state.sessions import Session
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import ConnectorKey
from lenses_operator.turns import slices

PATIENCE = 5.0
"""Seconds a first list is waited for by what has something to do."""
SOON = 2.0
"""Seconds after a list in which no further one is made for a proof alone."""

SLICE = 1000
"""Resources that are enqueued between two turns of the event loop where a list concerns all of its cluster."""


class Scope(NamedTuple):
    """A list seen with one token says nothing about another."""

    environment: str
    cluster: str
    session: str


@dataclass(frozen=True)
class PollerStatus:
    """How one cluster's list stands for one token. `read_at`: loop time of the last good one; `every`: seconds between
    two, as things are."""

    environment: str
    cluster: str
    error: LensesError | None
    read_at: float | None
    every: float


class Pollers:
    """`enqueue` gets the object keys that a new list concerns. All pollers together ask for `rate` lists a second at
    most: where they are too many for the interval, it is stretched for all alike."""

    def __init__(
        self,
        interval: float,
        rate: float,
        enqueue: Callable[[ObjectKey], None],
        claimants: Callable[[ConnectorKey], Iterable[ObjectKey]],
    ) -> None:
        self._interval = interval
        self._budget = ListBudget(rate)
        self._enqueue = enqueue
        self._claimants = claimants
        self._scope_of: dict[ObjectKey, Scope] = {}
        self._members: dict[Scope, set[ObjectKey]] = defaultdict(set)
        self._recheck: dict[Scope, set[ObjectKey]] = defaultdict(set)
        self._pollers: dict[Scope, ClusterPoller] = {}
        self._tasks: dict[Scope, asyncio.Task[None]] = {}
        self._ended: dict[str, set[Scope]] = defaultdict(set)
        """By environment, whose first list has ended."""
        self._lost: dict[str, set[Scope]] = defaultdict(set)
        """By environment, of which nothing can be said at present."""

    def subscribe(self, environment: str, cluster: str, session: Session, key: ObjectKey) -> View | None:
        """The cluster's view; None until its first list has ended, which then enqueues the key."""
        scope = Scope(environment, cluster, session.id)
        if self._scope_of.get(key) != scope:
            self.unsubscribe(key)
            self._scope_of[key] = scope
            self._members[scope].add(key)
        poller = self._pollers.get(scope)
        if poller is None:
            poller = ClusterPoller(
                session.client,
                environment,
                cluster,
                lambda: self._every(scope),
                self._budget,
                lambda changed: self._changed(scope, changed),
            )
            self._pollers[scope] = poller
            # In a context of its own: it outlives the pass that begins it, whose name its log lines would bear.
            name = f"poll {environment}/{cluster}"
            self._tasks[scope] = asyncio.create_task(poller.run(), name=name, context=Context())
        return poller.view

    def patience(self, key: ObjectKey) -> float:
        """Seconds for which the first list should still be waited for."""
        scope = self._scope_of.get(key)
        if scope is None:
            return 0.0
        until: float = self._pollers[scope].begun_at + PATIENCE
        return max(0.0, until - asyncio.get_running_loop().time())

    def unsubscribe(self, key: ObjectKey) -> None:
        """The object needs no list any more."""
        scope = self._scope_of.pop(key, None)
        if scope is None:
            return
        members = self._members[scope]
        members.discard(key)
        self._recheck[scope].discard(key)
        if not members:
            del self._members[scope], self._recheck[scope], self._pollers[scope]
            for known in (self._ended, self._lost):
                known[scope.environment].discard(scope)
                if not known[scope.environment]:
                    del known[scope.environment]
            self._tasks.pop(scope).cancel()

    def recheck(self, key: ObjectKey) -> None:
        """Look at the key after the next list, changed or not: what was read meanwhile is newer than the last list."""
        scope = self._scope_of.get(key)
        if scope is not None:
            self._recheck[scope].add(key)

    def poll_now(self, session_id: str) -> None:
        """List again now wherever this session is used: its token is a new one."""
        for scope, poller in self._pollers.items():
            if scope.session == session_id:
                poller.poll_now()

    def deleted(self, key: ObjectKey, connector: ConnectorKey) -> None:
        """Our own DELETE was accepted."""
        scope = self._scope_of.get(key)
        if scope is not None:
            self._pollers[scope].deleted((connector.cluster, connector.name))

    def witness(self, key: ObjectKey, connector: ConnectorKey) -> ConnectorKey | None:
        """Another connector of its cluster that the last list shows, if there is a good one."""
        scope = self._scope_of.get(key)
        view = None if scope is None else self._pollers[scope].view
        if view is None or view.error is not None:
            return None
        names = (name for _, name in view.entries if name != connector.name)
        return next((connector._replace(name=name) for name in names), None)

    def visibility(
        self, key: ObjectKey, connector: ConnectorKey, since: float, others: Callable[[], bool]
    ) -> Visibility:
        """Blind is a token that sees nothing at all of an environment in which it saw other connectors, which we have
        not deleted: it has lost a right rather than all of them their existence. `others`: whether there were any by
        what else is known, since a poller remembers only what itself has seen.

        A list from before `since` says nothing of that: the right may have been lost since, and a new one is due.
        """
        scope = self._scope_of.get(key)
        if scope is None:
            return Visibility.SOME
        own = (connector.cluster, connector.name)
        beside = [
            poller
            for known, poller in self._pollers.items()
            if (known.environment, known.session) == (scope.environment, scope.session)
        ]
        sees = any(
            poller.view is not None
            and poller.view.error is None
            and poller.view.asked_at > since
            and poller.view.entries.keys() - {own}
            for poller in beside
        )
        view = self._pollers[scope].view
        listed = view is not None and view.error is None and view.asked_at > since
        if sees or (listed and not any(poller.missed - {own} for poller in beside) and not others()):
            return Visibility.SOME
        now = asyncio.get_running_loop().time()
        for poller in beside:
            if poller.view is not None and now >= poller.view.asked_at + SOON:  # thousands may ask, one after the other
                poller.poll_now()
        told = all(poller.view is not None and poller.view.asked_at > since for poller in beside if poller.missed)
        return Visibility.NONE if listed and told else Visibility.UNKNOWN

    def used(self) -> set[tuple[str, str]]:
        """Each environment with each session that it is seen with."""
        return {(scope.environment, scope.session) for scope in self._pollers}

    def polled(self, environment: str = "") -> bool:
        """Whether a first list of this environment has ended, well or badly; without a name, of each that there is."""
        wanted = {environment} if environment else {scope.environment for scope in self._pollers}
        return all(self._ended.get(one) for one in wanted)

    def poller_statuses(self) -> Iterator[PollerStatus]:
        """Of every list that has ended at least once."""
        for scope, poller in self._pollers.items():
            if poller.view is not None:
                yield PollerStatus(scope.environment, scope.cluster, poller.view.error, poller.read_at, poller.every)

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def _stretched(self) -> float:
        return stretched(self._interval, len(self._pollers), self._budget.per_second)

    def _every(self, scope: Scope) -> float:
        """Seconds between two lists of the scope."""
        lost = self._lost.get(scope.environment, ())
        return while_lost(self._interval, len(lost), self._stretched) if scope in lost else self._stretched

    async def _changed(self, scope: Scope, changed: frozenset[ConnectorName] | None) -> None:
        if scope not in self._pollers:
            return  # ended meanwhile
        due: set[ObjectKey] = set()
        if not changed:  # each list is told so first: what is noted between its parts waits for the next one
            due, self._recheck[scope] = self._recheck[scope], due
        if changed is None:
            self._stands(scope)
            due = set(self._members[scope])
        else:
            for cluster, name in changed:
                due.update(self._claimants(ConnectorKey(scope.environment, cluster, name)))
        async for keys in slices(due, SLICE):
            for key in keys:
                self._enqueue(key)

    def _stands(self, scope: Scope) -> None:
        """Its view is the first one, or another than before as a whole."""
        view, lost = self._pollers[scope].view, self._lost[scope.environment]
        self._ended[scope.environment].add(scope)
        if view is not None and view.closed:
            lost.add(scope)
            return
        lost.discard(scope)
        if view is not None and view.error is None and self._stretched > self._interval:
            for other in lost:  # what is back for one may be back for all, and they ask seldom
                self._pollers[other].poll_now()
