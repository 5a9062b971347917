"""What every action in Lenses has in common: its precondition, its pace, and how a refusal is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import inf
from random import uniform

from lenses_operator.controllers.entitlement import Entitlement
from lenses_operator.controllers.environments import Environments
from lenses_operator.controllers.reporter import Reporter
from lenses_operator.controllers.store import Store
from lenses_operator.controllers.validator import Validator
from lenses_operator.controllers.work import GONE, Outcome, Work
from lenses_operator.domain.backoff import SETTLING
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.render import Rendered
from lenses_operator.domain.status import Report
from lenses_operator.domain.verdicts import refused
from lenses_operator.lenses.models import ConnectorRequest
from lenses_operator.lenses.transport import Precondition
from lenses_operator.resources.connector import OwnershipState


@dataclass(frozen=True)
class Acting:
    reporter: Reporter
    validator: Validator
    environments: Environments
    store: Store
    entitlement: Entitlement
    clock: Callable[[], float]
    now: Callable[[], datetime]

    def unchanged(self, work: Work) -> bool:
        """Whether the resource is still the one the pass began with, and may still use its connector; asked right
        before the first byte of every request that changes anything."""
        now = self.store.get(work.resource.key)
        return (
            now is not None
            and now.metadata.uid == work.resource.metadata.uid
            and now.metadata.generation == work.generation
            and not now.metadata.deleting
            and self.entitlement.holds(now)
        )

    async def finalized(self, work: Work) -> bool:
        """What is ours carries our finalizer, though a `kubectl replace` may have dropped it. False: it is gone."""
        return not work.ours or await self.reporter.finalize(work)

    def precondition(self, work: Work) -> Precondition:
        """A request may wait for its place until the resource is another one."""
        return lambda: self.unchanged(work)

    def settle(self, work: Work) -> Outcome:
        """Look again soon; sooner at first."""
        work.memory.settling += 1
        return Outcome(delay=SETTLING.delay(work.memory.settling, uniform))

    def created(self, work: Work, written: Rendered) -> None:
        """A configuration of ours is in Lenses."""
        work.memory.wrote(written, work.applying(written, self.now()), self.clock())
        work.memory.acted(self.clock())

    async def report_refusal(self, work: Work, observed: Observed | None) -> Outcome:
        """A claim without a create in flight is given back: what was never created is not owned."""
        memory, state = work.memory, work.resource.status.ownership.state
        memory.look = True  # the list alone would say next that all is well
        absent = observed is not None and not observed.present
        if state is OwnershipState.CLAIMING and absent and memory.attempted is None:
            state = OwnershipState.NONE
        assert memory.refusal is not None
        verdict = refused(memory.refusal)
        if not await self.reporter.report(work, Report(verdict, state, observed, work.applied)):
            return GONE
        # What cannot be tried again is looked at all the same, and what it refers to read again.
        due = min(memory.refusal_until, inf if memory.next_check is None else memory.next_check)
        return Outcome(delay=None if due == inf else max(0.0, due - self.clock()))


def request_of(work: Work, rendered: Rendered) -> ConnectorRequest:
    return ConnectorRequest(name=work.connector.name, cluster=work.connector.cluster, configuration=rendered.config)
