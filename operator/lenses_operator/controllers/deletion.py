"""Deleting a connector with its resource: the finalizer goes only with proof that the connector is gone."""

from __future__ import annotations

from collections.abc import Callable
from random import uniform

from lenses_operator.controllers.reporter import Reporter
from lenses_operator.controllers.store import Store
from lenses_operator.controllers.work import AGAIN, GONE, Outcome, Work
from lenses_operator.domain.backoff import BLOCKED, SETTLING
from lenses_operator.domain.decide import ASK_AGAIN, Delete, Release, ResetOffsets, StopFirst, decide_deletion
from lenses_operator.domain.situation import Observed
from lenses_operator.domain.status import Report
from lenses_operator.domain.verdicts import deleting, deletion_blocked
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.errors import ConnectorOrClusterNotFound
from lenses_operator.resources.conditions import Phase, Verdict
from lenses_operator.resources.connector import DeletionPolicy

REMAIN = "Connector {connector} was gone already, so its offsets could not be reset: they remain in Kafka Connect."
QUIET = 3.0
"""Seconds a deletion may take before it is worth a status write."""
SAID = {
    "retained": "Left connector {connector} as it is (deletionPolicy Retain).",
    "gone": "Deleted connector {connector}.",
}


class Deletions:
    """For objects that are being deleted and for tombstones alike."""

    def __init__(self, reporter: Reporter, store: Store, clock: Callable[[], float]) -> None:
        self._reporter = reporter
        self._store = store
        self._clock = clock

    async def step(self, work: Work, observed: Observed) -> Outcome:
        """One step for a connector that is ours and is to be deleted."""
        memory, now = work.memory, self._clock()
        memory.deleting_since = memory.deleting_since or now
        if observed.present:
            memory.absent_since = None
        elif memory.absent_since is None and not memory.expects(now):
            memory.absent_since = now
        if self._overtaken(work):
            return Outcome(delay=0)  # the looking took its time, and another deletionPolicy may hold by now
        match decide_deletion(
            observed,
            absent_for=None if memory.absent_since is None else max(0.0, work.looked_at - memory.absent_since),
            accepted_for=None if memory.deleted_at is None else now - memory.deleted_at,
            reset_offsets=self._with_offsets(work) and not memory.offsets_reset,
        ):
            case Release() as release:
                if self._with_offsets(work) and not memory.offsets_reset:
                    self._reporter.event(work, "OffsetsRemain", REMAIN.format(connector=work.connector), warning=True)
                return await self.release(work, release)
            case StopFirst():
                return await self._stop(work)
            case ResetOffsets():
                return await self._reset_offsets(work)
            case Delete():
                return await self._delete(work)
            case wait:
                memory.look = True
                await self._say(work, f"Waiting until connector {work.connector} is seen to be gone.")
                memory.settling += 1
                return Outcome(delay=max(wait.seconds, SETTLING.delay(memory.settling, uniform)))

    def _overtaken(self, work: Work) -> bool:
        """Edited; or gone, and nothing is owed any more: somebody has taken our finalizer off."""
        now = self._store.get(work.resource.key)
        if now is None or now.metadata.uid != work.resource.metadata.uid:
            tombstone = self._store.tombstone(work.resource.key)
            return tombstone is None or tombstone.resource.metadata.uid != work.resource.metadata.uid
        return now.metadata.generation != work.generation

    def _client(self, work: Work) -> LensesClient:
        """For what destroys: a request may wait for its place until the resource is another one."""
        return work.session.client.provided(lambda: not self._overtaken(work))

    async def release(self, work: Work, release: Release) -> Outcome:
        if release.why in SAID:
            name = {"retained": "Retained", "gone": "Deleted"}[release.why]
            self._reporter.event(work, name, SAID[release.why].format(connector=work.connector))
        if self._store.tombstone(work.resource.key) is not None:
            self._store.drop_tombstone(work.resource.key)
            return AGAIN
        await self._reporter.release(work)
        return GONE

    async def blocked(self, work: Work, problem: Verdict) -> Outcome:
        """Nothing is let go on a failure, however long it lasts.

        What may pass by itself is said when it is met again: a rebalance should talk nobody into letting go.
        """
        meta = work.resource.metadata
        connector = None if work.resource.cannot_be_deleted else work.connector
        verdict = deletion_blocked(connector, meta.namespace, meta.name, problem)
        work.memory.failures += 1
        may_pass = problem.phase is Phase.RECONCILING and work.memory.failures == 1
        if not may_pass and self._store.tombstone(work.resource.key) is None:
            state = work.resource.status.ownership.state
            await self._reporter.report(work, Report(verdict, state, applied=work.applied))
        return Outcome(delay=BLOCKED.delay(work.memory.failures, uniform))

    @staticmethod
    def _with_offsets(work: Work) -> bool:
        return work.resource.spec.deletion_policy is DeletionPolicy.DELETE_WITH_OFFSETS

    async def _stop(self, work: Work) -> Outcome:
        """Asked for again only after a while: it takes its time."""
        memory, now = work.memory, self._clock()
        await self._say(work, f"Stopping connector {work.connector} to reset its offsets.")
        if memory.asked != ("stop", None) or now >= memory.asked_at + ASK_AGAIN:
            try:
                await work.session.client.set_state(*work.connector, "stop")
            finally:
                memory.acted(self._clock())
            memory.asked, memory.asked_at = ("stop", None), now
        memory.look = True
        memory.settling += 1
        return Outcome(delay=SETTLING.delay(memory.settling, uniform))

    async def _reset_offsets(self, work: Work) -> Outcome:
        try:
            await self._client(work).reset_offsets(*work.connector)
        except ConnectorOrClusterNotFound:
            return AGAIN
        finally:
            work.memory.acted(self._clock())
        work.memory.offsets_reset = True
        self._reporter.event(work, "OffsetsReset", f"Reset the offsets of connector {work.connector}.")
        return AGAIN

    async def _delete(self, work: Work) -> Outcome:
        memory = work.memory
        await self._say(work, f"Deleting connector {work.connector}.")
        try:
            await self._client(work).delete_connector(*work.connector)
        except ConnectorOrClusterNotFound:
            pass  # no proof by itself: the next looks are
        else:
            memory.deleted_at = self._clock()
        finally:
            memory.acted(self._clock())
        return AGAIN

    async def _say(self, work: Work, message: str) -> None:
        """While it is blocked, what blocks is said until a try succeeds: not this and that in turn."""
        since = work.memory.deleting_since or self._clock()
        early = self._clock() - since < QUIET
        if early or work.memory.failures or self._store.tombstone(work.resource.key) is not None:
            return
        state = work.resource.status.ownership.state
        await self._reporter.report(work, Report(deleting(message), state, applied=work.applied))
