"""Restarts of failed tasks and connectors: by annotation once per value, by auto-restart within its budget."""

from __future__ import annotations

from dataclasses import replace

from lenses_operator.controllers.acting import Acting
from lenses_operator.controllers.work import GONE, Outcome, Work
from lenses_operator.domain.decide import Restart
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.restarts import Plan, counted, plan, when_well
from lenses_operator.domain.status import Report
from lenses_operator.domain.verdicts import of_connector
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

    def plan(self, work: Work) -> Plan:
        """For a connector that has failed."""
        return plan(work.resource, self._now())

    def keep_count(self, work: Work, verdict: Verdict, plan: Plan) -> None:
        """While it fails the plan is shown; while it is well the count, until ten healthy minutes have passed."""
        failed = verdict.reason in (Reason.TASK_FAILED, Reason.CONNECTOR_FAILED)
        work.mark(auto_restart=plan.counter if failed else when_well(work.resource, self._now()))

    def asked(self, work: Work) -> bool:
        """Whether the annotation has a value that has not been handled."""
        value = work.resource.metadata.restart
        return value is not None and value != work.resource.status.last_handled_restart

    def note(self, work: Work, observed: Observed) -> bool:
        """Whether a restart that was asked for is to be done; where it makes no sense it is noted as handled."""
        if not self.asked(work):
            return False
        why = self._why_not(work, observed)
        if why is None:
            return True
        work.mark(restart=work.resource.metadata.restart)
        if work.memory.announced_restart != work.resource.metadata.restart:
            work.memory.announced_restart = work.resource.metadata.restart
            self._reporter.event(work, "NotRestarted", f"The restart annotation restarted nothing: {why}.")
        return False

    async def restart(self, work: Work, decision: Restart, observed: Observed) -> Outcome:
        """Failed tasks one by one; the connector itself only if it failed, or if a person asked and nothing failed."""
        plan = self.plan(work)
        if decision.asked:
            work.mark(restart=work.resource.metadata.restart)
        else:
            assert plan.counter is not None
            plan = replace(plan, counter=counted(plan.counter, self._now()), under_way=True)
            work.mark(auto_restart=plan.counter)
        verdict = of_connector(observed, WantedState.RUNNING, restarts=plan)
        if not await self._reporter.report(work, Report(verdict, OwnershipState.OWNED, observed, work.applied)):
            return GONE
        try:
            await self._ask(work, decision)
        finally:
            work.memory.acted(self._clock())
        return Outcome(delay=SETTLE)

    async def _ask(self, work: Work, decision: Restart) -> None:
        client, memory = work.session.client, work.memory
        why = "as the restart annotation asks" if decision.asked else "automatically"
        if decision.connector:
            await client.set_state(*work.connector, "restart", precondition=self._acting.precondition(work))
            self._reporter.event(work, "ConnectorRestarted", f"Restarted the connector, {why}.")
        for task in decision.tasks:
            memory.acted(self._clock())
            try:
                await client.restart_task(*work.connector, task, precondition=self._acting.precondition(work))
            except ConnectorOrClusterNotFound:
                continue  # the list may show tasks that are no more
            self._reporter.event(work, "TaskRestarted", f"Restarted task {task}, {why}.")

    @staticmethod
    def _why_not(work: Work, observed: Observed) -> str | None:
        resource = work.resource
        if resource.spec.suspend:
            return "spec.suspend is true"
        if work.held:
            return f"LensesConnectorOffsets {work.held} keeps the connector stopped"
        if resource.spec.state is not WantedState.RUNNING:
            return f"spec.state is {resource.spec.state}"
        if resource.status.observed_generation == -1 or not observed.present:
            return "it was there when the connector was created, which starts it anyway"
        return None
