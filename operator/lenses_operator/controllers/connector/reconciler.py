"""One pass over one LensesConnector, top to bottom: load, observe, decide, act, report.

Level-triggered: it may run at any time, and be cut off between any two requests. What is decided is decided by
`domain.decide` alone; each action is a module of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from lenses_operator.cache.connectors import ConnectorCache, asks_anew
from lenses_operator.cache.operations import OperationCache
from lenses_operator.controllers.clocks import Clocks
from lenses_operator.controllers.connector import refusal, retries
from lenses_operator.controllers.connector.acting import Acting
from lenses_operator.controllers.connector.adopt import Adoption
from lenses_operator.controllers.connector.as_code import AsCode
from lenses_operator.controllers.connector.context import AGAIN, GONE, Outcome, ReconcileContext
from lenses_operator.controllers.connector.create import Creating
from lenses_operator.controllers.connector.delete import Deletions
from lenses_operator.controllers.connector.load import Loader
from lenses_operator.controllers.connector.observe import Observation, look_closely
from lenses_operator.controllers.connector.replacement import can_go_back
from lenses_operator.controllers.connector.report import Reporter, StatusWriter
from lenses_operator.controllers.connector.restart import Restarts
from lenses_operator.controllers.connector.rollback import Rollback
from lenses_operator.controllers.connector.settled import Settled
from lenses_operator.controllers.connector.state import StateChanges
from lenses_operator.controllers.connector.troubles import Troubles
from lenses_operator.controllers.connector.update import Updates
from lenses_operator.controllers.connector.validate import Validator
from lenses_operator.controllers.connector.written import is_stale
from lenses_operator.controllers.inputs import Inputs
from lenses_operator.controllers.ownership import OwnershipRules
from lenses_operator.controllers.pacing import Pacing
from lenses_operator.domain.decide import (
    Adopt,
    AskTypes,
    ChangeState,
    Check,
    Create,
    Decision,
    Look,
    Nothing,
    NotShown,
    Observe,
    Refuse,
    RefuseAdoption,
    Rest,
    Restart,
    Suspended,
    Unclaim,
    Unusable,
    Update,
    decide,
)
from lenses_operator.domain.deleting import Await, Delete, Release, ResetOffsets, StopFirst
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.situation import Situation
from lenses_operator.lenses.errors import LensesError, PreconditionFailed
from lenses_operator.lenses_state.pollers import Pollers
from lenses_operator.lenses_state.sessions import Sessions
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import LensesConnector

MAX_STEPS = 8
"""Steps in one pass; a connector that wants more lets others have their turn."""
TURN = 0.2
"""Seconds until it has its own again."""


class ConnectorController:
    """`reconcile` returns the seconds until the next pass over the key, None to wait for an event."""

    def __init__(
        self,
        *,
        cache: ConnectorCache,
        operations: OperationCache,
        environments: Pollers,
        sessions: Sessions,
        inputs: Inputs,
        writer: StatusWriter,
        reporter: Reporter,
        clocks: Clocks,
        drift_interval: float,
        parked: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """`parked`: within it the pass takes no worker's place."""
        self._cache = cache
        self._parked = parked
        ownership = OwnershipRules(cache, inputs)
        validator = Validator(clocks.loop)
        acting = self._acting = Acting(
            reporter, validator, environments, cache, operations, ownership, clocks.loop, clocks.now
        )
        self._loader = Loader(cache, operations, environments, sessions, inputs, writer, ownership, clocks.now)
        observation = self._observation = Observation(
            environments, clock=clocks.loop, now=clocks.now, drift_interval=drift_interval
        )
        as_code = AsCode(acting)
        self._validator = validator
        self._adoption = Adoption(acting)
        self._states = StateChanges(acting)
        self._rollback = Rollback(acting, self._states)
        self._creating = Creating(acting, self._states, self._rollback, as_code)
        self._updates = Updates(acting, as_code)
        self._restarts = Restarts(acting)
        self._deletions = Deletions(acting)
        self._settled = Settled(acting, observation, self._states, self._restarts)
        self._troubles = Troubles(acting, observation, self._states, self._deletions)

    def pacing(self, resource: LensesConnector) -> Pacing:
        """Of the requests for its connector. Ask only about a resource that is there."""
        return self._loader.memory(resource).pacing

    async def reconcile(self, key: ObjectKey) -> float | None:
        """Raises KubeError only."""
        for _ in range(MAX_STEPS):
            begun = self._cache.get(key)
            context = await self._loader.load(key)
            outcome = GONE if context is None else await self._pass(context)
            if outcome.pause:
                with self._parked():
                    await asyncio.sleep(outcome.pause)
            if not outcome.again and not self._edited(begun):
                return outcome.delay
        return TURN

    async def _pass(self, context: ReconcileContext) -> Outcome:
        """What can be said without Lenses comes first, and without reading what the spec refers to."""
        situation = self._situation(context)
        decision = decide(situation)
        if not isinstance(decision, Observe):
            return await self._act(context, situation, decision)
        await self._loader.refer(context)
        self._acting.reporter.warn_of_newlines(context)
        if context.unusable is not None:
            situation = self._situation(context)
            decision = decide(situation)
            if not isinstance(decision, Observe):
                return await self._act(context, situation, decision)
        try:
            observed = await self._observation.observe(context)
            if isinstance(observed, Outcome):
                return observed
            refusal.recall(context, observed)
            situation = self._situation(context, observed)
            decision = decide(situation)
            if isinstance(decision, AskTypes):
                passwords = await self._adoption.passwords(context, decision.keys)
                situation = replace(situation, passwords=passwords)
                decision = decide(situation)
            outcome = await self._act(context, situation, decision)
        except PreconditionFailed:
            return Outcome(delay=0)
        except LensesError as error:
            return await self._troubles.failed(context, error)
        if not outcome.paced:
            retries.worked(context)
        return outcome

    def _situation(self, context: ReconcileContext, observed: Observed | None = None) -> Situation:
        memory, plan, now = context.memory, self._restarts.plan(context), self._acting.clock()
        deleting = context.resource.metadata.deleting
        passed_over = deleting or context.resource.spec.suspend or context.rests or context.strange or context.unusable
        return Situation(
            resource=context.resource,
            wanted=context.wanted,
            state=context.state,
            observed=observed,
            allowed=context.allowed,
            rival=context.rival,
            unusable=context.unusable,
            readable=context.readable,
            unsent=context.unsent,
            strange=context.strange,
            perhaps_ours=bool(memory.authorship.attempted) and observed is not None and observed.config is None,
            not_shown=observed is not None and is_stale(context, observed, now) and self._updates.pends(context),
            rests=context.rests,
            deleting=self._deletions.so_far(context, observed) if deleting and observed is not None else None,
            now=now,
            applied=context.applied,
            last_written=memory.written.last,
            refusal=memory.refusals.last if now < memory.refusals.until else None,
            was_held=memory.state_change.was_held,
            absent_for=0.0 if memory.absence.since is None else context.looked_at - memory.absence.since,
            taken_down=memory.absence.deleted_at is not None,
            validated=memory.validation.good(context.wanted),
            held=context.held,
            restart_asked=observed is not None and not passed_over and self._restarts.note(context, observed),
            restart_due=plan.due is not None and plan.due <= self._acting.now(),
        )

    async def _act(self, context: ReconcileContext, situation: Situation, decision: Decision) -> Outcome:
        match decision:
            case Release() as release:
                return await self._deletions.release(context, release)
            case Refuse() as refuse:
                return await self._troubles.refuse(context, refuse)
            case Unusable() as unusable:
                return await self._troubles.unusable(context, unusable, situation.observed)
            case Observe():
                raise AssertionError("asked for before anything is done")
            case _:
                return await self._act_on(context, situation, situation.seen, decision)

    async def _act_on(
        self, context: ReconcileContext, situation: Situation, observed: Observed, decision: Decision
    ) -> Outcome:
        """What is done whether or not our finalizer is in its place."""
        match decision:
            case Delete() | StopFirst() | ResetOffsets():
                return await self._deletions.act(context, decision)
            case Await(seconds=seconds) if context.resource.metadata.deleting:
                return await self._deletions.wait(context, seconds)
            case Unclaim():
                return await self._creating.unclaim(context)
            case Suspended(give_back=give_back):
                return await self._settled.suspended(context, observed, give_back)
            case Rest():
                return Outcome(delay=self._observation.checked_in(context))
            case NotShown():
                return await self._updates.not_shown(context, observed)
            case Look():
                look_closely(context)
                return AGAIN
            case _:
                finalized = await self._acting.finalized(context)
                return await self._converge(context, situation, observed, decision) if finalized else GONE

    async def _converge(
        self, context: ReconcileContext, situation: Situation, observed: Observed, decision: Decision
    ) -> Outcome:
        match decision:
            case Await(seconds=seconds):
                return await self._creating.await_loss(context, observed, seconds)
            case Adopt():
                return await self._adoption.adopt(context, decision, observed)
            case RefuseAdoption():
                return await self._settled.not_adopted(context, decision)
            case Create(lost=lost):
                return await self._creating.create(context, lost=lost)
            case Update():
                return await self._updates.update(context, decision, observed)
            case Check():
                return await self._updates.check(context, observed)
            case ChangeState(action=action):
                outcome = await self._states.change(context, action, observed)
                if outcome is not None and not outcome.paced:
                    return outcome
                reported = await self._settled.report(context, situation, observed, None)
                return reported if outcome is None else reported.no_later_than(outcome)
            case Restart():
                return await self._restarts.restart(context, decision, observed)
            case Nothing():
                if not observed.present and can_go_back(context):
                    return await self._rollback.go_back(context)
                return await self._settled.report(context, situation, observed, decision)
        raise AssertionError(f"no action for {decision}")

    def _edited(self, begun: LensesConnector | None) -> bool:
        """A write's answer may bring what a person did meanwhile; its watch event comes too late to wake the key."""
        now = self._cache.get(begun.key) if begun else None
        return begun is not None and now is not None and asks_anew(begun, now)
