"""What every action in Lenses has in common: its precondition, its pace, and how a refusal is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import inf
from random import uniform

from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.controllers.connector.context import GONE, Outcome, ReconcileContext
from lenses_operator.controllers.connector.report import Reporter
from lenses_operator.controllers.connector.validate import Validator
from lenses_operator.controllers.ownership import OwnershipRules
from lenses_operator.domain.backoff import SETTLING
from lenses_operator.domain.conditions import refused
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.render import Rendered
from lenses_operator.domain.status import Report
from lenses_operator.lenses.models import ConnectorRequest
from lenses_operator.lenses.transport import Precondition
from lenses_operator.lenses_state.pollers import Pollers
from lenses_operator.resources.connector import OwnershipState


@dataclass(frozen=True)
class Acting:
    reporter: Reporter
    validator: Validator
    environments: Pollers
    store: ConnectorCache
    ownership: OwnershipRules
    clock: Callable[[], float]
    now: Callable[[], datetime]

    def unchanged(self, context: ReconcileContext) -> bool:
        """Whether the resource is still the one the pass began with, and may still use its connector; asked right
        before the first byte of every request that changes anything."""
        now = self.store.get(context.resource.key)
        return (
            now is not None
            and now.metadata.uid == context.resource.metadata.uid
            and now.metadata.generation == context.generation
            and not now.metadata.deleting
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
        context.memory.settling += 1
        return Outcome(delay=SETTLING.delay(context.memory.settling, uniform))

    def created(self, context: ReconcileContext, written: Rendered) -> None:
        """A configuration of ours is in Lenses."""
        context.memory.wrote(written, context.applying(written, self.now()), self.clock())
        context.memory.acted(self.clock())

    async def report_refusal(self, context: ReconcileContext, observed: Observed | None) -> Outcome:
        """A claim without a create in flight is given back: what was never created is not owned."""
        memory, state = context.memory, context.resource.status.ownership.state
        memory.look = True  # the list alone would say next that all is well
        absent = observed is not None and not observed.present
        if state is OwnershipState.CLAIMING and absent and not memory.attempted:
            state = OwnershipState.NONE
        assert memory.refusal is not None
        verdict = refused(memory.refusal)
        if not await self.reporter.report(context, Report(verdict, state, observed, context.applied)):
            return GONE
        # What cannot be tried again is looked at all the same, and what it refers to read again.
        due = min(memory.refusal_until, inf if memory.next_check is None else memory.next_check)
        return Outcome(delay=None if due == inf else max(0.0, due - self.clock()))


def request_of(context: ReconcileContext, rendered: Rendered) -> ConnectorRequest:
    return ConnectorRequest(
        name=context.connector.name, cluster=context.connector.cluster, configuration=rendered.config
    )
