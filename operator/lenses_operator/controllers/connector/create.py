"""Creating a connector: finalizer, claim, validate, create; and what an answer that is no success means."""

from __future__ import annotations

from lenses_operator.controllers.connector import absence, authorship, refusal, replacement
from lenses_operator.controllers.connector.acting import Acting, request_of
from lenses_operator.controllers.connector.as_code import AsCode
from lenses_operator.controllers.connector.context import AGAIN, GONE, Outcome, ReconcileContext
from lenses_operator.controllers.connector.observe import look_closely
from lenses_operator.controllers.connector.rollback import Rollback
from lenses_operator.controllers.connector.settling import acted, next_look
from lenses_operator.controllers.connector.state import StateChanges
from lenses_operator.controllers.connector.written import unanswered
from lenses_operator.controllers.pacing import SLOWEST, WHILE_AWAY
from lenses_operator.domain.conditions import creating, missing, progressing, refused
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.status import Report
from lenses_operator.lenses.errors import (
    AgentCallFailed,
    AlreadyExists,
    BadRequest,
    Conflict,
    ConnectorOrClusterNotFound,
    LensesError,
    MissingAgentCapability,
    ServerError,
)
from lenses_operator.resources.conditions import Verdict
from lenses_operator.resources.connector import AppliedConfig, OwnershipState, WantedState

REFUSED = (BadRequest, Conflict, ServerError, AgentCallFailed, ConnectorOrClusterNotFound)
"""What says no, or seems to: looked at again before anything is concluded."""


