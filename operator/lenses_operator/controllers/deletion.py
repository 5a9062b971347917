"""Deleting a connector with its resource: the finalizer goes only with proof that the connector is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import uniform

from lenses_operator.controllers.environments import Environments
from lenses_operator.controllers.reporter import Reporter
from lenses_operator.controllers.store import Store
from lenses_operator.controllers.work import AGAIN, GONE, Outcome, Work
from lenses_operator.domain.backoff import BLOCKED, SETTLING, TRANSIENT
from lenses_operator.domain.decide import ASK_AGAIN
from lenses_operator.domain.deleting import Delete, Deleting, Release, ResetOffsets, StopFirst, decide_deletion
from lenses_operator.domain.situation import Observed
from lenses_operator.domain.status import Report
from lenses_operator.domain.verdicts import blind, deleting, deletion_blocked
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.errors import ConnectorOrClusterNotFound
from lenses_operator.resources.conditions import Phase, Verdict
from lenses_operator.resources.connector import DeletionPolicy

REMAIN = "Connector {connector} was gone already, so its offsets could not be reset: they remain in Kafka Connect."
QUIET = 3.0
"""Seconds a deletion may take before it is worth a status write."""
SAID = {
    "retained": ("Retained", "Left connector {connector} as it is (deletionPolicy Retain)."),
    "gone": ("Deleted", "Deleted connector {connector}."),
    "not-found": (
        "NotFound",
        (
            "Connector {connector} was not there to be deleted: Lenses answered twice, half a minute apart, that it "
            "does not exist. Look in Lenses if you expected it."
        ),
    ),
}


class Deletions:
    """For objects that are being deleted and for tombstones alike."""

    def __init__(
        self, reporter: Reporter, store: Store, environments: Environments, clock: Callable[[], float]
    ) -> None:
        self._reporter = reporter
        self._store = store
        self._environments = environments
        self._clock = clock

    async def step(self, work: Work, observed: Observed) -> Outcome:
        """One step for a connector that is ours and is to be deleted."""
        memory, now = work.memory, self._clock()
        so_far = (memory.deleting or Deleting(now)).looked(observed, work.looked_at)
        memory.deleting = so_far
        if self._overtaken(work):
            return Outcome(delay=0)  # the looking took its time, and another deletionPolicy may hold by now
        with_offsets = work.resource.spec.deletion_policy is DeletionPolicy.DELETE_WITH_OFFSETS
        match decide_deletion(observed, so_far, now=now, with_offsets=with_offsets):
            case Release(why="not-found") if self._blind(work, so_far):
                memory.deleting = Deleting(so_far.since, offsets_reset=so_far.offsets_reset)
                return await self.blocked(work, blind(work.connector, work.session.token_name))
            case Release() as release:
                if with_offsets and not so_far.offsets_reset:
                    self._reporter.event(work, "OffsetsRemain", REMAIN.format(connector=work.connector), warning=True)
                return await self.release(work, release)
            case StopFirst():
                return await self._stop(work)
            case ResetOffsets():
                return await self._reset_offsets(work)
            case Delete():
                return await self._delete(work)
            case wait:
                return await self._await(work, wait.seconds)

    def _blind(self, work: Work, so_far: Deleting) -> bool:
        since = self._clock() if so_far.absent_at is None else so_far.absent_at
        return self._environments.blind(work.resource.key, work.connector, since)

    def _overtaken(self, work: Work) -> bool:
        """Edited; or gone, and nothing is owed any more: somebody has taken our finalizer off."""
        now = self._store.get(work.resource.key)
        if now is None or now.metadata.uid != work.resource.metadata.uid:
            tombstone = self._store.tombstone(work.resource.key)
            return tombstone is None or tombstone.resource.metadata.uid != work.resource.metadata.uid
        return now.metadata.generation != work.generation

    def _client(self, work: Work) -> LensesClient:
        """A request may wait for its place until the resource is another one."""
        return work.session.client.provided(lambda: not self._overtaken(work))

    async def release(self, work: Work, release: Release) -> Outcome:
        if release.why in SAID:
            name, words = SAID[release.why]
            self._reporter.event(work, name, words.format(connector=work.connector), warning=name == "NotFound")
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
        passing = problem.phase is Phase.RECONCILING
        if not (passing and work.memory.failures == 1) and self._store.tombstone(work.resource.key) is None:
            state = work.resource.status.ownership.state
            await self._reporter.report(work, Report(verdict, state, applied=work.applied))
        return Outcome(delay=(TRANSIENT if passing else BLOCKED).delay(work.memory.failures, uniform))

    async def _await(self, work: Work, seconds: float) -> Outcome:
        work.memory.look = True
        await self._say(work, f"Waiting until connector {work.connector} is seen to be gone.")
        work.memory.settling += 1
        return Outcome(delay=max(seconds, SETTLING.delay(work.memory.settling, uniform)))

    async def _paced(self, work: Work, seconds: float) -> Outcome:
        return replace(await self._await(work, seconds), paced=True)

    async def _stop(self, work: Work) -> Outcome:
        """Asked for again only after a while: it takes its time."""
        memory = work.memory
        await self._say(work, f"Stopping connector {work.connector} to reset its offsets.")
        now = self._clock()
        wait = memory.pacing.wait("set_state stop", now)
        pending = memory.asked == ("stop", None) and now < memory.asked_at + ASK_AGAIN
        if not wait and not pending:
            memory.pacing.sent("set_state stop", now)
            try:
                await self._client(work).set_state(*work.connector, "stop")
            finally:
                memory.acted(self._clock())
            memory.asked, memory.asked_at = ("stop", None), now
        memory.look = True
        memory.settling += 1
        return Outcome(delay=SETTLING.delay(memory.settling, uniform), paced=bool(wait) and not pending)

    async def _reset_offsets(self, work: Work) -> Outcome:
        memory = work.memory
        wait = memory.pacing.wait("reset_offsets", self._clock())
        if wait:
            return await self._paced(work, wait)
        memory.pacing.sent("reset_offsets", self._clock())
        try:
            await self._client(work).reset_offsets(*work.connector)
        except ConnectorOrClusterNotFound:
            memory.look = True
            return AGAIN
        finally:
            memory.acted(self._clock())
        assert memory.deleting is not None
        memory.deleting = replace(memory.deleting, offsets_reset=True)
        self._reporter.event(work, "OffsetsReset", f"Reset the offsets of connector {work.connector}.")
        return AGAIN

    async def _delete(self, work: Work) -> Outcome:
        """Sent whatever Lenses shows; denied by the agent's 404, the looks that follow count."""
        memory = work.memory
        wait = memory.pacing.wait("delete", self._clock())
        if wait:
            return await self._paced(work, wait)
        await self._say(work, f"Deleting connector {work.connector}.")
        memory.pacing.sent("delete", self._clock())
        assert memory.deleting is not None
        try:
            await self._client(work).delete_connector(*work.connector)
        except ConnectorOrClusterNotFound:
            memory.deleting = memory.deleting.denied(self._clock())
            memory.look = True
        else:
            memory.deleting = memory.deleting.accepted(self._clock())
            self._environments.deleted(work.resource.key, work.connector)
        finally:
            memory.acted(self._clock())
        return AGAIN

    async def _say(self, work: Work, message: str) -> None:
        """While it is blocked, what blocks is said until a try succeeds: not this and that in turn."""
        assert work.memory.deleting is not None
        early = self._clock() - work.memory.deleting.since < QUIET
        if early or work.memory.failures or self._store.tombstone(work.resource.key) is not None:
            return
        state = work.resource.status.ownership.state
        await self._reporter.report(work, Report(deleting(message), state, applied=work.applied))
