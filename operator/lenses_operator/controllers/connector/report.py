"""Writes what a pass has to say: the status where it changed, an Event where a person should look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.controllers.connector.context import ReconcileContext
from lenses_operator.domain.status import Report, next_status
from lenses_operator.resources.conditions import Condition, Phase, Verdict, said_before, shorten
from lenses_operator.resources.connector import ConnectorStatus, LensesConnector

if TYPE_CHECKING:  # the modules whose values it holds are known to it
    from lenses_operator.controllers.connector.memory import Memory


@dataclass(frozen=True, slots=True)
class Announced:
    """By Events. `verdict`: while the status that says so could not be written. `newlines`: key and version."""

    verdict: Verdict | None = None
    newlines: frozenset[tuple[str, str]] = frozenset()


class StatusWriter(Protocol):
    """Each call returns the object as it is afterwards, None where it is gone."""

    async def write_status(self, resource: LensesConnector, status: ConnectorStatus) -> LensesConnector | None: ...
    async def add_finalizer(self, resource: LensesConnector) -> LensesConnector | None: ...
    async def remove_finalizer(self, resource: LensesConnector) -> LensesConnector | None: ...
    async def current(self, resource: LensesConnector) -> LensesConnector | None: ...


class EventSink(Protocol):
    def __call__(self, resource: LensesConnector, reason: str, message: str, *, warning: bool = False) -> None: ...


class Reporter:
    """Our own writes go into the cache at once, so that the next pass does not decide on what was before them."""

    def __init__(
        self,
        writer: StatusWriter,
        cache: ConnectorCache,
        emit: EventSink,
        now: Callable[[], datetime],
        owned: Callable[[LensesConnector], None],
    ) -> None:
        """`owned` is called when a resource's ownership changes: an offsets operation may wait for it."""
        self._writer = writer
        self._cache = cache
        self._emit = emit
        self._now = now
        self._owned = owned

    def event(self, context: ReconcileContext, reason: str, message: str, *, warning: bool = False) -> None:
        self._emit(context.resource, reason, shorten(message), warning=warning)

    async def report(self, context: ReconcileContext, report: Report) -> bool:
        """False where the object is gone. Writes only what changed."""
        before = context.resource.status
        status = next_status(
            context.resource, replace(report, marks=context.marks, generation=context.generation), self._now()
        )
        if status == before:
            return True
        if context.resource.schema_mismatch is not None:
            self._tell(context, before.ready, report.verdict)  # the API server may refuse every write to it
        context.memory.unconfirmed = True
        after = await self._writer.write_status(context.resource, status)
        confirmed(context.memory)
        if after is None:
            return False
        self.took(context, after)
        self._tell(context, before.ready, report.verdict)
        if context.memory.announced.verdict is not None:
            context.memory.announced = replace(context.memory.announced, verdict=None)
        return True

    def _tell(self, context: ReconcileContext, old: Condition | None, verdict: Verdict) -> None:
        """An Event where a person should look; once, whatever becomes of the status."""
        announced = context.memory.announced
        new_reason = old is None or old.reason != verdict.reason
        said = said_before(verdict.message, old.message) if old else ""
        new_words = verdict.phase is Phase.STALLED and old is not None and old.message != said
        if verdict.ready == "False" and (new_reason or new_words) and not verdict.repeats(announced.verdict):
            context.memory.announced = replace(announced, verdict=verdict)
            self.event(context, verdict.reason, verdict.message, warning=True)

    def took(self, context: ReconcileContext, after: LensesConnector) -> None:
        """The object as it came back from a write of ours."""
        before, context.resource = context.resource, after
        self._cache.upsert(after)
        if before.status.ownership.state is not after.status.ownership.state:
            self._owned(after)

    async def finalize(self, context: ReconcileContext) -> bool:
        """Our finalizer is on the object when this returns True; False: gone or going, so nothing may be begun."""
        if context.resource.metadata.has_finalizer:
            return True
        after = await self._writer.add_finalizer(context.resource)
        if after is None:
            return False
        self.took(context, after)
        return True

    async def release(self, context: ReconcileContext) -> None:
        """Removes our finalizer, which deletes the object unless it has another finalizer."""
        self._cache.released(context.resource.metadata.uid)
        after = await self._writer.remove_finalizer(context.resource)
        if after is not None:
            self.took(context, after)

    def warn_of_newlines(self, context: ReconcileContext) -> None:
        """Sent unchanged, but rarely intended: `echo` adds a newline at the end."""
        found = frozenset((key, context.wanted.secrets[key].resource_version) for key in context.wanted.with_newline)
        known = context.memory.announced.newlines
        new = found - known
        if new:
            context.memory.announced = replace(context.memory.announced, newlines=known | new)
            keys = ", ".join(sorted(key for key, _ in new))
            message = (
                f"The value from a Secret ends in a newline, and is sent so: {keys}. If that is not meant, fix it."
            )
            self.event(context, "TrailingNewline", message, warning=True)


def confirmed(memory: Memory) -> None:
    """The status is known as it is."""
    memory.unconfirmed = False
