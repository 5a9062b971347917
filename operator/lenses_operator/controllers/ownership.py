"""Who may use a connector's name: policy first, then age."""

from __future__ import annotations

from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.controllers.inputs import Inputs
from lenses_operator.domain.ownership import owner_of
from lenses_operator.resources.connector import LensesConnector


class OwnershipRules:
    """Needs no word from Lenses."""

    def __init__(self, store: ConnectorCache, inputs: Inputs) -> None:
        self._store = store
        self._inputs = inputs

    def holds(self, resource: LensesConnector) -> bool:
        """Asked anew before what destroys or creates: an older claim or another policy may have come meanwhile."""
        return self._inputs.allowed(resource) and self.rival(resource) is None

    def rival(self, resource: LensesConnector) -> LensesConnector | None:
        """The resource that has the connector instead. Of those that may use the name or own it already: a namespace
        without the right cannot squat on a name."""
        claimants = self._store.claimants(resource.connector)
        owner = owner_of(one for one in claimants if one.metadata.uid == resource.metadata.uid or self._counts(one))
        return None if owner.metadata.uid == resource.metadata.uid else owner

    def _counts(self, claimant: LensesConnector) -> bool:
        """One that we have released does no longer, although somebody else's finalizer may keep the object."""
        if claimant.metadata.released:
            return False
        return claimant.status.ownership.state.ours or self._inputs.allowed(claimant)
