"""Our own complete list: before anything else, and again and again, since a watch may lose an end without a word."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence, Set
from contextlib import aclosing
from typing import Any, Generic, Protocol, TypeVar

from lenses_operator.kube.api import KubeApi, KubeError
from lenses_operator.kube.list_versions import ListVersions, Place
from lenses_operator.kube.writer import Writer
from lenses_operator.resources.base import Resource
from lenses_operator.resources.connector import PLURAL as CONNECTORS
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import PLURAL as OFFSETS
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets
from lenses_operator.turns import ahead, slices

logger = logging.getLogger(__name__)
R = TypeVar("R", bound=Resource)
RELIST = 120.0
RETRY = 2.0
SLICE = 50
"""Objects of a page that are taken between two turns of the event loop."""


class Sink(Protocol[R]):
    """Who wants to know of the lists of one kind."""

    def listed(self, bodies: Sequence[Mapping[str, Any]]) -> None:
        """Takes some of a list."""
        ...

    def unlisted(self, uids: Set[str]) -> list[R]:
        """What it holds that is not in a complete list."""
        ...

    def lost(self, resource: R) -> None:
        """The object is proven to be no more."""
        ...

    def left(self, resource: R) -> None:
        """The object is there, but no longer among those this operator looks after."""
        ...


class _Kind(Generic[R]):
    """One kind's lists."""

    def __init__(self, plural: str, sink: Sink[R]) -> None:
        self._plural = plural
        self._sink = sink
        self._unlisted: set[str] = set()

    async def list(self, api: KubeApi, writer: Writer, namespaces: Sequence[str], selector: str) -> Mapping[Place, str]:
        """Page by page: thousands of bodies at a time would be most of the memory that the operator ever needs.

        The versions of what was listed, from the first page of each list on.
        """
        versions: dict[Place, str] = {}
        listed: set[str] = set()
        unlisted = set()
        async with aclosing(ahead(api.pages(self._plural, namespaces, selector))) as pages:
            async for page in pages:
                versions.setdefault(page.place, page.version)
                async for some in slices(page.bodies, SLICE):
                    self._sink.listed(some)
                listed.update(body["metadata"]["uid"] for body in page.bodies)
        for resource in self._sink.unlisted(listed):
            # Absence from a list is no proof: the object may be younger than the list, or have lost its label.
            if await writer.current(resource) is None:
                self._sink.lost(resource)
            elif resource.metadata.uid in self._unlisted:
                self._sink.left(resource)
            else:
                unlisted.add(resource.metadata.uid)
        self._unlisted = unlisted
        return versions


class Lister:
    """Both kinds, one after the other; `listed` is set once both have been listed completely."""

    def __init__(
        self,
        api: KubeApi,
        writer: Writer,
        connectors: Sink[LensesConnector],
        offsets: Sink[LensesConnectorOffsets],
        namespaces: Sequence[str],
        selector: str,
    ) -> None:
        self._api = api
        self._writer = writer
        self._namespaces = namespaces
        self._selector = selector
        self._kinds = (_Kind(OFFSETS, offsets), _Kind(CONNECTORS, connectors))
        self._listing = asyncio.Lock()
        self._began = asyncio.get_running_loop().time()
        self.listed = asyncio.Event()
        self.versions = ListVersions()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.refresh()
            self.listed.set()
            await asyncio.sleep(RELIST)

    @property
    def age(self) -> float:
        """Seconds since a list was last begun."""
        return asyncio.get_running_loop().time() - self._began

    async def refresh(self) -> None:
        """One complete list of both kinds, begun after the call; failures are tried again."""
        while True:
            self._began = asyncio.get_running_loop().time()
            versions: dict[Place, str] = {}
            try:
                async with self._listing:
                    for kind in self._kinds:
                        versions |= await kind.list(self._api, self._writer, self._namespaces, self._selector)
            except KubeError as error:
                if not error.not_found:  # a kind that is not served is logged once, by its watch
                    logger.warning("%s", error)
                await asyncio.sleep(RETRY)
            else:
                self.versions.listed(versions)
                return
