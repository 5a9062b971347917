"""Writing a changed configuration: in place where that is wanted and offered, else by delete and create."""

from __future__ import annotations

from lenses_operator.controllers.connector import absence, refusal, replacement, written
from lenses_operator.controllers.connector.acting import Acting
from lenses_operator.controllers.connector.as_code import AsCode
from lenses_operator.controllers.connector.context import AGAIN, GONE, Outcome, ReconcileContext
from lenses_operator.controllers.connector.observe import look_closely
from lenses_operator.controllers.connector.settling import acted
from lenses_operator.controllers.connector.validate import NOT_APPLIED
from lenses_operator.domain.conditions import progressing, refused
from lenses_operator.domain.decide import Update
from lenses_operator.domain.deleting import DELETE_AGAIN
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.status import Report
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

    async def check(self, context: ReconcileContext, observed: Observed) -> Outcome:
        """Whether a configuration that has to wait would be taken."""
        return AGAIN if await self._checked(context) else await self._acting.report_refusal(context, observed)

    async def _checked(self, context: ReconcileContext) -> bool:
        written.wait_until_run(context, waiting=True)
        return await self._acting.validator.validated(context)

    async def update(self, context: ReconcileContext, decision: Update, observed: Observed) -> Outcome:
        """Validate; then in place, or delete: the create follows as soon as the connector is proven to be gone."""
        memory, acting = context.memory, self._acting
        if memory.state_change.was_held and not await self._checked(context):
            return AGAIN  # refused: after the offsets operation it runs with the configuration it has
        wait = self._wait(context)
        if wait:
            look_closely(context)
            return Outcome(delay=wait, paced=True)
        if not await acting.validator.validated(context):
            return await acting.report_refusal(context, observed)
        in_place = await self._as_code.updates(context)
        applied, wanted = context.applied, context.wanted
        repair = applied is not None and (applied.hash, applied.secrets) == (wanted.hash, wanted.secret_versions)
        why = decision.difference.describe()
        how = "in place" if in_place else "the connector is deleted and created again"
        verdict = progressing(f"The configuration is being {'repaired' if repair else 'updated'} ({why}): {how}.")
        if context.refusal:
            verdict = refused(context.refusal)  # until it is taken: a condition must not change with every try
        before = context.applied
        written.blank_hash(context, observed)
        if not await acting.reporter.report(context, Report(verdict, OwnershipState.OWNED, observed, context.applied)):
            return GONE
        if not acting.unchanged(context):
            return Outcome(delay=0)
        replacement.begin(context, why, observed, acting.now(), repair=repair)
        written.will_write(context, observed)
        try:
            return await (self._put(context, before) if in_place else self._delete(context))
        except LensesError as error:
            if not error.maybe_done:
                written.restore_hash(context, before)
            if isinstance(error, PreconditionFailed):
                replacement.end(context)
            raise

    def pends(self, context: ReconcileContext) -> bool:
        """Whether what Lenses does not show is waited for still; else it is written again."""
        memory, now = context.memory, self._acting.clock()
        if _is_another_wish(context):
            return False
        if memory.written.put_at is None or now < memory.written.put_at + NOT_APPLIED:
            return True
        return context.refusal is None or memory.refusals.until <= memory.written.put_at or now < memory.refusals.until

    async def not_shown(self, context: ReconcileContext, observed: Observed) -> Outcome:
        """Once a write in place was accepted, nothing is deleted in its place. Of what is wanted since then it says
        nothing: see `pends`."""
        memory, now = context.memory, self._acting.clock()
        if memory.written.put_at is None or now < memory.written.put_at + NOT_APPLIED:
            return self._acting.settle(context)
        if context.refusal is None or memory.refusals.until <= memory.written.put_at:
            self._acting.validator.refuse_as_not_applied(context)
        return await self._acting.report_refusal(context, observed)

    def _wait(self, context: ReconcileContext) -> float:
        memory, now = context.memory, self._acting.clock()
        deleted_at = memory.absence.deleted_at
        if deleted_at is not None and now < deleted_at + DELETE_AGAIN:
            return self._acting.settle(context).delay or 0.0  # our DELETE was accepted, it is still on its way out
        return max(memory.pacing.wait("delete", now), memory.pacing.wait("put", now, about=context.wish))

    async def _put(self, context: ReconcileContext, before: AppliedConfig | None) -> Outcome:
        """One that does not know the endpoint is never a reason to delete silently."""
        memory, clock = context.memory, self._acting.clock
        memory.pacing.sent("put", clock(), about=context.wish)
        try:
            await self._as_code.put(context, WantedState.RUNNING)
        except MissingAgentCapability as error:
            replacement.end(context)
            written.restore_hash(context, before)
            self._acting.validator.refuse_in_place(context, error)
            return await self._acting.report_refusal(context, None)
        except (BadRequest, ServerError, AgentCallFailed) as error:
            if error.maybe_done:
                written.maybe_wrote(context)
            else:
                written.restore_hash(context, before)
            if not await self._acting.validator.lasting(context, "update", error, clock()):
                raise
            replacement.end(context)
            await self._acting.validator.refuse(context, "update", error)
            return await self._acting.report_refusal(context, None)
        except LensesError as error:
            written.unanswered(context, error, clock())
            if error.maybe_done:
                written.maybe_wrote(context)
            raise
        finally:
            acted(context, clock())
        self._acting.created(context, context.wanted)
        refusal.put_accepted(context)
        written.put_accepted(context, clock())
        assert memory.replacement is not None
        self._acting.reporter.event(context, *memory.replacement.news)
        replacement.end(context)
        return AGAIN

    async def _delete(self, context: ReconcileContext) -> Outcome:
        memory, clock = context.memory, self._acting.clock
        memory.pacing.sent("delete", clock())
        try:
            await context.session.client.delete_connector(
                *context.connector, precondition=self._acting.precondition(context)
            )
        except ConnectorOrClusterNotFound:
            look_closely(context)  # gone already, hidden, or the cluster is: the next look tells
        else:
            absence.deleted(context, clock())
            self._acting.environments.deleted(context.resource.key, context.connector)
        finally:
            acted(context, clock())
        return AGAIN


def _is_another_wish(context: ReconcileContext) -> bool:
    """Than the write that does not show: a changed spec, or what it refers to, is always tried again."""
    sent, refused = written.newest(context), context.memory.refusals.last
    if sent is None or sent.fingerprint != context.wanted.fingerprint:
        return True
    return refused is not None and refused.generation != context.generation
