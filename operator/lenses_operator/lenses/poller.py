"""One list per environment and token serves all its connectors; what differs from the last list is reported."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lenses_operator.lenses.client import LensesClient, Listing
from lenses_operator.lenses.errors import (
    AgentNotConnected,
    LensesError,
    LensesUnreachable,
    RateLimited,
    ServerError,
    UnusableAnswer,
)
from lenses_operator.lenses.models import ConnectorListItem

log = logging.getLogger(__name__)
ConnectorName = tuple[str, str]
"""(cluster, connector)."""

# What may be over in a moment; everything else is the API's considered answer and believed at once.
PASSING = (LensesUnreachable, UnusableAnswer, ServerError, AgentNotConnected, RateLimited)


@dataclass(frozen=True)
class View:
    """The last list, and the error that makes it old. `asked_at`: loop time before the list was asked for."""

    asked_at: float
    entries: Mapping[ConnectorName, ConnectorListItem] = field(default_factory=dict)
    error: LensesError | None = None


OnChange = Callable[[frozenset[ConnectorName] | None], None]
"""Called after every good list with the connectors that changed; with None where the view as a whole did (first list,
lost, back again)."""


class EnvironmentPoller:
    """Asks every `interval` seconds; after a passing failure once more soon, and only then the environment is lost."""

    def __init__(
        self,
        client: LensesClient,
        environment: str,
        interval: float,
        on_change: OnChange,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._client = client
        self._environment = environment
        self._interval = interval
        self._on_change = on_change
        self._uniform = uniform
        self._doubt = False
        self._soon = asyncio.Event()
        self._reading = asyncio.Lock()
        self._listing: Listing | None = None
        self.view: View | None = None
        """None until the first list ended well or badly."""
        self.read_at: float | None = None
        """Loop time when the last good list ended."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.poll()
            pause = min(self._interval, 2.0) if self._doubt else self._interval
            self._soon.clear()
            try:
                async with asyncio.timeout(pause * self._uniform(0.9, 1.0)):
                    await self._soon.wait()
            except TimeoutError:
                continue

    def hurry(self) -> None:
        """List again now."""
        self._soon.set()

    async def poll(self) -> None:
        async with self._reading:
            asked_at = asyncio.get_running_loop().time()
            try:
                found = await self._client.poll_connectors(self._environment, self._listing)
            except LensesError as error:
                self._failed(asked_at, error)
            else:
                self._read(View(asked_at, self._entries(found)))

    def _entries(self, found: Listing) -> Mapping[ConnectorName, ConnectorListItem]:
        """Those of the last view where the list is still the same."""
        if self.view is not None and found is self._listing:
            return self.view.entries
        self._listing = found
        return {(item.cluster, item.name): item for item in found.connectors}

    def _failed(self, asked_at: float, error: LensesError) -> None:
        before = self.view
        if isinstance(error, PASSING) and not self._doubt and (before is None or before.error is None):
            self._doubt = True
            if before is not None:
                return
        else:
            self._doubt = False
        entries = before.entries if before else {}
        self.view = View(asked_at, entries, error)
        known = before.error if before else None
        if known is None or (type(known), known.gist) != (type(error), error.gist):  # each try has a request id
            log.warning("environment lost: %s", error, extra={"environment": self._environment})
            self._on_change(None)

    def _read(self, view: View) -> None:
        self._doubt = False
        self.read_at = asyncio.get_running_loop().time()
        before, self.view = self.view, view
        if before is not None and before.error is not None:
            log.info("environment back", extra={"environment": self._environment})
        if before is None or before.error is not None:
            self._on_change(None)
            return
        self._on_change(_difference(before.entries, view.entries))


def _difference(
    before: Mapping[ConnectorName, ConnectorListItem], now: Mapping[ConnectorName, ConnectorListItem]
) -> frozenset[ConnectorName]:
    if before is now:
        return frozenset()
    return frozenset(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
