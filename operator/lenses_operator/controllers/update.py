"""Writing a changed configuration: in place where that is wanted and offered, else by delete and create."""

from __future__ import annotations

from lenses_operator.controllers.acting import Acting
from lenses_operator.controllers.as_code import AsCode
from lenses_operator.controllers.memory import Replacement
from lenses_operator.controllers.previous import previous_of
from lenses_operator.controllers.validator import NOT_APPLIED
from lenses_operator.controllers.work import AGAIN, GONE, Outcome, Work
from lenses_operator.domain.decide import Update
from lenses_operator.domain.deleting import DELETE_AGAIN
from lenses_operator.domain.drift import Baseline, changed_keys, is_masked
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.status import Report
from lenses_operator.domain.verdicts import progressing, refused
from lenses_operator.lenses.errors import (
    AgentCallFailed,
    BadRequest,
    ConnectorOrClusterNotFound,
    LensesError,
    MissingAgentCapability,
    PreconditionFailed,
    ServerError,
)
from lenses_operator.resources.connector import AppliedConfig, OwnershipState, WantedState


class Updates:
    def __init__(self, acting: Acting, as_code: AsCode) -> None:
        self._acting = acting
        self._as_code = as_code

    async def check(self, work: Work, observed: Observed) -> Outcome:
        """Whether a configuration that has to wait would be taken."""
        return AGAIN if await self._checked(work) else await self._acting.report_refusal(work, observed)

    async def _checked(self, work: Work) -> bool:
        work.memory.waiting = True
        return await self._acting.validator.validated(work)

    async def update(self, work: Work, decision: Update, observed: Observed) -> Outcome:
        """Validate; then in place, or delete: the create follows as soon as the connector is proven to be gone."""
        memory, acting = work.memory, self._acting
        if memory.was_held and not await self._checked(work):
            return AGAIN  # refused: after the offsets operation it goes on with the configuration it has
        wait = self._wait(work)
        if wait:
            memory.look = True
            return Outcome(delay=wait, paced=True)
        if not await acting.validator.validated(work):
            return await acting.report_refusal(work, observed)
        in_place = await self._as_code.updates(work)
        applied, wanted = work.applied, work.wanted
        repair = applied is not None and (applied.hash, applied.secrets) == (wanted.hash, wanted.secret_versions)
        why = decision.difference.describe()
        how = "in place" if in_place else "the connector is deleted and created again"
        verdict = progressing(f"The configuration is being {'repaired' if repair else 'updated'} ({why}): {how}.")
        if work.refusal:
            verdict = refused(work.refusal)  # until it is taken: a condition must not change with every try
        if applied is not None and _hides(observed, applied):
            # Cut off after the write, nobody could tell what the connector has: status must not go on to say so.
            memory.applied = applied.model_copy(update={"hash": ""})
        if not await acting.reporter.report(work, Report(verdict, OwnershipState.OWNED, observed, work.applied)):
            return GONE
        if not acting.unchanged(work):
            return Outcome(delay=0)
        memory.replacement = Replacement(_changes(work, why), repair, in_place, previous_of(work, observed))
        if not memory.awaiting_baseline:
            memory.notation = _notation(work)
        memory.before, memory.put_at = observed.config, None
        try:
            return await (self._put(work) if in_place else self._delete(work))
        except PreconditionFailed:
            memory.replacement = None
            raise

    def pends(self, work: Work) -> bool:
        """Whether what Lenses does not show is waited for still; else it is written again."""
        memory, now = work.memory, self._acting.clock()
        if _is_another_wish(work):
            return False
        if memory.put_at is None or now < memory.put_at + NOT_APPLIED:
            return True
        return work.refusal is None or memory.refusal_until <= memory.put_at or now < memory.refusal_until

    async def not_shown(self, work: Work, observed: Observed) -> Outcome:
        """Once a write in place was accepted, nothing is deleted in its place. Of what is wanted since then it says
        nothing: see `pends`."""
        memory, now = work.memory, self._acting.clock()
        if memory.put_at is None or now < memory.put_at + NOT_APPLIED:
            return self._acting.settle(work)
        if work.refusal is None or memory.refusal_until <= memory.put_at:
            self._acting.validator.refuse_as_not_applied(work)
        return await self._acting.report_refusal(work, observed)

    def _wait(self, work: Work) -> float:
        memory, now = work.memory, self._acting.clock()
        if memory.deleted_at is not None and now < memory.deleted_at + DELETE_AGAIN:
            return self._acting.settle(work).delay or 0.0  # our DELETE was accepted, it is still on its way out
        return max(memory.pacing.wait("delete", now), memory.pacing.wait("put", now, about=work.wish))

    async def _put(self, work: Work) -> Outcome:
        """One that does not know the endpoint is never a reason to delete silently."""
        memory, clock = work.memory, self._acting.clock
        memory.pacing.sent("put", clock(), about=work.wish)
        try:
            await self._as_code.put(work, WantedState.RUNNING)
        except MissingAgentCapability as error:
            memory.replacement = None
            self._acting.validator.refuse_in_place(work, error)
            return await self._acting.report_refusal(work, None)
        except (BadRequest, ServerError, AgentCallFailed) as error:
            if error.maybe_done:
                memory.last_written = None
            if not await self._acting.validator.lasting(work, "update", error):
                raise
            memory.replacement = None
            await self._acting.validator.refuse(work, "update", error)
            return await self._acting.report_refusal(work, None)
        except LensesError as error:
            if error.maybe_done:
                memory.last_written = None
            raise
        finally:
            memory.acted(clock())
        self._acting.created(work, work.wanted)
        memory.refused = None
        if memory.refusal is not None and memory.refusal.reason != Reason.UPDATE_NOT_APPLIED:
            memory.refusal = None
        memory.put_at = clock()
        assert memory.replacement is not None
        self._acting.reporter.event(work, *memory.replacement.news)
        memory.replacement = None
        return AGAIN

    async def _delete(self, work: Work) -> Outcome:
        memory, clock = work.memory, self._acting.clock
        memory.pacing.sent("delete", clock())
        try:
            await work.session.client.delete_connector(*work.connector, precondition=self._acting.precondition(work))
        except ConnectorOrClusterNotFound:
            memory.look = True  # gone already, hidden, or the cluster is: the next look tells
        else:
            memory.deleted_at = clock()
            self._acting.environments.deleted(work.resource.key, work.connector)
        finally:
            memory.acted(clock())
        return AGAIN


def _is_another_wish(work: Work) -> bool:
    """Than the write that does not show: a changed spec, or what it refers to, is always tried anew."""
    memory = work.memory
    written, refusal = memory.last_written, memory.refusal
    if written is None or written.fingerprint != work.wanted.fingerprint:
        return True
    return refusal is not None and refusal.generation != work.generation


def _notation(work: Work) -> Baseline | None:
    """Of keys whose wanted value is the one that was written before."""
    applied, written, wanted = work.applied, work.memory.last_written, work.wanted.config
    if applied is None:
        return None
    before = wanted if written is None else written.config
    same = {key for key in applied.not_compared if before.get(key) == wanted.get(key)}
    return Baseline(frozenset(same), frozenset(applied.added))


def _changes(work: Work, why: str) -> str:
    """For the Event: the keys the spec changed, where the former ones are known."""
    written = work.memory.last_written
    return (changed_keys(written.config, work.wanted.config) if written else "") or why


def _hides(observed: Observed, applied: AppliedConfig) -> bool:
    """Whether Lenses keeps some of the configuration from being compared."""
    config, details = observed.config, observed.details
    if config is None or details is None or details.hidden_keys or applied.not_compared:
        return True
    return any(map(is_masked, config.values()))
