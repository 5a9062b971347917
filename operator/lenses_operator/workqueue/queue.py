"""A work queue of keys: each key at most once in it, never worked on twice at a time, and due not before its time.

Keys of one shard, such as an environment, never keep those of another from their turn, however long they take.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class QueueClosed(Exception):  # noqa: N818 - ends the workers, it is no error
    """Nothing more will come."""


@dataclass(frozen=True)
class QueueStats:
    """`oldest`: seconds that the key that has waited longest has been due; `longest`: of the longest pass running."""

    depth: int
    oldest: float
    running: int
    longest: float
    adds: int


class WorkQueue(Generic[Key]):
    """Level-triggered: a key added while it is worked on is worked on once more afterwards.

    `clock` gives seconds; it must be the running loop's own time where delays are to pass by themselves. `shard` is
    asked whenever a key falls due.
    """

    def __init__(
        self, clock: Callable[[], float] | None = None, *, shard: Callable[[Key], Hashable] = lambda _: None
    ) -> None:
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._shard = shard
        self._shards: dict[Hashable, dict[Key, None]] = {}  # those with keys that are due, the next one to serve first
        self._shard_of: dict[Key, Hashable] = {}  # of keys due or worked on
        self._busy: Counter[Hashable] = Counter()
        self._ready: dict[Key, float] = {}  # since when, in the order of arrival
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._order = itertools.count()
        self._working: dict[Key, float] = {}  # since when
        self._again: set[Key] = set()
        self._wake = asyncio.Event()
        self._closed = False
        self._adds = 0
        self._current: ContextVar[Key | None] = ContextVar("current", default=None)
        self._still_since: float | None = None

    def __len__(self) -> int:
        """Keys that are due now and wait for a worker."""
        return len(self._ready)

    def stats(self) -> QueueStats:
        """For metrics."""
        self._promote()  # with every worker busy nothing else does
        now = self._clock()
        return QueueStats(
            depth=len(self._ready),
            oldest=now - min(self._ready.values(), default=now),
            running=len(self._working),
            longest=now - min(self._working.values(), default=now),
            adds=self._adds,
        )

    @property
    def running(self) -> list[Key]:
        """The keys that are worked on, the one for the longest time first."""
        return list(self._working)

    def add(self, key: Key) -> None:
        """Due now; an earlier appointment is forgotten, since the pass makes a new one."""
        if self._closed:
            return
        self._due.pop(key, None)
        if key in self._working:
            self._again.add(key)
        else:
            self._make_ready(key)
        self._wake.set()

    def add_after(self, key: Key, delay: float) -> None:
        """Due in `delay` seconds. The earlier of two appointments holds."""
        if self._closed or key in self._ready or key in self._again:
            return
        due = self._clock() + delay
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            heapq.heappush(self._heap, (due, next(self._order), key))
            self._wake.set()

    def forget(self, key: Key) -> None:
        """No appointment any more."""
        self._due.pop(key, None)
        if self._ready.pop(key, None) is not None:
            self._leave_shard(key)
        self._again.discard(key)

    def close(self) -> None:
        """Workers end when their present pass does; what waits is dropped."""
        self._closed = True
        self._wake.set()

    def progressed(self) -> None:
        """A request of a pass has ended: passes may take long where each request does."""
        self._still_since = None

    @contextlib.contextmanager
    def parked(self) -> Iterator[None]:
        """While the pass that this is called from waits for others, it takes none of its shard's places."""
        key = self._current.get()
        shard = self._shard_of.get(key) if key is not None and key in self._working else None
        if key is None or key not in self._working:
            yield
            return
        self._busy[shard] -= 1
        self._wake.set()
        try:
            yield
        finally:
            self._busy[shard] += 1

    def begun(self, key: Key) -> None:
        """In the task of its pass."""
        self._current.set(key)

    def stuck_for(self) -> float:
        """Seconds in which no pass has begun or ended, and no request of one has, though a key is due."""
        self._promote()
        if self._closed or not self._ready:
            self._still_since = None
            return 0.0
        if self._still_since is None:
            self._still_since = self._clock()
        return self._clock() - self._still_since

    async def get(self, width: float = inf) -> Key:
        """The next key that is due, shards by turns; the caller must call `done`. Raises QueueClosed.

        `width`: of how many keys of one shard may be worked on at a time.
        """
        while True:
            if self._closed:
                raise QueueClosed
            self._promote()
            shard = next((shard for shard in self._shards if self._busy[shard] < width), self)
            if shard is not self:
                return self._take(shard)
            self._wake.clear()
            wait = self._heap[0][0] - self._clock() if self._heap else None
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def done(self, key: Key) -> None:
        """The pass over the key has ended; if it was added meanwhile it is due again."""
        self._working.pop(key, None)
        self._still_since = None
        shard = self._shard_of.pop(key)
        self._busy[shard] -= 1
        if not self._busy[shard]:
            del self._busy[shard]
        if key in self._again:
            self._again.discard(key)
            self._due.pop(key, None)
            self._make_ready(key)
        if self._ready:
            self._wake.set()

    def _make_ready(self, key: Key, since: float | None = None) -> None:
        if key not in self._ready:
            self._ready[key] = self._clock() if since is None else since
            self._adds += 1
            shard = self._shard_of[key] = self._shard(key)
            self._shards.setdefault(shard, {})[key] = None

    def _take(self, shard: Hashable) -> Key:
        """The shard's first key; the shard has its next turn after all others."""
        key = next(iter(self._shards[shard]))
        del self._ready[key]
        self._leave_shard(key)
        if shard in self._shards:
            self._shards[shard] = self._shards.pop(shard)
        self._shard_of[key] = shard
        self._busy[shard] += 1
        self._working[key] = self._clock()
        self._still_since = None
        return key

    def _leave_shard(self, key: Key) -> None:
        shard = self._shard_of.pop(key)
        keys = self._shards[shard]
        del keys[key]
        if not keys:
            del self._shards[shard]

    def _promote(self) -> None:
        now = self._clock()
        while self._heap and self._heap[0][0] <= now:
            due, _, key = heapq.heappop(self._heap)
            if self._due.get(key) != due:
                continue  # superseded
            del self._due[key]
            if key in self._working:
                self._again.add(key)
            else:
                self._make_ready(key, due)


async def run_workers(queue: WorkQueue[Key], count: int, work: Callable[[Key], Awaitable[None]]) -> None:
    """Up to `count` keys of each shard at a time until the queue is closed; returns when all passes have ended.

    `work` must not raise. In one turn of the event loop no more than one pass is begun: up to its first request each
    takes a millisecond or two, and what else came in would wait for all of them.
    """

    async def worked(key: Key) -> None:
        queue.begun(key)
        try:
            await work(key)
        finally:
            queue.done(key)

    async with asyncio.TaskGroup() as group:
        while True:
            try:
                key = await queue.get(count)
            except QueueClosed:
                return
            group.create_task(worked(key))
            await asyncio.sleep(0)
