"""One operator at work on one stage, and what it costs from one moment to another."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bench.figures import Spent
from bench.holds import Turns
from bench.objects import Objects, Seen
from bench.stage import Stage
from bench.subjects import Subject
from bench.usage import Usage


@dataclass
class Bench:
    """One operator, one number of connectors."""

    stage: Stage
    subject: Subject
    objects: Objects
    seen: Seen
    names: list[str]
    changes: int
    _numbers: list[int] = field(default_factory=lambda: [0])

    def usage(self) -> Usage:
        return Usage.of(self.subject.pid)

    def lenses(self) -> int:
        """Requests to Lenses so far."""
        return sum(self.stage.control.counts().values())

    async def turns(self) -> Turns:
        """Of the operator's event loop. Being asked is work for it, as by Prometheus: one answer is in each count."""
        return await asyncio.to_thread(self.subject.turns)

    async def spending(self) -> Callable[[], Awaitable[Spent]]:
        """From now until it is called. It may go over a restart, whose process begins at nothing."""
        turns, pid = await self.turns(), self.subject.pid
        self.stage.audit.take()
        parts, lenses, before = self.stage.cpu(), Counter(self.stage.control.counts()), self.usage()
        begun = time.monotonic()

        async def spent() -> Spent:
            seconds = time.monotonic() - begun
            now, kube = self.usage(), self.stage.audit.take()
            same = self.subject.pid == pid
            return Spent(
                seconds=seconds,
                cpu=now.cpu - before.cpu if same else now.cpu,
                parts={name: cpu - parts.get(name, 0.0) for name, cpu in self.stage.cpu().items()},
                lenses=Counter(self.stage.control.counts()) - lenses,
                kube=kube.total,
                writes=kube.writes,
                rss=now.rss,
                peak=now.peak,
                growth=now.rss - before.rss if same else 0.0,
                holds=(await self.turns()).since(turns),
            )

        return spent

    def some(self, count: int) -> list[str]:
        """Names spread over all of them, others at each call."""
        step = max(1, len(self.names) // count)
        first = self._numbers[0] = (self._numbers[0] + 1) % step
        return self.names[first::step][:count]

    def number(self) -> int:
        self._numbers.append(0)
        return len(self._numbers)
