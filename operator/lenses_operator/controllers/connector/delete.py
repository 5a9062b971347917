"""Deleting a connector with its resource: the finalizer goes only with proof that the connector is gone."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from random import uniform

from lenses_operator.controllers.connector.acting import Acting
from lenses_operator.controllers.connector.context import AGAIN, GONE, Outcome, ReconcileContext
from lenses_operator.controllers.connector.observe import look_closely
from lenses_operator.controllers.connector.retries import failed
from lenses_operator.controllers.connector.settling import acted, next_look
from lenses_operator.controllers.connector.state import asked_for
from lenses_operator.domain.backoff import BLOCKED, TRANSIENT
from lenses_operator.domain.conditions import blind, deleting, deletion_blocked
from lenses_operator.domain.deleting import LATE, Delete, Deleting, Release, ResetOffsets, StopFirst, Visibility
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.status import Report
from lenses_operator.lenses.errors import ConnectorOrClusterNotFound
from lenses_operator.lenses.transport import Precondition
from lenses_operator.resources.conditions import Phase, Verdict
from lenses_operator.resources.connector import DeletionPolicy

REMAIN = "Connector {connector} was gone already, so its offsets could not be reset: they remain in Kafka Connect."
QUIET = 3.0
"""Seconds a deletion may take before it is worth a status write."""
SAID = {
    "retained": ("Retained", "Connector {connector} was not changed (deletionPolicy Retain)."),
    "gone": ("Deleted", "Deleted connector {connector}."),
    "not-found": (
        "NotFound",
        (
            "Connector {connector} was not there to be deleted: Lenses answered twice, half a minute apart, that it "
            "does not exist. Check in Lenses if you expected it to exist."
        ),
    ),
}


class Deletions:
    """For objects that are being deleted and for tombstones alike."""

    def __init__(self, acting: Acting) -> None:
        self._reporter = acting.reporter
        self._cache = acting.cache
        self._environments = acting.environments
        self._ownership = acting.ownership
        self._clock = acting.clock

    def so_far(self, context: ReconcileContext, observed: Observed) -> Deleting:
        """With what the look has shown."""
        memory = context.memory
        known = memory.deleting or Deleting(self._clock())
        if known.missing_since is not None and context.seen_since(known.missing_since):
            known = known.reappeared()
        if not observed.present and context.seen_since(context.looked_at):
            known = known.reappeared()  # another look shows it at the same time
        else:
            known = known.looked(observed, self._clock())
        if known.proven_at is not None:
            assert known.denied_at is not None
            known = known.with_visibility(self._visibility(context, known.denied_at))
        memory.deleting = replace(known, late_until=memory.written.unanswered_at + LATE)
        return memory.deleting

    def _visibility(self, context: ReconcileContext, denied_at: float) -> Visibility:
        resource, connector = context.resource, context.connector
        if context.session.reader.sightings.beside(connector, denied_at):
            return Visibility.SOME
        others = partial(self._cache.owned_beside, resource)
        return self._environments.visibility(resource.key, connector, denied_at, others)

    async def act(self, context: ReconcileContext, decision: Delete | StopFirst | ResetOffsets) -> Outcome:
        if self._overtaken(context):
            return Outcome(delay=0)  # the observation took its time, and another deletionPolicy may hold by now
        match decision:
            case StopFirst():
                return await self._stop(context)
            case ResetOffsets():
                return await self._reset_offsets(context)
            case Delete():
                return await self._delete(context)

    async def wait(self, context: ReconcileContext, seconds: float) -> Outcome:
        memory, view = context.memory, context.view
        visibility = Visibility.SOME if memory.deleting is None else memory.deleting.visibility
        if visibility is Visibility.UNKNOWN and view is not None and view.error is not None:
            raise view.error  # no list says whether the token sees anything
        if visibility is Visibility.NONE:
            outcome = await self.blocked(context, blind(context.connector, context.session.token_name))
            return replace(outcome, paced=True)
        return await self._await(context, seconds)

    def _overtaken(self, context: ReconcileContext) -> bool:
        """Edited, or another resource has the connector by now; or gone, with no deletion left to do: our finalizer was
        removed by a user."""
        now = self._cache.get(context.resource.key)
        if now is None or now.metadata.uid != context.resource.metadata.uid:
            tombstone = self._cache.tombstone(context.resource.key)
            return tombstone is None or tombstone.resource.metadata.uid != context.resource.metadata.uid
        return now.metadata.generation != context.generation or self._ownership.rival(now) is not None

    def _precondition(self, context: ReconcileContext) -> Precondition:
        """A request may wait for its place until the resource is another one."""
        return lambda: not self._overtaken(context)

    async def release(self, context: ReconcileContext, release: Release) -> Outcome:
        so_far = context.memory.deleting
        with_offsets = context.resource.spec.deletion_policy is DeletionPolicy.DELETE_WITH_OFFSETS
        if release.why in ("gone", "not-found") and self._overtaken(context):
            return Outcome(delay=0)
        if release.why in ("gone", "not-found") and with_offsets and so_far is not None and not so_far.offsets_reset:
            self._reporter.event(context, "OffsetsRemain", REMAIN.format(connector=context.connector), warning=True)
        if release.why in SAID:
            name, words = SAID[release.why]
            self._reporter.event(context, name, words.format(connector=context.connector), warning=name == "NotFound")
        if self._cache.tombstone(context.resource.key) is not None:
            self._cache.drop_tombstone(context.resource.key)
            return AGAIN
        await self._reporter.release(context)
        return GONE

    async def blocked(self, context: ReconcileContext, problem: Verdict) -> Outcome:
        """No failure releases a resource, however long it lasts.

        What may be temporary is reported when it occurs again: a rebalance is no reason to release a resource.
        """
        meta = context.resource.metadata
        connector = None if context.resource.cannot_be_deleted else context.connector
        verdict = deletion_blocked(connector, meta.namespace, meta.name, problem)
        failures = failed(context)
        passing = problem.phase is Phase.RECONCILING
        if not (passing and failures == 1) and self._cache.tombstone(context.resource.key) is None:
            state, seen = context.resource.status.ownership.state, context.observed
            shown = seen if seen is not None and seen.present else None
            await self._reporter.report(context, Report(verdict, state, shown, context.applied))
        return Outcome(delay=(TRANSIENT if passing else BLOCKED).delay(failures, uniform))

    async def _await(self, context: ReconcileContext, seconds: float) -> Outcome:
        look_closely(context)
        await self._say(context, f"Waiting until connector {context.connector} is seen to be gone.")
        return Outcome(delay=max(seconds, next_look(context)))

    async def _paced(self, context: ReconcileContext, seconds: float) -> Outcome:
        return replace(await self._await(context, seconds), paced=True)

    async def _stop(self, context: ReconcileContext) -> Outcome:
        """Asked for again only after a while: it takes its time."""
        memory = context.memory
        await self._say(context, f"Stopping connector {context.connector} to reset its offsets.")
        now = self._clock()
        wait = memory.pacing.wait("set_state stop", now)
        pending = memory.state_change.pending("stop", None, now)
        if not wait and not pending:
            memory.pacing.sent("set_state stop", now)
            try:
                await context.session.client.set_state(
                    *context.connector, "stop", precondition=self._precondition(context)
                )
            finally:
                acted(context, self._clock())
            asked_for(context, "stop", None, now)
        look_closely(context)
        return Outcome(delay=next_look(context), paced=bool(wait) and not pending)

    async def _reset_offsets(self, context: ReconcileContext) -> Outcome:
        memory = context.memory
        wait = memory.pacing.wait("reset_offsets", self._clock())
        if wait:
            return await self._paced(context, wait)
        memory.pacing.sent("reset_offsets", self._clock())
        try:
            await context.session.client.reset_offsets(*context.connector, precondition=self._precondition(context))
        except ConnectorOrClusterNotFound:
            if (await context.session.reader.details(context.connector, fresh=True)).present:
                raise  # it is there, so this is what blocks
            look_closely(context)
            return AGAIN
        finally:
            acted(context, self._clock())
        assert memory.deleting is not None
        memory.deleting = replace(memory.deleting, offsets_reset=True)
        self._reporter.event(context, "OffsetsReset", f"Reset the offsets of connector {context.connector}.")
        return AGAIN

    async def _delete(self, context: ReconcileContext) -> Outcome:
        """Sent whatever Lenses shows; denied by the agent's 404, the looks that follow count."""
        memory = context.memory
        wait = memory.pacing.wait("delete", self._clock())
        if wait:
            return await self._paced(context, wait)
        await self._say(context, f"Deleting connector {context.connector}.")
        sent_at = self._clock()
        memory.pacing.sent("delete", sent_at)
        assert memory.deleting is not None
        try:
            await context.session.client.delete_connector(*context.connector, precondition=self._precondition(context))
        except ConnectorOrClusterNotFound:
            memory.deleting = memory.deleting.denied(sent_at)
            look_closely(context)
        else:
            memory.deleting = memory.deleting.accepted(self._clock())
            self._environments.deleted(context.resource.key, context.connector)
        finally:
            acted(context, self._clock())
        return AGAIN

    async def _say(self, context: ReconcileContext, message: str) -> None:
        """While it is blocked, what blocks is said until a try succeeds: not this and that in turn."""
        assert context.memory.deleting is not None
        early = self._clock() - context.memory.deleting.since < QUIET
        if early or context.memory.retries.failures or self._cache.tombstone(context.resource.key) is not None:
            return
        state = context.resource.status.ownership.state
        await self._reporter.report(context, Report(deleting(message), state, applied=context.applied))
