"""Restarts of failed tasks and connectors: by annotation once per value, by auto-restart within its budget."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from random import uniform

from lenses_operator.controllers.connector.acting import Acting
from lenses_operator.controllers.connector.context import GONE, Outcome, ReconcileContext
from lenses_operator.controllers.connector.observe import look_closely
from lenses_operator.controllers.connector.retries import failed
from lenses_operator.controllers.connector.settling import acted
from lenses_operator.domain.backoff import TRANSIENT
from lenses_operator.domain.conditions import of_connector
from lenses_operator.domain.decide import Restart
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.restarts import Plan, asked, counted, plan, pointless, when_well
from lenses_operator.domain.status import Report
from lenses_operator.lenses.errors import Conflict, ConnectorOrClusterNotFound, LensesError, PreconditionFailed
from lenses_operator.resources.conditions import Verdict
from lenses_operator.resources.connector import OwnershipState, WantedState

SETTLE = 0.5
ASK_FOR = 600.0
"""Seconds for which a restart that is refused is asked for again. Until then its resource cannot settle."""


@dataclass(frozen=True, slots=True)
class AskedRestart:
    """Values of the annotation: `announced` an Event has reported as pointless; `pending` is written down as handled,
    and nothing was restarted for it so far: `refused` says why. `since`: when it was to be made first, of the event
    loop."""

    announced: str | None = None
    pending: str | None = None
    refused: str = ""
    since: float = -inf


class Restarts:
    """The restart is written down before it is asked for: a crash between the two may lose one, never repeat one.

    Of the annotation one that was certainly not carried out is asked for again, for a time; of auto-restart the next
    one comes.
    """

    def __init__(self, acting: Acting) -> None:
        self._acting = acting
        self._reporter = acting.reporter
        self._clock = acting.clock
        self._now = acting.now

    def plan(self, context: ReconcileContext) -> Plan:
        """For a connector that has failed."""
        return plan(context.resource, self._now())

    def keep_count(self, context: ReconcileContext, verdict: Verdict, plan: Plan) -> None:
        """While it fails the plan is shown; while it is well the count, until ten healthy minutes have passed."""
        failed = verdict.reason in (Reason.TASK_FAILED, Reason.CONNECTOR_FAILED)
        context.mark(auto_restart=plan.counter if failed else when_well(context.resource, self._now()))

    def note(self, context: ReconcileContext, observed: Observed) -> bool:
        """Whether a restart that was asked for is to be done; where it makes no sense it is noted as handled."""
        before, value = context.memory.asked_restart, context.resource.metadata.restart
        if not asked(context.resource) and (value is None or before.pending != value):
            return False
        why = pointless(context.resource, observed, context.held)
        if why is None:
            return True
        context.mark(restart=value)
        context.memory.asked_restart = AskedRestart(announced=value)
        if before.announced != value:
            self._reporter.event(context, "NotRestarted", f"The restart annotation restarted nothing: {why}.")
        return False

    async def restart(self, context: ReconcileContext, decision: Restart, observed: Observed) -> Outcome:
        """Failed tasks one by one; the connector itself only if it failed, or if a person asked and nothing failed."""
        plan, pacing = self.plan(context), context.memory.pacing
        about = context.resource.metadata.restart if decision.asked else plan.counter
        wait = pacing.wait("restart", self._clock(), about=about)
        if wait:
            look_closely(context)
            return Outcome(delay=wait, paced=True)
        if decision.asked:
            if asked(context.resource):
                context.memory.asked_restart = replace(context.memory.asked_restart, since=self._clock(), refused="")
            self._pends(context, context.resource.metadata.restart)
            # Said until the next pass, so that nobody who waits is told too soon.
            plan = replace(plan, asked=True, refused=context.memory.asked_restart.refused)
            context.mark(restart=context.resource.metadata.restart)
        else:
            assert plan.counter is not None
            plan = replace(plan, counter=counted(plan.counter, self._now()), under_way=True)
            context.mark(auto_restart=plan.counter)
        verdict = of_connector(observed, WantedState.RUNNING, restarts=plan)
        if not await self._reporter.report(context, Report(verdict, OwnershipState.OWNED, observed, context.applied)):
            return GONE
        self._pends(context, None)
        pacing.sent("restart", self._clock(), about=about)
        try:
            await self._ask(context, decision)
        except LensesError as error:
            if not decision.asked:
                raise
            return await self._came_to_nothing(context, error)
        finally:
            acted(context, self._clock())
        return Outcome(delay=SETTLE)

    @staticmethod
    def _pends(context: ReconcileContext, value: str | None) -> None:
        context.memory.asked_restart = replace(context.memory.asked_restart, pending=value)

    async def _came_to_nothing(self, context: ReconcileContext, error: LensesError) -> Outcome:
        """Or nobody knows: then it is not repeated, and whoever has asked is told. Of the connector itself neither says
        anything. Raises PreconditionFailed, whose pass begins anew."""
        refused = isinstance(error, Conflict) or not error.maybe_done
        again = refused and self._clock() < context.memory.asked_restart.since + ASK_FOR
        if again:
            self._pends(context, context.resource.metadata.restart)
        if isinstance(error, PreconditionFailed):
            raise error
        await context.prepare()
        words = error.explain(context.quotable).rstrip(".")
        if again:
            context.memory.asked_restart = replace(context.memory.asked_restart, refused=words)
            backoff = TRANSIENT.delay(failed(context), uniform)
            return Outcome(delay=max(backoff, error.retry_after or 0.0), paced=True)
        if refused:
            message = f"The restart annotation restarted nothing: it was refused for ten minutes ({words})."
            self._reporter.event(context, "NotRestarted", message, warning=True)
            return Outcome(delay=SETTLE)
        message = (
            f"No answer says whether the restart that the annotation asks for was made ({words}). It is not asked for "
            "again, since it may have been; give the annotation another value to restart once more."
        )
        self._reporter.event(context, "RestartUnanswered", message, warning=True)
        return Outcome(delay=SETTLE)

    async def _ask(self, context: ReconcileContext, decision: Restart) -> None:
        client = context.session.client
        why = "as the restart annotation asks" if decision.asked else "automatically"
        if decision.connector:
            await client.set_state(*context.connector, "restart", precondition=self._acting.precondition(context))
            self._reporter.event(context, "ConnectorRestarted", f"Restarted the connector, {why}.")
        for task in decision.tasks:
            acted(context, self._clock())
            try:
                await client.restart_task(*context.connector, task, precondition=self._acting.precondition(context))
            except ConnectorOrClusterNotFound:
                continue  # the list may show tasks that are no more
            self._reporter.event(context, "TaskRestarted", f"Restarted task {task}, {why}.")
