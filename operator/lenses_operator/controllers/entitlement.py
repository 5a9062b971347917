"""Who may use a connector's name: policy first, then age."""

from __future__ import annotations

from lenses_operator.controllers.environments import Environments
from lenses_operator.controllers.inputs import Inputs
from lenses_operator.controllers.reporter import Reporter
from lenses_operator.controllers.store import Store
from lenses_operator.controllers.work import GONE, Outcome, Work
from lenses_operator.domain import verdicts
from lenses_operator.domain.ownership import conflict_message, owner_of
from lenses_operator.domain.policy import not_allowed_message
from lenses_operator.domain.status import Report
from lenses_operator.resources.connector import LensesConnector, OwnershipState

BURIED = 5.0
"""Seconds between two looks for whether an object that is gone has had its connector deleted."""


class Entitlement:
    """Needs no word from Lenses."""

    def __init__(self, store: Store, inputs: Inputs, environments: Environments, reporter: Reporter) -> None:
        self._store = store
        self._inputs = inputs
        self._environments = environments
        self._reporter = reporter

    async def refuse(self, work: Work) -> Outcome | None:
        """None where the resource may go on; else it has been told why not."""
        resource = work.resource
        if not resource.metadata.deleting and not self._inputs.allowed(resource):
            return await self._not_allowed(work)
        owner = self.owner(resource)
        if owner.metadata.uid != resource.metadata.uid:
            return await self._lose(work, owner)
        return None

    def holds(self, resource: LensesConnector) -> bool:
        """Asked anew before what destroys or creates: an older claim or another policy may have come meanwhile."""
        return self._inputs.allowed(resource) and self.owner(resource).metadata.uid == resource.metadata.uid

    def owner(self, resource: LensesConnector) -> LensesConnector:
        """Of those that may use the name or own it already: a namespace without the right cannot squat on a name."""
        claimants = self._store.claimants(resource.connector)
        return owner_of(one for one in claimants if one.metadata.uid == resource.metadata.uid or self._counts(one))

    def _counts(self, claimant: LensesConnector) -> bool:
        """One that we have released does no longer, although somebody else's finalizer may keep the object."""
        if claimant.metadata.released:
            return False
        return claimant.status.ownership.state.ours or self._inputs.allowed(claimant)

    async def _lose(self, work: Work, owner: LensesConnector) -> Outcome:
        if work.resource.metadata.deleting:
            await self._reporter.release(work)
            return GONE
        self._environments.leave(work.resource.key)
        verdict = verdicts.conflict(conflict_message(work.resource, owner))
        await self._reporter.report(work, Report(verdict, OwnershipState.CONFLICT, hide=True))
        # The owner's going wakes us; but of one that is gone already, whose deletion is still owed, no event comes.
        buried = self._store.tombstone(owner.key) is not None
        return Outcome(delay=BURIED if buried else None)

    async def _not_allowed(self, work: Work) -> Outcome:
        """What it owns stays owned: it may still be deleted, and it is shown again when policy allows it again."""
        self._environments.leave(work.resource.key)
        verdict = verdicts.not_allowed(not_allowed_message(work.resource))
        state = work.resource.status.ownership.state
        await self._reporter.report(work, Report(verdict, state, applied=work.applied, hide=True))
        return Outcome()
