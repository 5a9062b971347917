"""Bringing a connector to what its resource asks for: decide, take at most one action, say how it stands."""

from __future__ import annotations

from random import uniform

from lenses_operator.controllers.acting import Acting
from lenses_operator.controllers.adoption import Adoption
from lenses_operator.controllers.as_code import AsCode
from lenses_operator.controllers.create import Creating
from lenses_operator.controllers.looking import Looking
from lenses_operator.controllers.previous import can_go_back
from lenses_operator.controllers.restarts import Restarts
from lenses_operator.controllers.rollback import Rollback
from lenses_operator.controllers.state import StateChanges
from lenses_operator.controllers.update import Updates
from lenses_operator.controllers.work import AGAIN, GONE, Outcome, Work
from lenses_operator.domain import verdicts
from lenses_operator.domain.backoff import TRANSIENT
from lenses_operator.domain.decide import (
    TRANSITIONS,
    Adopt,
    ChangeState,
    Check,
    Create,
    Decision,
    Look,
    Nothing,
    RefuseAdoption,
    Restart,
    Update,
    decide,
)
from lenses_operator.domain.deleting import Await
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.situation import Observed, Situation
from lenses_operator.domain.status import Report
from lenses_operator.resources.conditions import Phase
from lenses_operator.resources.connector import OwnershipState, WantedState


