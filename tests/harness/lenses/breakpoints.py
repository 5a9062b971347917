"""Breakpoints: hold a request before it is processed, or before its answer leaves, while a test kills the client."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field

from harness.lenses.operations import CHANGING
from harness.lenses.record import Request


@dataclass(slots=True)
class Breakpoint:
    id: int
    environment: str | None
    operation: list[str] | None
    connector: str | None
    nth: int
    when: str
    skip_reads: bool
    seen: int = 0
    request: Request | None = None
    action: str = "process"
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def wants(self, request: Request) -> bool:
        """Count a matching request; true for the nth."""
        if self.request is not None or self.released.is_set():
            return False
        if self.environment is not None and request.environment != self.environment:
            return False
        if self.operation is not None and request.operation not in self.operation:
            return False
        if self.connector is not None and request.connector != self.connector:
            return False
        if self.skip_reads and request.operation not in CHANGING:
            return False
        self.seen += 1
        return self.seen == self.nth


class Breakpoints:
    """All breakpoints that are set."""

    def __init__(self) -> None:
        self._all: dict[int, Breakpoint] = {}
        self._ids = itertools.count(1)

    def add(
        self,
        environment: str | None,
        operation: list[str] | None,
        connector: str | None,
        nth: int,
        when: str,
        skip_reads: bool,
    ) -> int:
        if when not in ("before", "after") or nth < 1:
            raise ValueError("when is before or after, nth at least 1")
        made = Breakpoint(next(self._ids), environment, operation, connector, nth, when, skip_reads)
        self._all[made.id] = made
        return made.id

    def catch(self, request: Request) -> list[Breakpoint]:
        """The breakpoints that hold this request; asked once per request."""
        caught = [point for point in self._all.values() if point.wants(request)]
        for point in caught:
            point.request = request
        return caught

    async def hold(self, caught: list[Breakpoint], when: str) -> bool:
        """Wait for release; false when the request is to be dropped."""
        go_on = True
        for point in caught:
            if point.when == when:
                point.reached.set()
                await point.released.wait()
                go_on = go_on and point.action == "process"
        return go_on

    def get(self, number: int) -> Breakpoint:
        if number not in self._all:
            raise ValueError(f"no breakpoint {number}")
        return self._all[number]

    def release(self, number: int, action: str) -> None:
        if action not in ("process", "drop"):
            raise ValueError("action is process or drop")
        point = self.get(number)
        point.action = action
        point.released.set()
        del self._all[number]

    def clear(self, environment: str | None = None) -> None:
        """Let go of everything held there; what is held is dropped."""
        for number, point in list(self._all.items()):
            if environment is None or point.environment == environment:
                self.release(number, "drop")
