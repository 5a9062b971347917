"""Both controllers, Lenses with offsets and both kinds in memory, on an event loop whose clock jumps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from doubles.kube import OffsetsKube
from harness.lenses.memory_offsets import ALTERED as SUCCESSFULLY
from lenses_operator.lenses import errors
from unit.controllers.fakes import FakeKube, FakeLenses, Operator, at_work
from unit.controllers.virtualtime import now

ALTERED, RESET = SUCCESSFULLY.format("altered"), SUCCESSFULLY.format("reset")
UNREACHABLE = errors.LensesUnreachable("alter_offsets", "timed out", reason="timeout")
BUSY = errors.Conflict("alter_offsets", detail="a rebalance is under way")
NO = errors.BadRequest("alter_offsets", detail="no such key: kafka_topic")
ABSENT = errors.ConnectorOrClusterNotFound("alter_offsets", detail="HTTP 404 Not Found")
OLD = errors.UnexpectedStatus("alter_offsets", status=405, detail="HTTP 405 Method Not Allowed")
LACKING = errors.MissingAgentCapability("alter_offsets", detail="the agent is too old")
ORDER = ["stop", "get_offsets", "alter_offsets", "get_offsets", "resume"]
"""What Lenses is asked for, where all goes well."""


class OffsetsLenses(FakeLenses):
    """Nobody asks it for what Connect would refuse."""

    def _alter_offsets(self, name: str, text: str) -> str:
        self._expect_stopped(name)
        return super()._alter_offsets(name, text)

    def _reset_offsets(self, name: str) -> str:
        self._expect_stopped(name)
        return super()._reset_offsets(name)

    def _expect_stopped(self, name: str) -> None:
        found = self.cluster.need(name)
        assert (found.state, found.tasks) == ("STOPPED", []), "asked of a connector that has not stopped"


class OffsetsOperator(Operator):
    """The core with both controllers, as `app` puts it together."""

    lenses: OffsetsLenses

    def __init__(
        self, lenses: OffsetsLenses, kube: FakeKube, offsets: OffsetsKube, *, poll: float, drift: float
    ) -> None:
        super().__init__(lenses, kube, poll=poll, drift=drift, offsets=offsets)
        kube.on_gone = self._gone

    def _gone(self, last: dict[str, Any]) -> None:
        asyncio.get_running_loop().call_later(0.001, self.feed.gone, last)

    def how(self, name: str = "back") -> tuple[str | None, str, str]:
        """Phase, and Ready's status and reason."""
        status = self.offsets.status(name)
        assert status.ready is not None
        return status.phase, status.ready.status, status.ready.reason

    def words(self, name: str = "back") -> str:
        ready = self.offsets.status(name).ready
        assert ready is not None
        return ready.message

    async def until(self, holds: Callable[[], object], bound: float = 600.0) -> float:
        """The seconds it took."""
        began = now()
        while not holds():
            assert now() < began + bound, (self.offsets.objects, self.lenses.calls[-20:])
            await asyncio.sleep(0.005)
        return now() - began

    async def until_reason(self, reason: str, name: str = "back", bound: float = 600.0) -> float:
        def holds() -> bool:
            found = self.offsets.status(name)
            current = self.offsets.objects[name]["metadata"]["generation"]
            return found.ready is not None and (found.ready.reason, found.observed_generation) == (reason, current)

        return await self.until(holds, bound)

    async def operates(self, reason: str, name: str = "back", /, **spec: Any) -> float:
        """A user applies an operation, and it comes to this reason: the seconds it took."""
        self.offsets.apply(name, **spec)
        return await self.until_reason(reason, name)

    async def observes(self, **spec: Any) -> None:
        await self.operates("Observed", action="Observe", **spec)

    async def holds(self, error: errors.LensesError = BUSY, **spec: Any) -> None:
        """Its connector, of this spec, is stopped for an operation, whose request is answered so again and again."""
        await self.runs(**spec)
        self.lenses.always("alter_offsets", error)
        await self.operates("Applying")

    async def goes_through(self) -> None:
        """The request is carried out from now on."""
        self.lenses.always("alter_offsets", None)
        await self.until_reason("Applied")

    def positions(self) -> list[int]:
        """Of the first partition, by every Alter that was carried out."""
        return [json.loads(text)[0]["offset"]["position"] for text in self.lenses.sent]

    async def until_state(self, state: str, bound: float = 600.0) -> float:
        return await self.until(lambda: self.connector is not None and self.connector.state == state, bound)


def offsets_operator(
    lenses: OffsetsLenses | None = None,
    kube: FakeKube | None = None,
    offsets: OffsetsKube | None = None,
    *,
    poll: float = 15.0,
    drift: float = 300.0,
) -> AbstractAsyncContextManager[OffsetsOperator]:
    """Given the former Lenses and objects it is the operator after a kill."""
    lenses = lenses or OffsetsLenses()
    kube, offsets = kube or FakeKube(lenses.calls), offsets or OffsetsKube()
    return at_work(OffsetsOperator(lenses, kube, offsets, poll=poll, drift=drift))


async def settled(op: OffsetsOperator) -> None:
    """Whatever would still happen by itself has happened."""
    await asyncio.sleep(120)