class Convergence:
    """Raises LensesError and KubeError."""

    def __init__(self, acting: Acting, looking: Looking) -> None:
        as_code = AsCode(acting)
        self._acting = acting
        self._looking = looking
        self._states = StateChanges(acting)
        self._rollback = Rollback(acting, self._states)
        self._creating = Creating(acting, self._states, self._rollback, as_code)
        self._updates = Updates(acting, as_code)
        self._restarts = Restarts(acting)
        self._adoption = Adoption(acting.reporter, acting.now)

    async def settle_contest(self, work: Work, observed: Observed) -> Outcome:
        return await self._creating.settle_contest(work, observed)

    async def converge(self, work: Work, observed: Observed) -> Outcome:
        self._rollback.recall_refusal(work, observed)
        if self._looking.stale(work, observed):
            outcome = await self._updates.not_shown(work, observed)
            if outcome is not None:
                return outcome
        situation = self._situation(work, observed)
        return await self._act(work, situation, decide(situation))

    def _situation(self, work: Work, observed: Observed) -> Situation:
        memory, plan = work.memory, self._restarts.plan(work)
        return Situation(
            resource=work.resource,
            wanted=work.wanted,
            state=work.state,
            observed=observed,
            applied=work.applied,
            last_written=memory.last_written,
            refusal=memory.refusal if self._acting.clock() < memory.refusal_until else None,
            was_held=memory.was_held,
            absent_for=0.0 if memory.absent_since is None else work.looked_at - memory.absent_since,
            taken_down=memory.deleted_at is not None,
            validated=memory.valid is not None and memory.valid[0] == work.wanted.fingerprint,
            held=work.held is not None,
            restart_asked=self._restarts.note(work, observed),
            restart_due=plan.due is not None and plan.due <= self._acting.now(),
        )

    async def _act(self, work: Work, situation: Situation, decision: Decision) -> Outcome:
        observed = situation.observed
        match decision:
            case Look():
                work.memory.look = True
                return AGAIN
            case Await(seconds=seconds):
                return await self._missing(work, observed, seconds)
            case Adopt() as adopt:
                return await self._adoption.adopt(work, adopt, observed)
            case RefuseAdoption(difference=difference, hidden=hidden):
                verdict = verdicts.not_adopted(work.connector, difference, hidden=hidden)
                return await self._say(work, Report(verdict, OwnershipState.NOT_ADOPTED, hide=True))
            case Create(lost=lost):
                return await self._creating.create(work, lost=lost)
            case Update() as update:
                return await self._update(work, update, observed)
            case Check():
                return AGAIN if await self._check(work) else await self._acting.report_refusal(work, observed)
            case ChangeState(action=action):
                outcome = await self._states.change(work, action, observed)
                return outcome or await self._settled(work, situation, Nothing())
            case Restart() as restart:
                return await self._restarts.restart(work, restart, observed)
            case Nothing() as nothing:
                if not observed.present and can_go_back(work):
                    return await self._rollback.go_back(work)
                return await self._settled(work, situation, nothing)

    async def _missing(self, work: Work, observed: Observed, seconds: float) -> Outcome:
        """Proven to be gone once."""
        work.memory.look = True
        report = Report(verdicts.missing(work.connector), OwnershipState.OWNED, observed, work.applied)
        return Outcome(delay=seconds) if await self._acting.reporter.report(work, report) else GONE

    async def _update(self, work: Work, update: Update, observed: Observed) -> Outcome:
        if work.memory.was_held and not await self._check(work):
            return AGAIN  # refused: after the offsets operation it goes on with the configuration it has
        return await self._updates.update(work, update, observed)

    async def _check(self, work: Work) -> bool:
        """Whether a configuration that has to wait would be taken."""
        work.memory.waiting = True
        return await self._acting.validator.validated(work)

    async def _settled(self, work: Work, situation: Situation, nothing: Nothing) -> Outcome:
        """Nothing to do in Lenses: say how it stands, and when to look again."""
        observed, memory = situation.observed, work.memory
        memory.waiting = bool(nothing.waiting)
        if not work.held and (observed.state != "STOPPED" or situation.state is WantedState.STOPPED):
            memory.was_held = False
        if situation.refused and not (work.held and observed.present):
            return await self._acting.report_refusal(work, observed)
        if self._looking.wants_traces(work, observed):
            memory.look = True
            return AGAIN
        if work.held:
            verdict = verdicts.offsets_operation(work.held, observed)
            return await self._say(work, Report(verdict, OwnershipState.OWNED, observed, work.applied))
        plan = self._restarts.plan(work)
        verdict = verdicts.of_connector(
            observed,
            situation.state,
            without_tasks=self._looking.without_tasks(work, observed),
            waiting=nothing.waiting,
            restarts=plan,
        )
        applied = self._looking.settle_applied(work, waiting=bool(nothing.waiting))
        settling = verdict.phase is Phase.RECONCILING and self._acting.clock() < memory.settling_until
        if settling and verdict.reason in (Reason.PROGRESSING, Reason.STATE_UNKNOWN):
            return self._acting.settle(work)
        if verdict.ready == "True":
            memory.asked = None
            for action in TRANSITIONS.values():
                memory.pacing.worked(f"set_state {action}")
        self._restarts.keep_count(work, verdict, plan)
        topics = await self._looking.topics(work)
        outcome = await self._say(work, Report(verdict, OwnershipState.OWNED, observed, applied, topics))
        if work.resource is situation.resource and verdict.ready == "True":
            self._looking.keep_calm(work, observed)
        return outcome

    async def _say(self, work: Work, report: Report) -> Outcome:
        if not await self._acting.reporter.report(work, report):
            return GONE
        if report.verdict.phase is not Phase.RECONCILING:
            return Outcome(delay=self._looking.checked_in(work))
        work.memory.settling += 1
        delay = TRANSIENT.delay(work.memory.settling, uniform)
        due = work.marks.auto_restart and work.marks.auto_restart.next_restart_time
        if due:
            delay = max(0.1, min(delay, (due - self._acting.now()).total_seconds()))
        return Outcome(delay=delay)

    async def suspended(self, work: Work, observed: Observed) -> Outcome:
        """Observed and reported; nothing is changed, not even our own finalizer.

        But what an offsets operation stopped is given back once, since it was begun before the suspension.
        """
        await self.give_back(work, observed)
        self._restarts.note(work, observed)
        ours = work.resource.status.ownership.state.ours
        report = Report(
            verdicts.suspended(observed if ours or not observed.present else None),
            work.resource.status.ownership.state,
            observed if ours else None,
            work.applied,
            hide=not ours,
        )
        return await self._say(work, report)

    async def give_back(self, work: Work, observed: Observed) -> None:
        """What an offsets operation stopped goes on, whatever else is in the way of the resource."""
        state = work.resource.spec.state
        if work.held or not work.memory.was_held or not work.ours:
            return
        if observed.state == "STOPPED" and state is not WantedState.STOPPED:
            await self._states.change(work, TRANSITIONS[state], observed)
        elif observed.present:
            work.memory.was_held = False
