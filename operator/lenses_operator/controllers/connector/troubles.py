"""What keeps a resource from being looked after, and when it is tried again."""

from __future__ import annotations

from random import uniform

from lenses_operator.controllers.connector.acting import Acting
from lenses_operator.controllers.connector.context import Outcome, ReconcileContext
from lenses_operator.controllers.connector.delete import Deletions
from lenses_operator.controllers.connector.observe import Observation
from lenses_operator.controllers.connector.replacement import away
from lenses_operator.controllers.connector.retries import failed, reference_missing
from lenses_operator.controllers.connector.state import StateChanges
from lenses_operator.controllers.pacing import WHILE_AWAY
from lenses_operator.controllers.problems import problem_of
from lenses_operator.domain import conditions
from lenses_operator.domain.backoff import MISSING, SLOW, TRANSIENT
from lenses_operator.domain.decide import Refuse, Unusable
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.references import ReferenceNotFound
from lenses_operator.domain.status import Report
from lenses_operator.lenses.errors import LensesError, MissingAgentCapability
from lenses_operator.resources.conditions import Phase
from lenses_operator.resources.connector import LensesConnector

QUIET_FAILURES = 3
"""Passing failures in a row before a connector that is well is called into question."""
BURIED = 5.0
"""Seconds between two looks for whether an object that is gone has had its connector deleted."""


class Troubles:
    def __init__(self, acting: Acting, observation: Observation, states: StateChanges, deletions: Deletions) -> None:
        self._acting = acting
        self._observation = observation
        self._states = states
        self._deletions = deletions

    async def refuse(self, context: ReconcileContext, refuse: Refuse) -> Outcome:
        """Nothing is requested of Lenses; a running connector keeps running."""
        resource = context.resource
        self._acting.environments.unsubscribe(resource.key)
        if resource.metadata.deleting:
            return await self._deletions.blocked(context, refuse.verdict)
        state = refuse.state or context.ownership
        applied = None if refuse.state is not None else context.applied
        await self._acting.reporter.report(context, Report(refuse.verdict, state, applied=applied, hide=refuse.hide))
        # The owner's going wakes us; but of one that is gone already, whose deletion is still pending, no event comes.
        buried = context.rival is not None and self._acting.cache.tombstone(context.rival.key) is not None
        return Outcome(delay=BURIED if buried else None)

    async def unusable(self, context: ReconcileContext, unusable: Unusable, observed: Observed | None) -> Outcome:
        """Nothing is sent; a connector that runs keeps its old configuration, and what is seen of it is still shown."""
        resource, verdict = context.resource, conditions.unusable(unusable.error)
        if resource.metadata.deleting:
            return await self._deletions.blocked(context, verdict)
        if observed is not None:
            await self._states.give_back(context, unusable.give_back, observed)
        report = Report(verdict, context.ownership, self._observation.shown_by_list(context), context.applied)
        await self._acting.reporter.report(context, report)
        missing = isinstance(unusable.error, ReferenceNotFound)
        if not missing and not resource.spec.config_from and resource.spec.token_secret_ref is None:
            return Outcome()  # only a changed spec can fix it
        return Outcome(delay=MISSING.delay(reference_missing(context), uniform))

    async def failed(self, context: ReconcileContext, error: LensesError) -> Outcome:
        """Where a cluster as a whole is lost its poller wakes us when it is back, and nothing is asked until then."""
        memory, resource = context.memory, context.resource
        lost = context.view is not None and error is context.view.error
        await context.prepare()
        lacks = isinstance(error, MissingAgentCapability)
        problem = problem_of(
            error,
            context.connector,
            context.quotable,
            context.session.token_name,
            version=await context.session.reader.version(context.connector) if lacks else None,
            listed=context.view is not None and context.view.listed,
        )
        if resource.metadata.deleting:
            return await self._deletions.blocked(context, problem)
        failures = failed(context)
        passing = problem.phase is Phase.RECONCILING
        backoff = (TRANSIENT if passing else SLOW).delay(failures, uniform)
        about_to_be_judged = memory.validation.repeated is not None
        if passing and (memory.replacement is not None or about_to_be_judged):
            backoff = min(backoff, WHILE_AWAY)
        # With a token of its own the Secret is read again, since that is where it will be fixed.
        delay = None if lost and context.session.resource_token is None else max(backoff, error.retry_after or 0.0)
        if passing and not lost and failures < QUIET_FAILURES and _is_well(resource):
            return Outcome(delay=delay)
        # A suspended one stays Suspended whatever Lenses says; nothing is going on that could stall.
        verdict = conditions.suspended(None) if resource.spec.suspend else problem
        seen = context.observed  # as it is where only the request was refused, and where it is known to be away
        shown = seen if seen is not None and (lacks or not seen.present) else None
        report = Report(away(context, verdict), context.ownership, shown, context.applied)
        await self._acting.reporter.report(context, report)
        return Outcome(delay=delay)


def _is_well(resource: LensesConnector) -> bool:
    ready = resource.status.ready
    generation = resource.metadata.generation
    return ready is not None and ready.status == "True" and ready.observed_generation == generation
