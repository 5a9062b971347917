"""Reads one connector: from the poll where that is good enough, else its details; absence only with proof."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from lenses_operator.domain.observed import Observed
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.errors import ConnectorOrClusterNotFound, LensesError
from lenses_operator.lenses.models import Plugin
from lenses_operator.lenses_state.poller import View
from lenses_operator.resources.connector import ConnectorKey

ALIVE_FOR = 3.0
"""Seconds a good answer of a cluster's info proves that its 404s are about connectors."""
PLUGINS_FOR = 30.0
DOUBTED_FOR = 600.0
"""Seconds, longer than anybody goes by an answer that a connector does not exist."""


class Sightings:
    """When a connector that was not found lately was seen after all, by whichever controller has asked for it, and
    which others were seen last."""

    def __init__(self) -> None:
        self._missed_at: dict[ConnectorKey, float] = {}
        self._seen_at: dict[ConnectorKey, float] = {}
        self._latest: dict[tuple[str, str], dict[ConnectorKey, float]] = {}
        """The last two of each cluster."""

    def missed(self, connector: ConnectorKey, now: float) -> None:
        self._missed_at.pop(connector, None)
        self._missed_at[connector] = now  # at the end: the oldest come first
        while (first := next(iter(self._missed_at))) and self._missed_at[first] < now - DOUBTED_FOR:
            del self._missed_at[first]
            self._seen_at.pop(first, None)

    def seen(self, connector: ConnectorKey, asked_at: float, now: float) -> None:
        if connector in self._missed_at:
            self._seen_at[connector] = now
        latest = self._latest.setdefault((connector.environment, connector.cluster), {})
        latest.pop(connector, None)
        latest[connector] = asked_at
        if len(latest) > 2:
            del latest[next(iter(latest))]

    def beside(self, connector: ConnectorKey, since: float) -> bool:
        """Whether another of its cluster was asked for after that, and seen."""
        latest = self._latest.get((connector.environment, connector.cluster), {})
        return any(at > since for one, at in latest.items() if one != connector)

    def seen_at(self, connector: ConnectorKey) -> float:
        return self._seen_at.get(connector, -inf)


class Reader:
    """Raises LensesError; a ConnectorOrClusterNotFound that leaves here always means the cluster."""

    def __init__(self, client: LensesClient, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._alive: dict[tuple[str, str], float] = {}
        self._plugins: dict[tuple[str, str], tuple[float, list[Plugin]]] = {}
        self.sightings = Sightings()

    def listed(self, connector: ConnectorKey, view: View, since: float) -> Observed | None:
        """What a good list says, if it was asked for after `since`; what is not in it may exist all the same."""
        if view.error is not None or view.asked_at <= since:
            return None
        entry = view.entries.get((connector.cluster, connector.name))
        return Observed.from_list(entry) if entry else None

    async def details(self, connector: ConnectorKey, *, fresh: bool = False) -> Observed:
        """`fresh`: absence is believed only if the cluster answers after it was claimed, not just before."""
        observed = await self.changed(connector, None, fresh=fresh)
        assert observed is not None
        return observed

    async def changed(self, connector: ConnectorKey, known: bytes | None, *, fresh: bool = False) -> Observed | None:
        """The same; None where the answer is the one with the digest `known`, to the byte."""
        asked_at = self._clock()
        try:
            shown = await self._client.poll_connector(*connector, known)
        except ConnectorOrClusterNotFound:
            await self.prove_alive(connector, fresh=fresh)
            self.sightings.missed(connector, self._clock())
            return Observed.absent()
        self.sightings.seen(connector, asked_at, self._clock())
        return None if shown.details is None else Observed.from_details(shown.details, shown.digest)

    async def prove_alive(self, connector: ConnectorKey, *, fresh: bool = False) -> None:
        """Returns if the cluster has answered in the last moments; raises LensesError if it does not."""
        key = (connector.environment, connector.cluster)
        if fresh or self._alive.get(key, float("-inf")) < self._clock() - ALIVE_FOR:
            await self._client.get_cluster_info(*key)
            now = self._clock()
            self._alive = {one: at for one, at in self._alive.items() if at >= now - ALIVE_FOR} | {key: now}

    async def version(self, connector: ConnectorKey) -> str | None:
        """Of the cluster's workers, as its info shows it; None where that does not answer."""
        try:
            return (await self._client.get_cluster_info(connector.environment, connector.cluster)).version
        except LensesError:
            return None

    async def topics(self, connector: ConnectorKey) -> tuple[str, ...]:
        return tuple(await self._client.get_topics(*connector))

    async def plugins(self, connector: ConnectorKey) -> list[Plugin]:
        """The cluster's plugins, for hints; up to 30 s old."""
        key = (connector.environment, connector.cluster)
        read_at, known = self._plugins.get(key, (float("-inf"), []))
        if read_at < self._clock() - PLUGINS_FOR:
            listed = await self._client.list_plugins(key[0], cluster=key[1])
            known = [plugin for plugin in listed if plugin.cluster == key[1]]
            now = self._clock()
            recent = {one: read for one, read in self._plugins.items() if read[0] >= now - PLUGINS_FOR}
            self._plugins = recent | {key: (now, known)}
        return known
