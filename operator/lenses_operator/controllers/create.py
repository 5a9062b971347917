"""Creating a connector: finalizer, claim, validate, create; and what an answer that is no success means."""

from __future__ import annotations

from lenses_operator.controllers.acting import Acting, request_of
from lenses_operator.controllers.as_code import AsCode
from lenses_operator.controllers.pacing import SLOWEST, WHILE_AWAY
from lenses_operator.controllers.previous import can_go_back
from lenses_operator.controllers.rollback import Rollback
from lenses_operator.controllers.state import StateChanges
from lenses_operator.controllers.work import AGAIN, GONE, Outcome, Work
from lenses_operator.domain.drift import may_have_become
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.situation import Observed
from lenses_operator.domain.status import Report
from lenses_operator.domain.verdicts import creating, progressing, refused
from lenses_operator.lenses.errors import (
    AgentCallFailed,
    BadRequest,
    Conflict,
    ConnectorOrClusterNotFound,
    LensesError,
    MissingAgentCapability,
    ServerError,
)
from lenses_operator.resources.connector import AppliedConfig, OwnershipState, WantedState

REFUSED = (BadRequest, Conflict, ServerError, AgentCallFailed, ConnectorOrClusterNotFound)
"""What says no, or seems to: looked at again before anything is concluded."""


class Creating:
    def __init__(self, acting: Acting, states: StateChanges, rollback: Rollback, as_code: AsCode) -> None:
        self._acting = acting
        self._states = states
        self._rollback = rollback
        self._as_code = as_code

    async def create(self, work: Work, *, lost: bool) -> Outcome:
        """What was refused before is validated first: no claim in vain."""
        memory, acting = work.memory, self._acting
        if memory.expects(acting.clock()):
            return acting.settle(work)
        wait = memory.pacing.wait("create", acting.clock(), WHILE_AWAY if memory.replacement else SLOWEST)
        if wait:
            memory.look = True
            return Outcome(delay=wait, paced=True)
        if _refused_before(work) and not await acting.validator.validated(work):
            return await acting.report_refusal(work, Observed.absent())
        if not await acting.reporter.finalize(work):
            return GONE
        if not work.resource.status.ownership.state.ours:
            verdict = refused(work.refusal) if work.refusal else creating(work.connector)
            claim = AppliedConfig(hash=work.wanted.hash, secrets=work.wanted.secret_versions)
            report = Report(verdict, OwnershipState.CLAIMING, Observed.absent(), claim)
            memory.claimed = True  # before it is written: an answer may fail to come
            if not await acting.reporter.report(work, report):
                return GONE
        if not await acting.validator.validated(work):
            return await acting.report_refusal(work, Observed.absent())
        if not acting.unchanged(work):
            return Outcome(delay=0)
        return await self._send(work, lost=lost)

    async def _send(self, work: Work, *, lost: bool) -> Outcome:
        memory, clock = work.memory, self._acting.clock
        at_rest = work.state is not WantedState.RUNNING and await self._as_code.takes_state(work)
        before, doubtful = memory.attempted, memory.contested  # what the first create has said holds until it is seen
        contested = doubtful or memory.unsent
        memory.attempted, memory.contested = work.wanted, doubtful
        memory.pacing.sent("create", clock())
        try:
            if at_rest:
                await self._as_code.put(work, work.state)
            else:
                request = request_of(work, work.wanted)
                await self._acting.client(work).create_connector(work.connector.environment, request)
        except REFUSED as error:
            memory.acted(clock())
            if not error.maybe_done or isinstance(error, Conflict):
                memory.attempted = before  # this create did nothing; one before it that was never answered still may
            memory.contested = contested
            return await self._refused(work, error)
        except LensesError as error:
            memory.acted(clock())
            if not error.maybe_done:
                memory.attempted = before
            if at_rest and isinstance(error, MissingAgentCapability):
                self._as_code.missing(work)
            raise
        self._acting.created(work, work.wanted)
        memory.refusal = memory.refused = None
        self._announce(work, lost=lost)
        memory.replacement, memory.deleted_at = None, None
        if not at_rest:
            await self._states.hold(work)
        return AGAIN

    async def _refused(self, work: Work, error: LensesError) -> Outcome:
        """No answer is the last word here: it may have been created all the same, or a rebalance may have come."""
        memory, validator = work.memory, self._acting.validator
        observed = await work.session.observer.details(work.connector, fresh=True)
        if observed.present:
            memory.look = True
            return AGAIN  # somebody else's, or it says no and creates all the same
        if isinstance(error, Conflict) or not await validator.lasting(work, "create", error):
            raise error
        memory.attempted = None
        memory.contested = False
        await validator.refuse(work, "create", error)
        if can_go_back(work):
            return await self._rollback.go_back(work)
        memory.replacement = None
        return await self._acting.report_refusal(work, Observed.absent())

    async def settle_contest(self, work: Work, observed: Observed) -> Outcome:
        """The first create was refused, and now there is a connector: what it shows tells whose it is."""
        memory = work.memory
        memory.contested = False
        sent, seen = memory.attempted, observed.config
        hidden = observed.details.hidden_keys if observed.details else frozenset[str]()
        if sent is not None and seen is not None and may_have_become(sent.config, seen, hidden=hidden):
            memory.look = True
            return AGAIN
        memory.attempted = None
        return await self.unclaim(work)

    async def unclaim(self, work: Work) -> Outcome:
        """The name was taken before our first create: somebody else's connector, to which the adoption rules apply."""
        verdict = progressing(f"Connector {work.connector} exists already; its configuration is being compared.")
        if not await self._acting.reporter.report(work, Report(verdict, OwnershipState.NONE)):
            return GONE
        work.memory.claimed = False
        return AGAIN

    def _announce(self, work: Work, *, lost: bool) -> None:
        replacement, reporter = work.memory.replacement, self._acting.reporter
        if replacement is not None:
            reporter.event(work, *replacement.news)
        elif lost:
            reporter.event(work, "DriftRepaired", f"Connector {work.connector} was gone and was created again.")
        else:
            reporter.event(work, "Created", f"Created connector {work.connector}.")


def _refused_before(work: Work) -> bool:
    ready = work.resource.status.ready
    return work.refusal is not None or (
        ready is not None and ready.reason in (Reason.CONFIG_INVALID, Reason.PLUGIN_NOT_FOUND)
    )
