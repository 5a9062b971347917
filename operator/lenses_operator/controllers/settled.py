"""Nothing is to be done in Lenses: how the connector stands, and when to look again."""

from __future__ import annotations

from random import uniform

from lenses_operator.controllers.acting import Acting
from lenses_operator.controllers.looking import Looking
from lenses_operator.controllers.restarts import Restarts
from lenses_operator.controllers.state import StateChanges
from lenses_operator.controllers.work import AGAIN, GONE, Outcome, Work
from lenses_operator.domain import verdicts
from lenses_operator.domain.backoff import TRANSIENT
from lenses_operator.domain.decide import Nothing, RefuseAdoption
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.situation import Situation
from lenses_operator.domain.states import TRANSITIONS, Transition
from lenses_operator.domain.status import Report
from lenses_operator.resources.conditions import Phase
from lenses_operator.resources.connector import OwnershipState, WantedState


class Settled:
    """Raises KubeError."""

    def __init__(self, acting: Acting, looking: Looking, states: StateChanges, restarts: Restarts) -> None:
        self._acting = acting
        self._looking = looking
        self._states = states
        self._restarts = restarts

    async def report(self, work: Work, situation: Situation, observed: Observed, nothing: Nothing) -> Outcome:
        memory = work.memory
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
        return await self._report_state(work, situation, observed, nothing)

    async def _report_state(self, work: Work, situation: Situation, observed: Observed, nothing: Nothing) -> Outcome:
        memory, plan = work.memory, self._restarts.plan(work)
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

    async def suspended(self, work: Work, observed: Observed, give_back: Transition | None) -> Outcome:
        """Observed and reported; nothing is changed, not even our own finalizer.

        But what an offsets operation stopped is given back once, since it was begun before the suspension.
        """
        await self._states.give_back(work, give_back, observed)
        self._restarts.note(work, observed)
        report = Report(
            verdicts.suspended(observed if work.ours or not observed.present else None),
            work.resource.status.ownership.state,
            observed if work.ours else None,
            work.applied,
            hide=not work.ours,
        )
        return await self._say(work, report)

    async def not_adopted(self, work: Work, refusal: RefuseAdoption) -> Outcome:
        verdict = verdicts.not_adopted(work.connector, refusal.difference, hidden=refusal.hidden)
        return await self._say(work, Report(verdict, OwnershipState.NOT_ADOPTED, hide=True))

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
