"""Who names which connector, as the operator would find it once the files were applied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from lenses_operator.domain.ownership import rival_of
from lenses_operator.domain.policy import Policy
from lenses_operator.domain.render import Rendered
from lenses_operator.domain.situation import Situation
from lenses_operator.resources.connector import ConnectorKey, LensesConnector


class Claims:
    def __init__(self, resources: Iterable[LensesConnector], policy: Policy) -> None:
        self._policy = policy
        self._claimants: dict[ConnectorKey, list[LensesConnector]] = defaultdict(list)
        for one in resources:
            self._claimants[one.connector].append(one)

    def situation(self, resource: LensesConnector) -> Situation:
        """What can be said without Lenses and without what the spec refers to."""
        return Situation(
            resource=resource,
            wanted=Rendered({}),
            state=resource.spec.state,
            allowed=self._policy.allows(resource),
            rival=rival_of(resource, self._claimants[resource.connector], self._policy.allows),
        )
