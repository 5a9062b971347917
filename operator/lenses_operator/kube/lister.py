"""Our own complete list: before anything else, and again and again, since a watch may lose an end without a word."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lenses_operator.kube.api import KubeApi, KubeError
from lenses_operator.kube.writer import Writer
from lenses_operator.resources.connector import PLURAL, LensesConnector

logger = logging.getLogger(__name__)
RELIST = 120.0
RETRY = 2.0


class Sink(Protocol):
    """Who wants to know of the lists."""

    def listed(self, bodies: Sequence[Mapping[str, Any]]) -> list[LensesConnector]:
        """Takes a complete list; returns what it held that is not in it."""
        ...

    def lost(self, resource: LensesConnector) -> None:
        """The object is proven to be no more."""
        ...

    def left(self, resource: LensesConnector) -> None:
        """The object is there, but no longer among those this operator looks after."""
        ...


class Lister:
    def __init__(self, api: KubeApi, writer: Writer, sink: Sink, namespaces: Sequence[str], selector: str) -> None:
        self._api = api
        self._writer = writer
        self._sink = sink
        self._namespaces = namespaces
        self._selector = selector
        self._unlisted: set[str] = set()
        self.listed = asyncio.Event()
        """Set once everything has been listed completely."""

    async def run(self) -> None:
        """Until cancelled; failures are tried again."""
        while True:
            try:
                await self._list()
            except KubeError as error:
                logger.warning("%s", error)
                await asyncio.sleep(RETRY)
            else:
                self.listed.set()
                await asyncio.sleep(RELIST)

    async def _list(self) -> None:
        bodies = await self._api.list_all(PLURAL, self._namespaces, self._selector)
        unlisted = set()
        for resource in self._sink.listed(bodies):
            # Absence from a list is no proof: the object may be younger than the list, or have lost its label.
            if await self._writer.current(resource) is None:
                self._sink.lost(resource)
            elif resource.metadata.uid in self._unlisted:
                self._sink.left(resource)
            else:
                unlisted.add(resource.metadata.uid)
        self._unlisted = unlisted
