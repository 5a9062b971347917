"""One pass over one LensesConnectorOffsets: observe, or carry its operation one step on. It may be cut off anywhere."""

from __future__ import annotations

from random import uniform

from lenses_operator.aside import aside
from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.cache.operations import OperationCache, connector_key
from lenses_operator.controllers.inputs import Inputs
from lenses_operator.controllers.offsets.run import Run
from lenses_operator.controllers.offsets.steps import OffsetsSteps
from lenses_operator.controllers.problems import problem_of
from lenses_operator.controllers.redaction import prepare
from lenses_operator.domain import offsets_status as say
from lenses_operator.domain.backoff import SLOW, TRANSIENT
from lenses_operator.domain.offsets_text import OffsetsInvalid, next_in_line, request_text, weight
from lenses_operator.domain.references import ReferenceNotFound
from lenses_operator.domain.render import ConfigInvalid
from lenses_operator.lenses.errors import LensesError
from lenses_operator.lenses_state.pollers import Pollers
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.conditions import Phase
from lenses_operator.resources.connector import LensesConnector, OwnershipState
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets

LOOK_AGAIN = 15.0
"""Seconds between two looks at a connector that is not ready; mostly something wakes the key sooner."""


class OffsetsController:
    """`reconcile` returns the seconds until the next pass over the key, None to wait for an event."""

    def __init__(
        self,
        *,
        operations: OperationCache,
        connectors: ConnectorCache,
        environments: Pollers,
        inputs: Inputs,
        steps: OffsetsSteps,
    ) -> None:
        self._operations = operations
        self._connectors = connectors
        self._environments = environments
        self._inputs = inputs
        self._steps = steps
        self._failures: dict[ObjectKey, int] = {}

    async def reconcile(self, key: ObjectKey) -> float | None:
        """Raises KubeError only."""
        operation = self._operations.get(key)
        if operation is None or operation.metadata.deleting:
            self._forget(key)
            return None
        if operation.operates and (operation.applied or operation.failed):
            self._forget(key)
            return None
        if operation.schema_mismatch is not None:
            self._environments.unsubscribe(key)
            await self._steps.report(operation, say.schema_mismatch(operation.schema_mismatch.words))
            return None
        connector = self._connectors.get(connector_key(operation))
        if connector is None:
            self._environments.unsubscribe(key)
            name = operation.spec.connector_ref.name
            verdict = say.connector_not_found(name)
            await self._steps.let_go(operation, verdict, f"There is no LensesConnector {name}.", say.hidden())
            return LOOK_AGAIN
        try:
            text = await aside(weight(operation.spec), request_text, operation.spec)
        except OffsetsInvalid as error:
            await self._steps.report(operation, say.invalid(str(error)))
            return None
        return await self._for_connector(operation, connector, text)

    def _forget(self, key: ObjectKey) -> None:
        """Nothing is left to do for it."""
        self._failures.pop(key, None)
        self._steps.forget(key)
        self._environments.unsubscribe(key)

    async def _for_connector(
        self, operation: LensesConnectorOffsets, connector: LensesConnector, text: str | None
    ) -> float | None:
        why = self._not_ready(operation, connector)
        if why is not None:
            self._environments.unsubscribe(operation.key)
            ours = connector.status.ownership.state.ours and self._inputs.allowed(connector)
            changes = {} if ours else say.hidden()
            await self._steps.let_go(operation, say.connector_not_ready(why), why, changes)
            return LOOK_AGAIN
        first = next_in_line(self._operations.of(connector.key))
        if operation.operates and first is not None and first.key != operation.key:
            await self._steps.report(operation, say.pending(first))
            return None
        try:
            references = await self._inputs.references(connector)
            session = self._inputs.session(connector, references)
        except (ReferenceNotFound, ConfigInvalid) as error:
            await self._steps.let_go(operation, say.connector_not_ready(str(error)), str(error))
            return LOOK_AGAIN
        target = connector.connector
        view = self._environments.subscribe(target.environment, target.cluster, session, operation.key)
        if view is None:
            patience = self._environments.patience(operation.key)
            if patience:
                return patience
        redact = self._inputs.confidential(connector).beside(references, session, connector.status.applied_config)
        run = Run(operation, connector, session, redact, text, lambda: self._is_ready_still(operation, connector))
        run.listed = view is not None and view.listed
        try:
            if view is not None and view.closed:
                assert view.error is not None
                raise view.error
            delay = await (self._steps.operate(run) if operation.operates else self._steps.observe(run))
        except LensesError as error:
            return await self._trouble(run, error)
        self._failures.pop(operation.key, None)
        return delay

    def _is_ready_still(self, operation: LensesConnectorOffsets, connector: LensesConnector) -> bool:
        """After what may have taken long: other claims to the connector, policies and suspensions come and go."""
        now, under = self._connectors.get(connector.key), self._operations.get(operation.key)
        return (
            now is not None
            and under is not None
            and (now.metadata.uid, now.connector) == (connector.metadata.uid, connector.connector)
            and self._not_ready(under, now) is None
        )

    def _not_ready(self, operation: LensesConnectorOffsets, connector: LensesConnector) -> str | None:
        name = connector.metadata.name
        if connector.metadata.deleting:
            return f"LensesConnector {name} is being deleted."
        if connector.schema_mismatch is not None:
            return f"LensesConnector {name} does not fit its definition: see its condition."
        if not self._inputs.allowed(connector):
            return f"The operator's policy does not allow LensesConnector {name}."
        if connector.status.ownership.state is not OwnershipState.OWNED:
            return f"LensesConnector {name} does not own its connector (yet): see its condition."
        if connector.spec.suspend and operation.operates and not operation.under_way:
            return f"LensesConnector {name} is suspended."
        return None

    async def _trouble(self, run: Run, error: LensesError) -> float:
        """The phase stays as it was: what has been begun is finished when Lenses is back."""
        await prepare(run.redact)
        problem = problem_of(
            error,
            run.connector.connector,
            run.redact,
            run.session.token_name,
            listed=run.listed,
            holder=run.connector.metadata.name,
        )
        self._steps.interrupted(run.operation.key)
        await self._steps.report(run.operation, problem)
        failures = self._failures[run.operation.key] = self._failures.get(run.operation.key, 0) + 1
        backoff = TRANSIENT if problem.phase is Phase.RECONCILING else SLOW
        return max(backoff.delay(failures, uniform), error.retry_after or 0.0)
