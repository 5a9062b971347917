"""Wires the core once: what is known, the queue, and both reconcilers. No kopf, no HTTP, no Kubernetes client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from lenses_operator.cache.connector_feed import ConnectorFeed
from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.cache.operations import OperationCache, OperationFeed
from lenses_operator.controllers.clocks import Clocks
from lenses_operator.controllers.connector.reconciler import ConnectorController
from lenses_operator.controllers.connector.report import Reporter, StatusWriter
from lenses_operator.controllers.inputs import Inputs, ReferenceReader
from lenses_operator.controllers.offsets.reconciler import OffsetsController
from lenses_operator.controllers.offsets.steps import OffsetsSteps, OffsetsWriter
from lenses_operator.domain.policy import Policy
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses_state.pollers import Pollers
from lenses_operator.lenses_state.sessions import Sessions
from lenses_operator.resources.base import ObjectKey, Resource
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import KIND as OFFSETS
from lenses_operator.workqueue.queue import WorkQueue
from lenses_operator.workqueue.shards import environment_of


class EventSink(Protocol):
    """One Event about an object of either kind."""

    def __call__(self, resource: Resource, reason: str, message: str, *, warning: bool = False) -> None: ...


class Core:
    """Building it starts nothing. `policy` gives the one that holds now, `digest_key` None where there is none."""

    def __init__(
        self,
        client: LensesClient,
        *,
        writer: StatusWriter,
        offsets_writer: OffsetsWriter,
        references: ReferenceReader,
        emit: EventSink,
        policy: Callable[[], Policy],
        clocks: Clocks,
        poll_interval: float,
        list_rate: float,
        drift_interval: float,
        digest_key: Callable[[], bytes | None] = lambda: None,
    ) -> None:
        cache, operations = self.cache, self.operations = ConnectorCache(), OperationCache()
        queue: WorkQueue[ObjectKey] = WorkQueue(clocks.loop, shard=lambda key: environment_of(key, cache, operations))
        self.queue = queue
        self.feed = ConnectorFeed(
            cache, queue.add, lambda key: [one.key for one in operations.of(key)], references.version
        )
        self.offsets_feed = OperationFeed(operations, queue.add)
        self.environments = Pollers(
            poll_interval,
            list_rate,
            queue.add,
            lambda connector: [claimant.key for claimant in cache.claimants(connector)],
        )
        sessions = Sessions(client, clocks.loop)
        inputs = Inputs(references, sessions, policy, self.environments.poll_now, digest_key)
        self.connectors = ConnectorController(
            cache=cache,
            operations=operations,
            environments=self.environments,
            sessions=sessions,
            inputs=inputs,
            writer=writer,
            reporter=Reporter(writer, cache, emit, clocks.now, self._wake_operations),
            clocks=clocks,
            drift_interval=drift_interval,
            parked=queue.parked,
        )
        self.offsets = OffsetsController(
            operations=operations,
            connectors=cache,
            environments=self.environments,
            inputs=inputs,
            steps=OffsetsSteps(offsets_writer, operations, self.offsets_feed, emit, clocks, self.connectors.pacing),
        )

    async def reconcile(self, key: ObjectKey) -> float | None:
        """Seconds until the next pass over the key, None to wait for an event. Raises KubeError."""
        return await (self.offsets if key.kind == OFFSETS else self.connectors).reconcile(key)

    def _wake_operations(self, connector: LensesConnector) -> None:
        """They may wait for what becomes of it."""
        for operation in self.operations.of(connector.key):
            self.queue.add(operation.key)
