"""The steps of an offsets operation, each safe to repeat: stop, keep what was, ask once, read back, write it down."""

from __future__ import annotations

from collections.abc import Callable
from random import uniform
from typing import Any, Protocol

from lenses_operator.aside import aside
from lenses_operator.cache.operations import OperationCache, OperationFeed, connector_key
from lenses_operator.controllers.clocks import Clocks
from lenses_operator.controllers.offsets import read_back
from lenses_operator.controllers.offsets.answers import DOUBTFUL, REFUSED, remedy_of, unknown_operation
from lenses_operator.controllers.offsets.run import Progress, Run
from lenses_operator.controllers.pacing import Pacing
from lenses_operator.controllers.redaction import prepare
from lenses_operator.domain import offsets_status as say
from lenses_operator.domain.backoff import SETTLING, SLOW, TRANSIENT
from lenses_operator.domain.offsets_before import before_of, room_beside
from lenses_operator.domain.offsets_text import OffsetsInvalid, gone_on, seek_hint
from lenses_operator.domain.offsets_tries import SHOWS_WITHIN, Tries
from lenses_operator.domain.reasons import Reason
from lenses_operator.lenses import errors
from lenses_operator.lenses.models import OffsetsText
from lenses_operator.lenses.wording import means_not_stopped
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.conditions import Phase, Verdict, shorten
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import Action, LensesConnectorOffsets, OffsetsStatus

REQUESTS = {Action.ALTER: "alter_offsets", Action.RESET: "reset_offsets"}
"""Their names for the pace: a deletion resets offsets too."""
WHILE_STOPPED = 5.0
"""Seconds between two requests at the most: the connector is stopped in the meantime."""


class OffsetsWriter(Protocol):
    """The object as it is afterwards, None where it is gone."""

    async def write_status(
        self, resource: LensesConnectorOffsets, status: OffsetsStatus
    ) -> LensesConnectorOffsets | None: ...


class OffsetsEvents(Protocol):
    def __call__(
        self, resource: LensesConnectorOffsets, reason: str, message: str, *, warning: bool = False
    ) -> None: ...


