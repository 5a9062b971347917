"""Hundreds of connectors and their operations in one world, whose wall clocks are set as they please."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from datetime import datetime, timedelta
from random import Random
from typing import cast
from zlib import crc32

from doubles.incarnation import Habits
from doubles.lifelike import Lenses
from doubles.lifelike_kube import Offsets
from invariants.operations import OffsetsContract
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets
from unit.controllers.virtualtime import START, VirtualTimeLoop, now
from unit.model.world import Process, World
from unit.resources.make import NOW

DRIFT = 300.0
SLOWEST = 2.0
"""Seconds that a request takes at most, unless it hangs."""
DESTROYING = {"delete_connector", "reset_offsets", "alter_offsets", "create_connector", "put_resource"}
TOLD = 100_000
"""Lines that are kept."""


class Log(deque[tuple[float, str]]):
    """The last lines, and a digest of all."""

    def __init__(self) -> None:
        super().__init__(maxlen=TOLD)
        self._digest = hashlib.sha256()
        self.lines = 0

    def append(self, line: tuple[float, str]) -> None:
        super().append(line)
        self.lines += 1
        self._digest.update(f"{line[0]:.6f} {line[1]}\n".encode())

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def tail(self, lines: int) -> str:
        return "\n".join(f"{at:.3f} {what}" for at, what in list(self)[-lines:])


class Clock:
    """The wall's time: goes with the virtual one, and is set forward and backward."""

    def __init__(self) -> None:
        self._set: list[tuple[float, timedelta]] = [(float("-inf"), timedelta())]

    def now(self) -> datetime:
        return (NOW + timedelta(seconds=now() - START) + self._set[-1][1]).replace(microsecond=0)

    def jump(self, seconds: float) -> None:
        self._set.append((now(), self._set[-1][1] + timedelta(seconds=seconds)))

    def showed(self, at: datetime, within: float) -> bool:
        """Whether that was the time some moment in the last seconds."""
        since = now() - within
        settings = [by for (_, by), (until, _) in zip(self._set, self._set[1:], strict=False) if until >= since]
        plain = NOW + timedelta(seconds=now() - START)
        return any(plain + by - timedelta(seconds=within) <= at <= plain + by for by in (*settings, self._set[-1][1]))


class StormProcess(Process):
    """Both controllers."""

    world: StormWorld

    def wall(self) -> datetime:
        return self.world.clock.now()

    def connect(self) -> None:
        self.offsets_feed.listed(list(self.world.offsets.objects.values()))
        super().connect()

    def _emit_offsets(
        self, resource: LensesConnectorOffsets, reason: str, message: str, *, warning: bool = False
    ) -> None:
        self.world.log.append((now(), f"event {resource.key} {reason}{' !' if warning else ''}"))
        self.world.disclosed(message, f"Event {reason} of {resource.key}")


class StormWorld(OffsetsContract, World):
    offsets: Offsets
    log: Log  # type: ignore[assignment]

    def __init__(
        self, habits: dict[str, Habits], random: Random, *, watch: bool, latency: float, offered: bool
    ) -> None:
        super().__init__(habits, watch=watch)
        self.log = Log()
        self.random = random
        self._salt = random.random()
        self.drift, self.workers = DRIFT, 64
        self.clock = Clock()
        self.api_clock = 0
        self.lenses = Lenses(habits, self, offered=offered)
        self.lenses.survives = self._survives
        self.offsets = Offsets(self)
        self.kube.latency = self.offsets.latency = latency
        self.kube.born = lambda: self.kube._uid + self.api_clock
        self.believed += 4 * SLOWEST
        self.deeds, self.held_once = {}, set()
        self.suspended = 0.0
        self._sleep = float("-inf"), 0.0
        """When the last one ended, and how long it was."""
        self.made = 0
        """Operations so far, and the positions they ask for: each one of its own."""
        self._slowest_write = 0.001

    def begin(self) -> StormProcess:
        return StormProcess(self)

    def _survives(self, request: str) -> float | None:
        """Not drawn: tasks are cancelled in no certain order, and the story must not depend on it."""
        number = crc32(f"{self._salt} {request} {now():.6f}".encode())
        return 3e-10 * number if number % 2 else None

    def just_now(self, at: datetime) -> bool:
        """Before the machine slept is just now when it wakes."""
        woke, slept = self._sleep
        within = self.window + 2.0
        return self.clock.showed(at, within + (slept if now() <= woke + within else 0.0))

    def asked(self, operation: str, name: str, what: str, config: dict[str, str] | None) -> None:
        """What destroys must be right by what has just been told; the rest may come from a pass that was slow."""
        brief = 0.1 + 2 * self.kube.latency + 2 * self._slowest_write
        self.window = brief if operation in DESTROYING else brief + 4 * SLOWEST
        super().asked(operation, name, what, config)

    def skew(self, seconds: int) -> None:
        """The API server's clock, which creation times are of."""
        self.api_clock += seconds

    def suspend(self, seconds: float) -> None:
        """The machine sleeps: when it wakes everything is due at once."""
        self.suspended += seconds
        self._sleep = now() + seconds, seconds
        for name, account in self.accounts.items():  # nobody has noticed anything meanwhile
            account.troubled = max(account.troubled, self.lenses.denied_until.get(name, account.troubled)) + seconds
        for found in self.lenses.connectors.values():
            found.born += seconds
            found.state_since += seconds
        self.lenses.hostile.sleep(seconds)
        cast("VirtualTimeLoop", asyncio.get_running_loop())._virtual.now += seconds

    def slow(self, requests: float, writes: float) -> None:
        """How long they take at most."""
        self.lenses.latency = lambda: self.random.uniform(0.0005, requests)
        self.kube.slowness = self.offsets.slowness = lambda: self.random.uniform(0.0005, writes)
        self._slowest_write = writes

    def heal(self) -> None:
        super().heal()
        self.offsets.faults.clear()
        self.slow(0.001, 0.001)

    def unsettled(self) -> list[str]:
        return [*super().unsettled(), *self.operations_unsettled()]
