"""Writes what a pass has to say: the status where it changed, an Event where a person should look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from lenses_operator.controllers.store import Store
from lenses_operator.controllers.work import Work
from lenses_operator.domain.status import Report, next_status
from lenses_operator.resources.conditions import Condition, Phase, Verdict, said_before, shorten
from lenses_operator.resources.connector import ConnectorStatus, LensesConnector


class StatusWriter(Protocol):
    """Each call returns the object as it is afterwards, None where it is gone."""

    async def write_status(self, resource: LensesConnector, status: ConnectorStatus) -> LensesConnector | None: ...
    async def add_finalizer(self, resource: LensesConnector) -> LensesConnector | None: ...
    async def remove_finalizer(self, resource: LensesConnector) -> LensesConnector | None: ...
    async def current(self, resource: LensesConnector) -> LensesConnector | None: ...


class EventSink(Protocol):
    def __call__(self, resource: LensesConnector, reason: str, message: str, *, warning: bool = False) -> None: ...


class Reporter:
    """Our own writes go into the store at once, so that the next pass does not decide on what was before them."""

    def __init__(
        self,
        writer: StatusWriter,
        store: Store,
        emit: EventSink,
        now: Callable[[], datetime],
        owned: Callable[[LensesConnector], None],
    ) -> None:
        """`owned` is called when a resource's ownership changes: an offsets operation may wait for it."""
        self._writer = writer
        self._store = store
        self._emit = emit
        self._now = now
        self._owned = owned

    def event(self, work: Work, reason: str, message: str, *, warning: bool = False) -> None:
        self._emit(work.resource, reason, shorten(message), warning=warning)

    async def report(self, work: Work, report: Report) -> bool:
        """False where the object is gone. Writes only what changed."""
        before = work.resource.status
        status = next_status(work.resource, replace(report, marks=work.marks, generation=work.generation), self._now())
        if status == before:
            return True
        if work.resource.misfit is not None:
            self._tell(work, before.ready, report.verdict)  # the API server may refuse every write to it
        after = await self._writer.write_status(work.resource, status)
        if after is None:
            return False
        self.took(work, after)
        self._tell(work, before.ready, report.verdict)
        work.memory.told = None
        return True

    def _tell(self, work: Work, old: Condition | None, verdict: Verdict) -> None:
        """An Event where a person should look; once, whatever becomes of the status."""
        new_reason = old is None or old.reason != verdict.reason
        said = said_before(verdict.message, old.message) if old else ""
        new_words = verdict.phase is Phase.STALLED and old is not None and old.message != said
        if verdict.ready == "False" and (new_reason or new_words) and not verdict.repeats(work.memory.told):
            work.memory.told = verdict
            self.event(work, verdict.reason, verdict.message, warning=True)

    def took(self, work: Work, after: LensesConnector) -> None:
        """The object as it came back from a write of ours."""
        before, work.resource = work.resource, after
        self._store.upsert(after)
        if before.status.ownership.state is not after.status.ownership.state:
            self._owned(after)

    async def finalize(self, work: Work) -> bool:
        """Our finalizer is on the object when this returns True; False: gone or going, so nothing may be begun."""
        if work.resource.metadata.has_finalizer:
            return True
        after = await self._writer.add_finalizer(work.resource)
        if after is None:
            return False
        self.took(work, after)
        return True

    async def release(self, work: Work) -> None:
        """Takes our finalizer off, which ends the object if nobody else holds it."""
        self._store.released(work.resource.metadata.uid)
        after = await self._writer.remove_finalizer(work.resource)
        if after is not None:
            self.took(work, after)

    def warn_of_newlines(self, work: Work) -> None:
        """Sent to the letter, but seldom meant: `echo` puts a newline at the end."""
        found = frozenset((key, work.wanted.secrets[key].resource_version) for key in work.wanted.with_newline)
        new = found - work.memory.announced_newlines
        if new:
            work.memory.announced_newlines |= new
            keys = ", ".join(sorted(key for key, _ in new))
            message = (
                f"The value from a Secret ends in a newline, and is sent so: {keys}. If that is not meant, mend it."
            )
            self.event(work, "TrailingNewline", message, warning=True)
