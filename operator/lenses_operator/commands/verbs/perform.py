"""Writes what a verb says to each resource, side by side, and waits for what becomes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import click

from lenses_operator.commands.interrupts import Unfinished, awaited, interruptible
from lenses_operator.commands.kubernetes import INTERRUPTED, explained
from lenses_operator.commands.output import complain
from lenses_operator.commands.readiness import age, readiness
from lenses_operator.commands.verbs.managed import manager_of
from lenses_operator.commands.verbs.verb import Annotate, Asked, Outcome, SetField, Verb, words
from lenses_operator.commands.waiting import waiting_line
from lenses_operator.kube.access import Access
from lenses_operator.kube.errors import KubeError
from lenses_operator.kube.session import Session, session
from lenses_operator.resources.connector import PLURAL, LensesConnector

AT_A_TIME = 8
"""Writes under way."""


@dataclass(frozen=True)
class Which:
    """The connectors that are meant. `named`: they were given by name."""

    names: tuple[str, ...] = ()
    selector: str = ""

    @property
    def named(self) -> bool:
        return bool(self.names)


@dataclass(frozen=True)
class How:
    """`timeout` in seconds; None: it is not waited for."""

    force: bool = False
    timeout: float | None = None


@dataclass
class Work:
    """One connector. `asked` is there once it was written, `outcome` once it is known."""

    name: str
    resource: LensesConnector | None = None
    asked: Asked | None = None
    outcome: Outcome | None = None
    handled_at: float | None = field(default=None, repr=False)


async def perform(access: Access, verb: Verb, which: Which, how: How) -> int:
    """The exit code. Raises KubeError where the connectors cannot be read."""
    async with session(access) as cluster, interruptible() as stop:
        bodies, missing = await _targets(cluster, which)
        for name in missing:
            complain(f"there is no LensesConnector {name} in namespace {cluster.home}")
        if not bodies and not missing:
            complain(f"there is no such LensesConnector in namespace {cluster.home}")
        doing = Doing(cluster, verb, which, how, stop)
        works = [Work(body["metadata"]["name"]) for body in bodies]
        await asyncio.gather(*(doing.ask(work, body) for work, body in zip(works, bodies, strict=True)))
        if how.timeout is not None and not stop.is_set():
            await doing.wait([work for work in works if work.asked and work.outcome is None], how.timeout)
        if stop.is_set():
            _tell_interrupted(works)
            return INTERRUPTED
        return 1 if missing or not works or any(work.outcome and not work.outcome.well for work in works) else 0


async def _targets(cluster: Session, which: Which) -> tuple[list[dict[str, Any]], list[str]]:
    """And the names of which there is none."""
    if not which.named:
        found = await cluster.list(PLURAL, cluster.home, which.selector)
        return sorted(found, key=lambda body: str(body["metadata"]["name"])), []
    names = list(dict.fromkeys(which.names))
    bodies = dict(
        zip(names, await asyncio.gather(*(cluster.get(PLURAL, cluster.home, one) for one in names)), strict=True)
    )
    return [body for body in bodies.values() if body], [name for name, body in bodies.items() if not body]


class Doing:
    """One run of a verb; prints each outcome as it comes."""

    def __init__(self, cluster: Session, verb: Verb, which: Which, how: How, stop: asyncio.Event) -> None:
        self._cluster, self._verb, self._which, self._how, self._stop = cluster, verb, which, how, stop
        self._places = asyncio.Semaphore(AT_A_TIME)
        self._began = datetime.now(UTC)
        self._line: Callable[[str], None] = lambda _: None

    async def ask(self, work: Work, body: dict[str, Any]) -> None:
        """One write, which Ctrl-C lets come to its end; none is begun after it."""
        work.resource = resource = LensesConnector.read(body)
        verb = self._verb
        if resource.metadata.deleting:
            self._end(work, Outcome(False, "it is being deleted"))
        elif isinstance(verb, Annotate) and (why := verb.superfluous(resource)):
            self._end(work, Outcome(not self._which.named, why))
        elif isinstance(verb, SetField) and verb.is_set(resource):
            work.asked = Asked("", resource.metadata.generation)
            self._said(work, f"{verb.path} is {str(verb.wanted).lower()} already")
        elif isinstance(verb, SetField) and not self._how.force and (why := self._kept_elsewhere(body, verb)):
            self._end(work, Outcome(False, why))
        else:
            async with self._places:
                if not self._stop.is_set():
                    await self._write(work, body)

    @staticmethod
    def _kept_elsewhere(body: dict[str, Any], verb: SetField) -> str | None:
        manager = manager_of(body, ("spec", verb.field))
        return manager.warning(verb.path) if manager else None

    async def _write(self, work: Work, body: dict[str, Any]) -> None:
        """The uid keeps it from a new object of the same name."""
        metadata, value = body["metadata"], datetime.now(UTC).isoformat(timespec="microseconds")
        patch = dict(self._verb.patch(value))
        patch["metadata"] = {**patch.get("metadata", {}), "uid": metadata["uid"]}
        try:
            after = await self._cluster.merge(PLURAL, metadata["namespace"], metadata["name"], patch)
        except KubeError as error:
            self._end(work, Outcome(False, explained(error)))
            return
        work.resource = LensesConnector.read(after)
        work.asked = Asked(value, work.resource.metadata.generation)
        self._said(work, self._verb.said)

    def _said(self, work: Work, what: str) -> None:
        """With --wait the line comes with the outcome."""
        if self._how.timeout is None:
            click.echo(f"{work.name}: {what}")

    async def wait(self, works: Sequence[Work], timeout: float) -> None:
        """Until each has its outcome, the time is over, or Ctrl-C."""
        if not works:
            return
        try:
            await awaited(self._watch(works), self._stop, timeout)
        except Unfinished as unfinished:
            if unfinished.interrupted:
                return
            for work in _open(works):
                assert work.resource is not None
                self._end(work, Outcome(False, f"not done after {timeout:g}s: {words(work.resource)}"))

    async def _watch(self, works: Sequence[Work]) -> None:
        by_uid = {work.resource.metadata.uid: work for work in works if work.resource is not None}
        only = works[0].name if len(works) == 1 else None
        looking = asyncio.ensure_future(self._follow(by_uid, only))
        with waiting_line() as self._line:
            try:
                while _open(works) and not looking.done():
                    for work in _open(works):
                        self._judge(work)
                    self._line(_waits(works, age(self._began, datetime.now(UTC))))
                    await asyncio.wait({looking}, timeout=0.2)
                if looking.done():
                    looking.result()
            finally:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)

    async def _follow(self, by_uid: dict[str, Work], only: str | None) -> None:
        async for changes in self._cluster.follow(PLURAL, self._cluster.home, self._which.selector, only):
            for change in changes:
                work = by_uid.get(change.body["metadata"]["uid"])
                if work is None or work.outcome is not None:
                    continue
                if change.kind == "DELETED":
                    self._end(work, Outcome(False, "it has been deleted"))
                    continue
                work.resource = LensesConnector.read(change.body)
                self._judge(work)

    def _judge(self, work: Work) -> None:
        """Again and again: a failure after a restart counts only once some time has passed."""
        assert work.resource is not None
        assert work.asked is not None
        if isinstance(self._verb, Annotate) and self._verb.handled(work.resource):
            work.handled_at = work.handled_at or time.monotonic()
            work.asked = replace(work.asked, handled=time.monotonic() - work.handled_at)
        outcome = self._verb.outcome(work.resource, work.asked)
        if outcome is not None:
            self._end(work, outcome)

    def _end(self, work: Work, outcome: Outcome) -> None:
        work.outcome = outcome
        self._line("")
        if not outcome.well:
            complain(f"{work.name}: {outcome.words}")
        elif work.asked is None:
            click.echo(f"{work.name}: {outcome.words}")
        else:
            click.echo(f"{work.name}: {self._verb.said}: {outcome.words} after {age(self._began, datetime.now(UTC))}")


def _open(works: Iterable[Work]) -> list[Work]:
    return [work for work in works if work.outcome is None]


def _waits(works: Sequence[Work], since: str) -> str:
    left = _open(works)
    named = ", ".join(f"{work.name} {readiness(work.resource).reason or '-'}" for work in left if work.resource)
    return f"{len(works) - len(left)} of {len(works)} done after {since}; waiting for {named}"


def _tell_interrupted(works: Sequence[Work]) -> None:
    """What was asked for stays asked for; nothing was begun that was not."""
    asked = [work.name for work in works if work.asked and work.outcome is None]
    never = [work.name for work in works if work.asked is None and work.outcome is None]
    if asked:
        complain(f"interrupted; asked for, and the operator continues with it: {', '.join(asked)}")
    if never:
        complain(f"interrupted; not asked for: {', '.join(never)}")
