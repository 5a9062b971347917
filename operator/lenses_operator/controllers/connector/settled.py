"""Nothing is to be done in Lenses: the connector's health, and when to check again."""

from __future__ import annotations

from lenses_operator.controllers.connector import topics, written
from lenses_operator.controllers.connector.acting import Acting
from lenses_operator.controllers.connector.context import AGAIN, GONE, Outcome, ReconcileContext
from lenses_operator.controllers.connector.observe import Observation, look_closely
from lenses_operator.controllers.connector.restart import Restarts
from lenses_operator.controllers.connector.settling import next_look
from lenses_operator.controllers.connector.state import StateChanges, let_go, state_reached
from lenses_operator.domain import conditions
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

    def __init__(self, acting: Acting, observation: Observation, states: StateChanges, restarts: Restarts) -> None:
        self._acting = acting
        self._observation = observation
        self._states = states
        self._restarts = restarts

    async def report(
        self, context: ReconcileContext, situation: Situation, observed: Observed, nothing: Nothing | None
    ) -> Outcome:
        """`nothing`: None while a state change is waited for, which says nothing of the configuration."""
        if nothing is not None:
            written.wait_until_run(context, waiting=bool(nothing.waiting))
        if not context.held and (observed.state != "STOPPED" or situation.state is WantedState.STOPPED):
            let_go(context)
        if situation.refused and not (context.held and observed.present):
            return await self._acting.report_refusal(context, observed)
        if self._observation.wants_traces(context, observed):
            look_closely(context)
            return AGAIN
        if context.held:
            verdict = conditions.offsets_operation(context.held, observed)
            return await self._say(context, Report(verdict, OwnershipState.OWNED, observed, context.applied))
        return await self._report_state(context, situation, observed, nothing)

    async def _report_state(
        self, context: ReconcileContext, situation: Situation, observed: Observed, nothing: Nothing | None
    ) -> Outcome:
        waiting = nothing.waiting if nothing else None
        memory, plan = context.memory, self._restarts.plan(context)
        verdict = conditions.of_connector(
            observed,
            situation.state,
            without_tasks=self._observation.without_tasks(context, observed),
            allow_no_tasks=context.resource.spec.allow_no_tasks,
            waiting=waiting,
            restarts=plan,
        )
        as_wanted = nothing is not None and not waiting
        claimed = context.applied is not None and context.applied.time is None
        applied = written.settle(context, observed, self._acting.now()) if as_wanted else context.applied
        settling = verdict.phase is Phase.RECONCILING and self._acting.clock() < memory.settling.until
        if settling and verdict.reason in (Reason.PROGRESSING, Reason.STATE_UNKNOWN):
            return self._acting.settle(context)
        if verdict.ready == "True":
            state_reached(context)
            for action in TRANSITIONS.values():
                memory.pacing.worked(f"set_state {action}")
        self._restarts.keep_count(context, verdict, plan)
        names = await topics.read(context)
        outcome = await self._say(context, Report(verdict, OwnershipState.OWNED, observed, applied, names))
        if context.resource is situation.resource and verdict.ready == "True":
            self._observation.keep_unchanged(context, observed)
        if claimed and applied is not None and applied.time is not None and applied.former_traces:
            look_closely(context)  # that it has no trace counts from now on, and its topics can be told then
            topics.set_due(context)
            return AGAIN
        return outcome

    async def suspended(self, context: ReconcileContext, observed: Observed, give_back: Transition | None) -> Outcome:
        """Observed and reported; nothing is changed, not even our own finalizer.

        But what an offsets operation stopped is given back once, since it was begun before the suspension.
        """
        await self._states.give_back(context, give_back, observed)
        self._restarts.note(context, observed)
        report = Report(
            conditions.suspended(observed if context.ours or not observed.present else None),
            context.ownership,
            observed if context.ours else None,
            context.applied,
            hide=not context.ours,
        )
        return await self._say(context, report)

    async def not_adopted(self, context: ReconcileContext, refusal: RefuseAdoption) -> Outcome:
        verdict = conditions.not_adopted(context.connector, refusal.difference, hidden=refusal.hidden)
        return await self._say(context, Report(verdict, OwnershipState.NOT_ADOPTED, hide=True))

    async def _say(self, context: ReconcileContext, report: Report) -> Outcome:
        if not await self._acting.reporter.report(context, report):
            return GONE
        if report.verdict.phase is not Phase.RECONCILING:
            return Outcome(delay=self._observation.checked_in(context))
        delay = min(next_look(context, TRANSIENT), self._observation.idle_in(context))
        due = context.marks.auto_restart and context.marks.auto_restart.next_restart_time
        if due:
            delay = max(0.1, min(delay, (due - self._acting.now()).total_seconds()))
        return Outcome(delay=delay)
