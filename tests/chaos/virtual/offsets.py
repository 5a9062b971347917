"""LensesConnectorOffsets in the storm: an API server that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from lenses_operator.kube.api import KubeError
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets, OffsetsStatus
from unit.controllers.virtualtime import now
from unit.model.kube import KEPT
from unit.offsets.make import FILE
from unit.offsets.rig import OffsetsKube


class Watcher(Protocol):
    def wrote_offsets(self, resource: LensesConnectorOffsets, status: OffsetsStatus) -> None: ...
    async def interrupted(self, *, after: bool) -> None: ...


class StormOffsets(OffsetsKube):
    """Names are unique over all namespaces."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self.faults: list[bool] = []
        """Queued failures; True: carried out all the same."""
        self.slowness: Callable[[], float] = lambda: 0.001
        self.past: list[tuple[float, LensesConnectorOffsets]] = []
        """What was deleted or edited, and when."""
        self._watcher = watcher

    def living(self) -> list[LensesConnectorOffsets]:
        return [LensesConnectorOffsets.parse(body) for body in self.objects.values()]

    def of(self, connector: ObjectKey) -> list[LensesConnectorOffsets]:
        namespace, name = connector.namespace, connector.name
        return [
            LensesConnectorOffsets.parse(body)
            for body in self.objects.values()
            if (body["metadata"]["namespace"], body["spec"]["connectorRef"]["name"]) == (namespace, name)
        ]

    def apply(self, name: str = "back", **spec: Any) -> None:
        if name in self.objects:
            self._remember(name)
        super().apply(name, **spec)

    def delete(self, name: str = "back") -> None:
        self._remember(name)
        super().delete(name)

    async def write_status(
        self, resource: LensesConnectorOffsets, status: OffsetsStatus
    ) -> LensesConnectorOffsets | None:
        await asyncio.sleep(self.slowness())
        await self._watcher.interrupted(after=False)
        fails = bool(self.faults)
        if fails and not self.faults.pop(0):
            raise KubeError("status", 503, "try again")
        self._watcher.wrote_offsets(resource, status)
        after = await super().write_status(resource, status)
        await self._watcher.interrupted(after=True)
        if fails:
            raise KubeError("status", 0, "connection lost")
        return after

    def _remember(self, name: str) -> None:
        self.past = [(at, one) for at, one in self.past if at > now() - 10 * KEPT]
        self.past.append((now(), LensesConnectorOffsets.parse(self.objects[name])))


def asks_for(position: int) -> list[dict[str, Any]]:
    return [{"partition": FILE, "offset": {"position": position}}]
