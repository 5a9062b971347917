"""What every action in Lenses has in common: its precondition, its pace, and how a refusal is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import inf

from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.cache.operations import OperationCache
from lenses_operator.controllers.connector.context import GONE, Outcome, ReconcileContext
from lenses_operator.controllers.connector.observe import look_closely
from lenses_operator.controllers.connector.replacement import away
from lenses_operator.controllers.connector.report import Reporter
from lenses_operator.controllers.connector.settling import acted, next_look
from lenses_operator.controllers.connector.validate import Validator
from lenses_operator.controllers.connector.written import wrote
from lenses_operator.controllers.ownership import OwnershipRules
from lenses_operator.domain.conditions import refused
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.render import Rendered
from lenses_operator.domain.status import Report
from lenses_operator.lenses.models import ConnectorRequest
from lenses_operator.lenses.transport import Precondition
from lenses_operator.lenses_state.pollers import Pollers


@dataclass(frozen=True)
class Acting:
    reporter: Reporter
    validator: Validator
    environments: Pollers
    cache: ConnectorCache
    operations: OperationCache
    ownership: OwnershipRules
    clock: Callable[[], float]
    now: Callable[[], datetime]

    def unchanged(self, context: ReconcileContext) -> bool:
        """Whether the resource is still the one the pass began with, may still use its connector, and is held by an
        offsets operation or not as then; asked right before the first byte of every request that changes anything."""
        now = self.cache.get(context.resource.key)
        return (
            now is not None
            and now.metadata.uid == context.resource.metadata.uid
            and now.metadata.generation == context.generation
            and not now.metadata.deleting
            and self.operations.holds_as_before(now, context.held is not None, context.first_operation)
            and self.ownership.holds(now)
        )

    async def finalized(self, context: ReconcileContext) -> bool:
        """What is ours carries our finalizer, though a `kubectl replace` may have dropped it. False: it is gone."""
        return not context.ours or await self.reporter.finalize(context)

    def precondition(self, context: ReconcileContext) -> Precondition:
        """A request may wait for its place until the resource is another one."""
        return lambda: self.unchanged(context)

    def settle(self, context: ReconcileContext) -> Outcome:
        """Look again soon; sooner at first."""
        return Outcome(delay=next_look(context))

    def created(self, context: ReconcileContext, written: Rendered) -> None:
        """A configuration of ours is in Lenses."""
        wrote(context, written, self.clock(), self.now())
        acted(context, self.clock())

    async def report_refusal(self, context: ReconcileContext, observed: Observed | None) -> Outcome:
        memory = context.memory
        look_closely(context)  # the list alone would say next that all is well
        absent = observed is not None and not observed.present
        assert memory.refusals.last is not None
        verdict = away(context, refused(memory.refusals.last)) if absent else refused(memory.refusals.last)
        if not await self.reporter.report(context, Report(verdict, context.ownership, observed, context.applied)):
            return GONE
        # What cannot be retried is observed all the same, and its references are read again.
        check = memory.checks.next_drift_check
        due = memory.refusals.until if check is None else min(memory.refusals.until, check)
        return Outcome(delay=None if due == inf else max(0.0, due - self.clock()))


def request_of(context: ReconcileContext, rendered: Rendered) -> ConnectorRequest:
    return ConnectorRequest(
        name=context.connector.name, cluster=context.connector.cluster, configuration=rendered.config
    )
