"""Restarts of failed tasks and connectors: by annotation once per value, by auto-restart within its budget."""

from __future__ import annotations

from dataclasses import replace

from lenses_operator.controllers.connector.acting import Acting
from lenses_operator.controllers.connector.context import GONE, Outcome, ReconcileContext
from lenses_operator.controllers.connector.observe import look_closely
from lenses_operator.controllers.connector.settling import acted
from lenses_operator.domain.conditions import of_connector
from lenses_operator.domain.decide import Restart
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.restarts import Plan, asked, counted, plan, pointless, when_well
from lenses_operator.domain.status import Report
from lenses_operator.lenses.errors import ConnectorOrClusterNotFound
from lenses_operator.resources.conditions import Verdict
from lenses_operator.resources.connector import OwnershipState, WantedState

SETTLE = 0.5


class Restarts:
    """The restart is written down before it is asked for: a crash between the two may lose one, never repeat one."""

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
        if not asked(context.resource):
            return False
        why = pointless(context.resource, observed, context.held)
        if why is None:
            return True
        context.mark(restart=context.resource.metadata.restart)
        if context.memory.restart_announced != context.resource.metadata.restart:
            context.memory.restart_announced = context.resource.metadata.restart
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
        pacing.sent("restart", self._clock(), about=about)
        if decision.asked:
            plan = replace(plan, asked=True)  # said until the next pass, so that nobody who waits is told too soon
            context.mark(restart=context.resource.metadata.restart)
        else:
            assert plan.counter is not None
            plan = replace(plan, counter=counted(plan.counter, self._now()), under_way=True)
            context.mark(auto_restart=plan.counter)
        verdict = of_connector(observed, WantedState.RUNNING, restarts=plan)
        if not await self._reporter.report(context, Report(verdict, OwnershipState.OWNED, observed, context.applied)):
            return GONE
        try:
            await self._ask(context, decision)
        finally:
            acted(context, self._clock())
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
