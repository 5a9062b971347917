"""One list per Connect cluster and token serves all its connectors; what differs from the last list is reported."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from lenses_operator.lenses.client import LensesClient, Listing
from lenses_operator.lenses.errors import (
    AgentCallFailed,
    AgentNotConnected,
    Conflict,
    EnvironmentNotFound,
    LensesError,
    LensesUnreachable,
    LicenceRequired,
    RateLimited,
    ServerError,
    Unauthorized,
    UnusableAnswer,
)
from lenses_operator.lenses.models import ConnectorListItem
from lenses_operator.lenses_state.list_budget import ListBudget
from lenses_operator.turns import slices

log = logging.getLogger(__name__)
ConnectorName = tuple[str, str]
"""(cluster, connector)."""

# What may be over in a moment; everything else is the API's considered answer and believed at once.
PASSING = (LensesUnreachable, UnusableAnswer, ServerError, AgentNotConnected, RateLimited, Conflict, AgentCallFailed)
# About the environment or the token as a whole: no other request would fare better.
WHOLE = (Unauthorized, LicenceRequired, EnvironmentNotFound, AgentNotConnected, RateLimited)
SHARE = 3.0
"""A list is asked for again after this many times as long as the last one took: it may not keep Lenses busy."""
KNOWN_FOR = 300.0
"""Seconds for which a cluster that has shown its connectors is taken to exist: its workers may be starting again. Where
lists are further apart, it is for two of them."""
LONGEST_PAUSE = 300.0
"""Seconds between two lists at the most, however long they take."""
SLICE = 250
"""Connectors that are compared, and reported, between two turns of the event loop."""


@dataclass(frozen=True)
class View:
    """The last list, and the error that makes it old. `asked_at`: loop time before the list was asked for.

    `reachable`: the list failed, but the cluster itself has answered since. It is the list alone that does not work, as
    with one that is too large for HQ to pass on.
    """

    asked_at: float
    entries: Mapping[ConnectorName, ConnectorListItem] = field(default_factory=dict)
    error: LensesError | None = None
    reachable: bool = False
    listed: bool = False
    """The cluster has shown its connectors a while ago (`KNOWN_FOR`): it is not unknown, whatever is said of it now."""

    @property
    def lost(self) -> LensesError | None:
        """Why nothing can be said of any connector of the cluster."""
        return None if self.reachable else self.error

    @property
    def closed(self) -> bool:
        """Whether the same holds for each single request, too."""
        down = isinstance(self.error, LensesUnreachable) and not self.error.maybe_done
        return self.lost is not None and (down or isinstance(self.error, WHOLE))


OnChange = Callable[[frozenset[ConnectorName] | None], Awaitable[None]]
"""Called after every good list with no connector, and then with those that changed, some at a time; with None where the
view as a whole did (first list, lost, back again)."""


class ClusterPoller:
    """Asks every `interval` seconds, more seldom where lists take long; after a passing failure once more soon, and
    only then the cluster is lost. Each list waits for its turn in the budget."""

    def __init__(
        self,
        client: LensesClient,
        environment: str,
        cluster: str,
        interval: Callable[[], float],
        budget: ListBudget,
        on_change: OnChange,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._client = client
        self._environment = environment
        self._cluster = cluster
        self._interval = interval
        self._budget = budget
        self._on_change = on_change
        self._uniform = uniform
        self._doubt = False
        self._took = 0.0
        self._shown_at: float | None = None
        self._soon = asyncio.Event()
        self._reading = asyncio.Lock()
        self._listing: Listing | None = None
        self._deleted: set[ConnectorName] = set()
        self._seen: frozenset[ConnectorName] = frozenset()
        self.begun_at = asyncio.get_running_loop().time()
        self.view: View | None = None
        """None until the first list ended well or badly."""
        self.read_at: float | None = None
        """Loop time when the last good list ended."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._budget.turn(self, urgent=self.view is None or self._soon.is_set())
            self._soon.clear()  # before the list: what is wanted anew while it is under way is not in it
            try:
                await self.poll()
            except Exception as error:
                log.exception("the list of connectors was not understood")
                why = f"the answer could not be worked with ({type(error).__name__})"
                await self._failed(
                    asyncio.get_running_loop().time(), UnusableAnswer("list_connectors", why, status=200)
                )
            try:
                async with asyncio.timeout(self.pause * self._uniform(0.9, 1.0)):
                    await self._soon.wait()
            except TimeoutError:
                continue

    @property
    def every(self) -> float:
        """Seconds between two lists, as things are."""
        return self._at_least(self._interval())

    @property
    def pause(self) -> float:
        """Seconds until the next list."""
        interval = self._interval()
        return self._at_least(min(interval, 2.0) if self._doubt else interval)

    def _at_least(self, seconds: float) -> float:
        return max(seconds, min(SHARE * self._took, LONGEST_PAUSE))

    def poll_now(self) -> None:
        """List again as soon as the budget allows, before those that only fall due."""
        self._soon.set()
        self._budget.prioritize(self)

    @property
    def missed(self) -> frozenset[ConnectorName]:
        """Connectors that were listed before the list became empty, and that this process has not deleted."""
        return self._seen - self._deleted

    def deleted(self, name: ConnectorName) -> None:
        """Our own DELETE was accepted: it is no wonder if the list shows it no more."""
        self._deleted.add(name)

    async def poll(self) -> None:
        async with self._reading:
            asked_at = asyncio.get_running_loop().time()
            try:
                found = await self._client.poll_connectors(self._environment, self._listing, cluster=self._cluster)
            except LensesError as error:
                await self._failed(asked_at, error)
            else:
                entries = self._entries(found)
                if entries:
                    self._shown_at = asked_at
                await self._read(View(asked_at, entries, listed=bool(entries)))
            self._took = asyncio.get_running_loop().time() - asked_at

    def _entries(self, found: Listing) -> Mapping[ConnectorName, ConnectorListItem]:
        """Those of the last view where the list is still the same."""
        if self.view is not None and found is self._listing:
            return self.view.entries
        self._listing = found
        # A server that does not heed the filter shows all of its clusters.
        return {(item.cluster, item.name): item for item in found.connectors if item.cluster == self._cluster}

    async def _failed(self, asked_at: float, error: LensesError) -> None:
        before = self.view
        if isinstance(error, PASSING) and not self._doubt and (before is None or before.error is None):
            self._doubt = True
            if before is not None:
                return
        else:
            self._doubt = False
        entries = before.entries if before else {}
        listed = self._shown_at is not None and asked_at < self._shown_at + max(KNOWN_FOR, 2 * self.every)
        view = View(asked_at, entries, error, listed=listed)
        self.view = view if view.closed else replace(view, reachable=await self._answers())
        if before is None or _other(before, self.view):
            what = "list of connectors failed" if self.view.reachable else "cluster lost"
            log.warning("%s: %s", what, error, extra={"environment": self._environment, "cluster": self._cluster})
            await self._on_change(None)

    async def _answers(self) -> bool:
        try:
            await self._client.get_cluster_info(self._environment, self._cluster)
        except LensesError:
            return False
        return True

    async def _read(self, view: View) -> None:
        self._doubt = False
        self.read_at = asyncio.get_running_loop().time()
        before, self.view = self.view, view
        if view.entries:
            self._seen, self._deleted = frozenset(view.entries), self._deleted & view.entries.keys()
        if before is not None and before.error is not None:
            log.info("cluster back", extra={"environment": self._environment, "cluster": self._cluster})
        if before is None or before.error is not None:
            await self._on_change(None)
            return
        await self._on_change(frozenset())
        if view.entries is before.entries:
            return
        async for names in slices(before.entries.keys() | view.entries.keys(), SLICE):
            changed = frozenset(name for name in names if before.entries.get(name) != view.entries.get(name))
            if changed:
                await self._on_change(changed)


def _other(before: View, now: View) -> bool:
    """Whether the trouble is another one than before."""
    told, tells = before.error, now.error
    if told is None or tells is None:
        return told is not tells
    shown, shows = (before.reachable, before.listed), (now.reachable, now.listed)
    return (type(told), told.gist, *shown) != (type(tells), tells.gist, *shows)  # each has another id
