"""What a pass begins with: the resource, who may use its connector, what it refers to, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.cache.operations import OperationCache
from lenses_operator.controllers.connector.context import ReconcileContext
from lenses_operator.controllers.connector.forget import Forgetting
from lenses_operator.controllers.connector.memory import Memory
from lenses_operator.controllers.connector.report import StatusWriter, confirmed
from lenses_operator.controllers.connector.retries import references_found
from lenses_operator.controllers.connector.state import hold
from lenses_operator.controllers.inputs import Inputs
from lenses_operator.controllers.ownership import OwnershipRules
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.references import ReferenceNotFound
from lenses_operator.domain.render import ConfigInvalid, Rendered
from lenses_operator.lenses_state.pollers import Pollers
from lenses_operator.lenses_state.sessions import Sessions
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import LensesConnector


class Loader:
    """Raises KubeError."""

    def __init__(
        self,
        cache: ConnectorCache,
        operations: OperationCache,
        environments: Pollers,
        sessions: Sessions,
        inputs: Inputs,
        writer: StatusWriter,
        ownership: OwnershipRules,
        now: Callable[[], datetime],
    ) -> None:
        self._cache = cache
        self._operations = operations
        self._environments = environments
        self._sessions = sessions
        self._inputs = inputs
        self._writer = writer
        self._ownership = ownership
        self._now = now
        self._memories: dict[ObjectKey, Memory] = {}
        self._forgetting = Forgetting(cache, inputs, sessions)

    async def load(self, key: ObjectKey) -> ReconcileContext | None:
        """Without what the spec refers to. None: there is nothing to look after."""
        tombstone = self._cache.tombstone(key)
        dying = await self._dying(tombstone.resource) if tombstone is not None else None
        resource = dying or self._living(key)
        if resource is None:
            return None
        if dying is None and self.memory(resource).unconfirmed:
            await self._confirm(resource)
        await self._operations.weigh(resource)
        resource = dying or self._living(key)  # the watch may have brought news meanwhile
        if resource is None:
            return None
        memory = self.memory(resource)
        held = self._operations.holding(resource)
        allowed, rival = self._inputs.allowed(resource), self._ownership.rival(resource)
        context = ReconcileContext(resource, Rendered({}), memory, self._sessions.own, allowed=allowed, rival=rival)
        context.held = held.metadata.name if held else None
        context.first_operation = self._operations.first(resource)
        ready = resource.status.ready
        if held is not None or (ready is not None and ready.reason == Reason.OFFSETS_OPERATION):
            hold(context)
        return context

    async def refer(self, context: ReconcileContext) -> None:
        """Gives it token and configuration, or the reason why there is none."""
        resource = context.resource
        try:
            references = await self._inputs.references(resource)
            session = self._inputs.session(resource, references)
        except (ConfigInvalid, ReferenceNotFound) as error:
            context.unusable, context.readable = error, False
            return
        try:
            context.refers(session, self._inputs.render(resource, references))
        except (ConfigInvalid, ReferenceNotFound) as error:
            context.unusable = error
            context.refers(session, context.wanted)
        else:
            references_found(context)

    async def _dying(self, resource: LensesConnector) -> LensesConnector | None:
        """The object is gone without our release: deletion continues from its last body, unless it still exists."""
        key, meta = resource.key, resource.metadata
        if await self._writer.current(resource) is not None:
            self._cache.restore(key)
            return None
        dying = meta.model_copy(update={"deletion_timestamp": meta.deletion_timestamp or self._now()})
        resource = resource.model_copy(update={"metadata": dying})
        if self._ownership.rival(resource) is not None:
            self._cache.drop_tombstone(key)
            return None
        return resource

    async def _confirm(self, resource: LensesConnector) -> None:
        """A write of the status had no answer, and its watch event may be late."""
        memory, current = self.memory(resource), await self._writer.current(resource)
        if current is not None:
            self._cache.upsert(current)
        confirmed(memory)

    def _living(self, key: ObjectKey) -> LensesConnector | None:
        """None where it is gone, or where we have released it and another finalizer keeps it."""
        resource = self._cache.get(key)
        if resource is None or resource.metadata.released:
            self._memories.pop(key, None)
            self._environments.unsubscribe(key)
            return None
        return resource

    def memory(self, resource: LensesConnector) -> Memory:
        """Begun where there is none; it is dropped by the pass that finds the resource gone."""
        known = self._memories.get(resource.key)
        if known is None or known.uid != resource.metadata.uid:
            known = Memory(resource.metadata.uid, self._inputs.confidential(resource))
            self._memories[resource.key] = known
            self._forgetting.begin()
        return known