class OffsetsSteps:
    """Raises LensesError and KubeError. `pacing`: of all requests for a resource's connector, whoever sends them."""

    def __init__(
        self,
        writer: OffsetsWriter,
        cache: OperationCache,
        feed: OperationFeed,
        emit: OffsetsEvents,
        clocks: Clocks,
        pacing: Callable[[LensesConnector], Pacing],
    ) -> None:
        self._writer = writer
        self._cache = cache
        self._feed = feed
        self._emit = emit
        self._clock = clocks.loop
        self._now = clocks.now
        self._pacing = pacing
        self._progress: dict[ObjectKey, Progress] = {}
        self._told: dict[ObjectKey, tuple[str, str]] = {}

    def forget(self, key: ObjectKey) -> None:
        self._progress.pop(key, None)
        self._told.pop(key, None)

    def interrupted(self, key: ObjectKey) -> None:
        """Lenses was away: nothing could stop or answer in that time, so all time limits start over."""
        progress = self._progress.get(key)
        if progress is not None:
            progress.stopping_since = None
            if progress.tries is not None:
                progress.tries = Tries(self._clock())

    async def report(
        self, operation: LensesConnectorOffsets, verdict: Verdict, changes: dict[str, Any] | None = None
    ) -> LensesConnectorOffsets | None:
        """Writes only what changed; None where the object is gone. A change of phase matters to the whole line."""
        before = operation.status
        phase = say.phase_of(verdict)
        changed = {"phase": phase} if phase is not None and operation.operates else {}
        status = say.next_status(operation, verdict, self._now(), changed | (changes or {}))
        if status == before:
            return operation
        if operation.schema_mismatch is not None:
            self._tell_first(operation, before, verdict)
        after = await self._writer.write_status(operation, status)
        if after is None:
            return None
        news = self._cache.upsert(after)  # or an edit came in between, whose watch event then is no news any more
        if operation.schema_mismatch is None:
            self._tell(after, before, verdict)
        if news:
            self._feed.wake(after)
        return after

    async def let_go(
        self, operation: LensesConnectorOffsets, verdict: Verdict, why: str, changes: dict[str, Any] | None = None
    ) -> None:
        """The connector is not held any more. What Lenses has accepted is over with that: asked for again later, a
        connector that has gone on would lose or repeat work."""
        progress = self._progress.get(operation.key)
        if progress is not None and progress.covers(operation) and progress.answer is not None:
            verdict = say.applied([], "", why)
            changes = {**(changes or {}), **self._accepted(operation, say.ACCEPTED)}
        await self.report(operation, verdict, changes)

    async def observe(self, run: Run) -> float | None:
        """Offsets as they are: for people, and to the letter."""
        try:
            read = await self._read(run)
        except errors.LensesError as error:
            return await self._unread(run, error)
        room = room_beside(run.operation.spec)
        seen = await aside(len(read.text), say.seen_exactly, read.text, room=room)
        await self.report(run.operation, say.observed(read.entries), seen)
        return run.operation.spec.refresh_seconds

    async def _read(self, run: Run) -> OffsetsText:
        """A connector that is being replaced may be away for one request and back for the next."""
        place = run.connector.connector
        try:
            return await run.session.client.get_offsets(*place)
        except errors.ConnectorOrClusterNotFound:
            if not (await run.session.reader.details(place)).present:
                raise
        return await run.session.client.get_offsets(*place)

    async def _unread(self, run: Run, error: errors.LensesError) -> float:
        """A 404 may be about the connector, or about the operation; anything else is the caller's."""
        if isinstance(error, errors.ConnectorOrClusterNotFound):
            observed = await run.session.reader.details(run.connector.connector)
            if not observed.present:
                await self.report(run.operation, say.connector_not_ready(say.ABSENT), say.hidden())
                return run.operation.spec.refresh_seconds
        elif not unknown_operation(error):
            raise error
        words = await self._words(run, error)
        await self.report(run.operation, say.not_readable(words, await self._version(run)))
        return SLOW.delay(1, uniform)

    async def operate(self, run: Run) -> float | None:
        """One step on. Asked for once it is first in line and its connector is owned."""
        progress = self._progress_of(run)
        observed = await run.session.reader.details(run.connector.connector)
        if not observed.present:
            await self.let_go(run.operation, say.connector_not_ready(say.ABSENT), say.ABSENT)
            return TRANSIENT.delay(self._looked(progress), uniform)
        if observed.state != "STOPPED" or observed.tasks:
            if _cannot_stop(run) and await self._knows_none(run):
                return None
            return await self._stop(run, progress, observed.state, len(observed.tasks))
        progress.stopping_since = None
        try:
            return await self._carry_out(run, progress)
        except errors.PreconditionFailed:
            return 0.0
        except errors.LensesError as error:
            if error.maybe_done:
                progress.unsent = False  # reading comes before asking again
            return await self._refused(run, progress, error)

    async def _knows_none(self, run: Run) -> bool:
        """Whether this Connect knows nothing of offsets, either: then nothing is waited for."""
        try:
            await run.session.client.get_offsets(*run.connector.connector)
        except errors.LensesError as error:
            if not unknown_operation(error):
                return False
            words = await self._words(run, error)
            await self.report(run.operation, say.not_supported(words, await self._version(run)))
            return True
        return False

    async def _carry_out(self, run: Run, progress: Progress) -> float | None:
        """The connector is stopped: keep, ask, read back."""
        if progress.answer is None:
            if not await self._keep_before(run, progress):
                return None
            if not self._unchanged(run):
                return 0.0
            pacing, request, about = self._pacing(run.connector), REQUESTS[run.operation.spec.action], progress.about
            if not progress.unsent and await self._known_by_now(run):
                return None
            wait = pacing.wait(request, self._clock(), WHILE_STOPPED, about=about)
            if wait:
                return wait
            pacing.sent(request, self._clock(), about=about)
            progress.answer = await self._request(run)
            progress.answered_at = self._clock()
        read = await self._read(run)
        stale = read.text == await read_back.before_text(run) and bool(await read_back.differences(run, read.text))
        if stale and self._clock() < progress.answered_at + SHOWS_WITHIN:
            return SETTLING.delay(self._looked(progress), uniform)
        return await self._done(run, progress.answer, read.text)

    async def _known_by_now(self, run: Run) -> bool:
        """What was asked for before, by this process or by one that was ended, may have been carried out. Once more
        does no harm to a connector that has not run; one that has run since would lose or repeat work."""
        read = await self._read(run)
        before = await read_back.before_text(run)
        if read.text != before and not await read_back.differences(run, read.text):
            await self._done(run, "", read.text)
            return True
        size = len(before or "") + len(read.text)
        if before is None or not await aside(size, gone_on, run.text, before, read.text):
            return False
        changes = await read_back.seen(run, read.text, read_back.kept(run))
        progress = self._progress_of(run)
        await self.report(run.operation, say.outcome_unknown(progress.refusal), changes)
        return True

    async def _stop(self, run: Run, progress: Progress, state: str | None, tasks: int) -> float | None:
        """The hold makes the connector's own pass stop it; here it is waited for, with a bound."""
        now = self._clock()
        if progress.stopping_since is None:
            progress.stopping_since = now
        if now - progress.stopping_since > say.STOP_BOUND:
            await self.report(run.operation, say.stop_timeout(asked=_asked(run, progress)))
            return None
        if await self.report(run.operation, say.stopping(state, tasks)) is None:
            return None
        return SETTLING.delay(self._looked(progress), uniform)

    async def _keep_before(self, run: Run, progress: Progress) -> bool:
        """`before` is written once for a generation, and before anything is asked for."""
        if run.operation.status.before_generation == run.generation:
            return True
        read = await self._read(run)
        try:
            kept = await aside(len(read.text), before_of, read.text, room=room_beside(run.operation.spec))
        except OffsetsInvalid as error:
            await self.report(run.operation, say.invalid(str(error)))
            return False
        changes = {
            "before": kept.plain,
            "before_compressed": kept.compressed,
            "before_generation": run.generation,
            **await read_back.seen(run, read.text, kept),
        }
        after = await self.report(run.operation, say.applying(), changes)
        if after is None or after.metadata.generation != run.generation:
            return False  # gone, or edited meanwhile: `text` is what an earlier spec asked for
        run.operation = after
        progress.unsent = True
        return True

    async def _request(self, run: Run) -> str:
        client = run.session.client

        def precondition() -> bool:
            return self._unchanged(run)

        target = run.connector.connector
        if run.operation.spec.action is Action.RESET:
            return await client.reset_offsets(*target, precondition=precondition)
        assert run.text is not None
        return await client.alter_offsets(*target, run.text, precondition=precondition)

    async def _refused(self, run: Run, progress: Progress, error: errors.LensesError) -> float | None:
        """Every retry is bounded; what has no bound here is Lenses being away, which the caller reports.

        Reads are bounded like requests, since the connector is stopped in the meantime.
        """
        tries = progress.tries = progress.tries or Tries(self._clock())
        words = await self._words(run, error)
        if isinstance(error, errors.LensesRefused):
            progress.refusal = words
        status = getattr(error, "status", 0)
        waiting = isinstance(error, errors.Conflict) or (status in (400, 500) and means_not_stopped(error.words))
        if waiting and tries.again_after_wait(self._clock()):
            await self.report(run.operation, say.applying())
            return SETTLING.delay(self._looked(progress), uniform)
        absent = isinstance(error, errors.ConnectorOrClusterNotFound)  # of a connector that was there a moment ago
        doubtful = not waiting and (absent or isinstance(error, DOUBTFUL)) and status in (400, 404, 500)
        if doubtful:
            await run.session.reader.prove_alive(run.connector.connector, fresh=True)
            if tries.again_after_refusal(self._clock()):
                await self.report(run.operation, say.applying())
                return min(WHILE_STOPPED, TRANSIENT.delay(tries.refused, uniform))
        unknown = absent or unknown_operation(error)
        if not (unknown or waiting or doubtful or isinstance(error, REFUSED)):
            raise error
        if progress.answer is not None:
            return await self._done(run, progress.answer, None, words)
        if unknown:
            verdict = say.not_supported(words, await self._version(run))
        elif error.operation == "get_offsets":
            remedy = remedy_of(run, error, waiting=waiting) or say.UNREADABLE
            verdict = say.unread(words, remedy, asked=_asked(run, progress))
        else:
            verdict = say.rejected(words, remedy_of(run, error, waiting=waiting) or say.CORRECT)
        await self.report(run.operation, verdict)
        return None

    @staticmethod
    async def _version(run: Run) -> str | None:
        return await run.session.reader.version(run.connector.connector)

    @staticmethod
    async def _words(run: Run, error: errors.LensesError) -> str:
        await prepare(run.redact)
        return error.quote(run.redact)

    async def _done(self, run: Run, message: str, read: str | None, why_unread: str = "") -> float | None:
        """Written down as soon as it is known to be so; from here on it is never carried out again."""
        mismatch = [] if read is None else await read_back.differences(run, read)
        await prepare(run.redact)
        said = errors.one_line(run.redact(message)) or "The offsets are as they were asked for."
        changes = self._accepted(run.operation, said)
        if read is not None:
            changes |= await read_back.seen(run, read, read_back.kept(run))
        new = await read_back.new_partitions(run)
        verdict = say.applied(mismatch, seek_hint(run.connector.spec.class_name), why_unread, new)
        await self.report(run.operation, verdict, changes)
        return None

    def _accepted(self, operation: LensesConnectorOffsets, said: str) -> dict[str, Any]:
        generation = operation.metadata.generation
        return {"applied_generation": generation, "applied_time": self._now(), "message": said}

    def _tell(self, after: LensesConnectorOffsets, before: OffsetsStatus, verdict: Verdict) -> None:
        """One Event for each phase that is entered, and for each new trouble."""
        old = before.ready
        if old is not None and old.reason == verdict.reason and old.observed_generation == after.metadata.generation:
            return
        if verdict.phase is Phase.STALLED:
            self._emit(after, verdict.reason, shorten(verdict.message), warning=True)
        elif after.operates and after.status.phase is not None and verdict.reason == str(after.status.phase):
            reason = "OffsetsApplied" if after.applied else verdict.reason
            self._emit(after, reason, shorten(verdict.message))

    def _tell_first(self, operation: LensesConnectorOffsets, before: OffsetsStatus, verdict: Verdict) -> None:
        """Once, before the status is written, since the API server may refuse every write to it."""
        news = (operation.metadata.uid, verdict.message)
        if self._told.get(operation.key) != news:
            self._told[operation.key] = news
            self._tell(operation, before, verdict)

    def _progress_of(self, run: Run) -> Progress:
        known = self._progress.get(run.operation.key)
        if known is None or not known.covers(run.operation):
            known = self._progress[run.operation.key] = Progress(run.operation.metadata.uid, run.generation)
        return known

    @staticmethod
    def _looked(progress: Progress) -> int:
        progress.looks += 1
        return progress.looks

    def _unchanged(self, run: Run) -> bool:
        """Asked just before the request: the operation is still wanted and not over, and its connector its own."""
        now = self._cache.get(run.operation.key)
        return (
            now is not None
            and now.metadata.uid == run.operation.metadata.uid
            and now.metadata.generation == run.generation
            and not now.metadata.deleting
            and not now.finished
            and connector_key(now) == run.connector.key
            and run.ready()
        )


def _cannot_stop(run: Run) -> bool:
    """By the answer to the stop that its own pass has asked for."""
    ready = run.connector.status.ready
    return ready is not None and ready.reason == Reason.NOT_SUPPORTED


def _asked(run: Run, progress: Progress) -> bool:
    """Whether something may have been sent for this generation, by this process or by one before it."""
    return run.operation.status.before_generation == run.generation and not progress.unsent