class Creating:
    def __init__(self, acting: Acting, states: StateChanges, rollback: Rollback, as_code: AsCode) -> None:
        self._acting = acting
        self._states = states
        self._rollback = rollback
        self._as_code = as_code

    async def create(self, context: ReconcileContext, *, lost: bool) -> Outcome:
        """What was refused before is validated first: no claim in vain."""
        memory, acting = context.memory, self._acting
        if absence.expected(context, acting.clock()):
            return acting.settle(context)
        slowest = WHILE_AWAY if memory.replacement else SLOWEST
        wait = memory.pacing.wait("create", acting.clock(), slowest, about=context.wish)
        if wait:
            # What it was refused for is still all there is to say; with it goes that a wish to look again was heard.
            if context.refusal and await acting.report_refusal(context, Observed.absent()) is GONE:
                return GONE
            look_closely(context)
            return Outcome(delay=wait, paced=True)
        if _failed_before(context) and not await acting.validator.validated(context):
            return await acting.report_refusal(context, Observed.absent())
        if not await acting.reporter.finalize(context):
            return GONE
        if not context.resource.status.ownership.state.ours:
            verdict = refused(context.refusal) if context.refusal else _said(context) or creating(context.connector)
            wanted = context.wanted
            claim = AppliedConfig(
                hash=wanted.hash, secrets=wanted.secret_versions, secrets_digest=wanted.digest or None
            )
            report = Report(verdict, OwnershipState.CLAIMING, Observed.absent(), claim)
            authorship.claim(context)  # before it is written: an answer may fail to come
            if not await acting.reporter.report(context, report):
                return GONE
        if not await acting.validator.validated(context):
            return await acting.report_refusal(context, Observed.absent())
        at_rest = context.state is not WantedState.RUNNING and await self._as_code.takes_state(context)
        if not self._may_send(context):
            return Outcome(delay=0)
        return await self._send(context, lost=lost, at_rest=at_rest)

    def _may_send(self, context: ReconcileContext) -> bool:
        """Nobody has seen it since the look that did not find it."""
        return self._acting.unchanged(context) and not context.seen_since(context.looked_at)

    async def _send(self, context: ReconcileContext, *, lost: bool, at_rest: bool) -> Outcome:
        memory, clock = context.memory, self._acting.clock
        first = context.unsent
        before = authorship.attempt(context, context.wanted)
        memory.pacing.sent("create", clock(), about=context.wish)
        try:
            if at_rest:
                await self._as_code.put(context, context.state)
            else:
                request = request_of(context, context.wanted)
                await context.session.client.create_connector(
                    context.connector.environment, request, precondition=lambda: self._may_send(context)
                )
        except REFUSED as error:
            acted(context, clock())
            if not error.maybe_done or isinstance(error, AlreadyExists):
                authorship.retract(context, before)
            if first:
                authorship.contest(context)
            return await self._refused(context, error, clock())
        except LensesError as error:
            acted(context, clock())
            unanswered(context, error, clock())
            if not error.maybe_done:
                authorship.retract(context, before)
            if at_rest and isinstance(error, MissingAgentCapability):
                self._as_code.missing(context)
                return AGAIN  # nothing has failed: it is created without its state then
            raise
        self._acting.created(context, context.wanted)
        refusal.created(context)
        self._announce(context, lost=lost)
        replacement.end(context)
        absence.created_again(context)
        if not at_rest:
            await self._states.bring_to_rest(context)
        # Connect starts it by and by, and a look at once comes too early; an end of the process waits for this pass.
        return Outcome(again=True, pause=next_look(context))

    async def _refused(self, context: ReconcileContext, error: LensesError, at: float) -> Outcome:
        """No answer is the last word here: it may have been created all the same, or a rebalance may have come."""
        memory, validator = context.memory, self._acting.validator
        context.may_be_foreign()
        observed = await context.session.reader.details(context.connector, fresh=True)
        if observed.present:
            look_closely(context)
            return AGAIN  # somebody else's, or it says no and creates all the same
        context.foreign = False
        if isinstance(error, Conflict):
            raise error
        if not await validator.lasting(context, "create", error, at):
            if context.refusal is None:
                raise error
            # In other words than before: what was said then holds until these have lasted, too.
            return await self._acting.report_refusal(context, Observed.absent())
        authorship.nothing_sent(context)
        if memory.replacement is not None and not await validator.passes_still(context):
            return await self._acting.report_refusal(context, Observed.absent())  # validated on: it may pass again
        await validator.refuse(context, "create", error)
        if replacement.can_go_back(context):
            return await self._rollback.go_back(context)
        replacement.end(context)
        return await self._acting.report_refusal(context, Observed.absent())

    async def await_loss(self, context: ReconcileContext, observed: Observed, seconds: float) -> Outcome:
        """Proven to be gone once: it may be hidden only."""
        look_closely(context)
        state = context.resource.status.ownership.state
        report = Report(missing(context.connector), state, observed, context.applied)
        return Outcome(delay=seconds) if await self._acting.reporter.report(context, report) else GONE

    async def unclaim(self, context: ReconcileContext) -> Outcome:
        """The name was taken before our first create: somebody else's connector, to which the adoption rules apply."""
        verdict = progressing(f"Connector {context.connector} exists already; its configuration is being compared.")
        if not await self._acting.reporter.report(context, Report(verdict, OwnershipState.NONE)):
            return GONE
        authorship.settled(context)
        return AGAIN

    def _announce(self, context: ReconcileContext, *, lost: bool) -> None:
        replaced, reporter = context.memory.replacement, self._acting.reporter
        if replaced is not None:
            reporter.event(context, *replaced.news)
        elif lost:
            reporter.event(context, "DriftRepaired", f"Connector {context.connector} was gone and was created again.")
        else:
            reporter.event(context, "Created", f"Created connector {context.connector}.")


def _failed_before(context: ReconcileContext) -> bool:
    ready = context.resource.status.ready
    refused_once = ready is not None and ready.reason in (Reason.CONFIG_INVALID, Reason.PLUGIN_NOT_FOUND)
    return bool(context.refusal or refused_once or context.memory.retries.failures)


def _said(context: ReconcileContext) -> Verdict | None:
    """What the last try failed of, until one works: a condition must not change with every try."""
    status = context.resource.status
    same = context.memory.retries.failures and status.observed_generation == context.generation
    return status.verdict if same else None
