"""Who may use a connector's name: policy first, then age."""

from __future__ import annotations

from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.controllers.inputs import Inputs
from lenses_operator.domain.ownership import rival_of
from lenses_operator.resources.connector import LensesConnector


class OwnershipRules:
    """Needs no word from Lenses."""

    def __init__(self, cache: ConnectorCache, inputs: Inputs) -> None:
        self._cache = cache
        self._inputs = inputs

    def holds(self, resource: LensesConnector) -> bool:
        """Asked again before anything is deleted or created: an older claim or another policy may have come since."""
        return self._inputs.allowed(resource) and self.rival(resource) is None

    def rival(self, resource: LensesConnector) -> LensesConnector | None:
        """The resource that has the connector instead."""
        return rival_of(resource, self._cache.claimants(resource.connector), self._inputs.allowed)
