"""One pass over one LensesConnector, top to bottom: load, observe, decide, act, report.

Level-triggered: it may run at any time, and be cut off between any two requests. What is decided is decided by
`domain.decide` alone; each action is a module of its own.
"""

from __future__ import annotations

from lenses_operator.controllers.acting import Acting
from lenses_operator.controllers.adoption import Adoption
from lenses_operator.controllers.as_code import AsCode
from lenses_operator.controllers.clocks import Clocks
from lenses_operator.controllers.create import Creating
from lenses_operator.controllers.deletion import Deletions
from lenses_operator.controllers.entitlement import Entitlement
from lenses_operator.controllers.environments import Environments
from lenses_operator.controllers.inputs import Inputs
from lenses_operator.controllers.loading import Loader
from lenses_operator.controllers.looking import Looking
from lenses_operator.controllers.offsets_store import OffsetsStore
from lenses_operator.controllers.previous import can_go_back
from lenses_operator.controllers.reporter import Reporter, StatusWriter
from lenses_operator.controllers.restarts import Restarts
from lenses_operator.controllers.rollback import Rollback
from lenses_operator.controllers.session import Sessions
from lenses_operator.controllers.settled import Settled
from lenses_operator.controllers.state import StateChanges
from lenses_operator.controllers.store import Store, asks_anew
from lenses_operator.controllers.troubles import Troubles
from lenses_operator.controllers.update import Updates
from lenses_operator.controllers.validator import Validator
from lenses_operator.controllers.work import AGAIN, GONE, Outcome, Work
from lenses_operator.domain.decide import (
    Adopt,
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
    SettleContest,
    Suspended,
    Unusable,
    Update,
    decide,
)
from lenses_operator.domain.deleting import Await, Delete, Release, ResetOffsets, StopFirst
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.situation import Situation
from lenses_operator.lenses.errors import LensesError, PreconditionFailed
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import LensesConnector

MAX_STEPS = 8
"""Steps in one pass; a connector that wants more lets others have their turn."""
TURN = 0.2
"""Seconds until it has its own again."""


class ConnectorController:
    """`reconcile` gives the seconds until the key wants to be looked at again, None if only an event should wake it."""

    def __init__(
        self,
        *,
        store: Store,
        operations: OffsetsStore,
        environments: Environments,
        sessions: Sessions,
        inputs: Inputs,
        writer: StatusWriter,
        reporter: Reporter,
        clocks: Clocks,
        drift_interval: float,
    ) -> None:
        self._store = store
        entitlement = Entitlement(store, inputs)
        validator = Validator(clocks.loop)
        acting = self._acting = Acting(reporter, validator, environments, store, entitlement, clocks.loop, clocks.now)
        self._loader = Loader(store, operations, environments, sessions, inputs, writer, entitlement, clocks.now)
        looking = self._looking = Looking(
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
        self._settled = Settled(acting, looking, self._states, self._restarts)
        self._troubles = Troubles(acting, looking, self._states, self._deletions)

    async def reconcile(self, key: ObjectKey) -> float | None:
        """Raises KubeError only."""
        for _ in range(MAX_STEPS):
            begun = self._store.get(key)
            work = await self._loader.load(key)
            outcome = GONE if work is None else await self._pass(work)
            if not outcome.again and not self._edited(begun):
                return outcome.delay
        return TURN

    async def _pass(self, work: Work) -> Outcome:
        """What can be said without Lenses comes first, and without reading what the spec refers to."""
        situation = self._situation(work)
        decision = decide(situation)
        if not isinstance(decision, Observe):
            return await self._act(work, situation, decision)
        work = await self._loader.refer(work)
        self._acting.reporter.warn_of_newlines(work)
        situation = self._situation(work)
        decision = decide(situation)
        if not isinstance(decision, Observe):
            return await self._act(work, situation, decision)
        try:
            observed = await self._looking.observe(work)
            if isinstance(observed, Outcome):
                return observed
            self._rollback.recall_refusal(work, observed)
            situation = self._situation(work, observed)
            outcome = await self._act(work, situation, decide(situation))
        except PreconditionFailed:
            return Outcome(delay=0)
        except LensesError as error:
            return await self._troubles.failed(work, error)
        if not outcome.paced:
            work.memory.failures = 0
        return outcome

    def _situation(self, work: Work, observed: Observed | None = None) -> Situation:
        memory, plan, now = work.memory, self._restarts.plan(work), self._acting.clock()
        deleting = work.resource.metadata.deleting
        passed_over = deleting or work.resource.spec.suspend or work.calm or memory.contested or work.unusable
        return Situation(
            resource=work.resource,
            wanted=work.wanted,
            state=work.state,
            observed=observed,
            allowed=work.allowed,
            rival=work.rival,
            unusable=work.unusable,
            readable=work.readable,
            unsent=work.unsent,
            contested=memory.contested,
            not_shown=observed is not None and self._looking.stale(work, observed) and self._updates.pends(work),
            rests=work.calm,
            deleting=self._deletions.so_far(work, observed) if deleting and observed is not None else None,
            now=now,
            applied=work.applied,
            last_written=memory.last_written,
            refusal=memory.refusal if now < memory.refusal_until else None,
            was_held=memory.was_held,
            absent_for=0.0 if memory.absent_since is None else work.looked_at - memory.absent_since,
            taken_down=memory.deleted_at is not None,
            validated=memory.valid is not None and memory.valid[0] == work.wanted.fingerprint,
            held=work.held,
            restart_asked=observed is not None and not passed_over and self._restarts.note(work, observed),
            restart_due=plan.due is not None and plan.due <= self._acting.now(),
        )

    async def _act(self, work: Work, situation: Situation, decision: Decision) -> Outcome:
        match decision:
            case Release() as release:
                return await self._deletions.release(work, release)
            case Refuse() as refuse:
                return await self._troubles.refuse(work, refuse)
            case Unusable() as unusable:
                return await self._troubles.unusable(work, unusable, situation.observed)
            case Observe():
                raise AssertionError("asked for before anything is done")
            case _:
                return await self._act_on(work, situation, situation.seen, decision)

    async def _act_on(self, work: Work, situation: Situation, observed: Observed, decision: Decision) -> Outcome:  # noqa: C901 - a line for each action
        match decision:
            case Delete() | StopFirst() | ResetOffsets():
                return await self._deletions.act(work, decision)
            case Await(seconds=seconds) if work.resource.metadata.deleting:
                return await self._deletions.wait(work, seconds)
            case SettleContest():
                return await self._creating.settle_contest(work, observed)
            case Suspended(give_back=give_back):
                return await self._settled.suspended(work, observed, give_back)
            case Rest():
                return Outcome(delay=self._looking.checked_in(work))
            case NotShown():
                return await self._updates.not_shown(work, observed)
            case Look():
                work.memory.look = True
                return AGAIN
            case _ if not await self._acting.finalized(work):
                return GONE
            case Await(seconds=seconds):
                return await self._creating.await_loss(work, observed, seconds)
            case Adopt() as adopt:
                return await self._adoption.adopt(work, adopt, observed)
            case RefuseAdoption() as refusal:
                return await self._settled.not_adopted(work, refusal)
            case Create(lost=lost):
                return await self._creating.create(work, lost=lost)
            case Update() as update:
                return await self._updates.update(work, update, observed)
            case Check():
                return await self._updates.check(work, observed)
            case ChangeState(action=action):
                outcome = await self._states.change(work, action, observed)
                return outcome or await self._settled.report(work, situation, observed, Nothing())
            case Restart() as restart:
                return await self._restarts.restart(work, restart, observed)
            case Nothing() as nothing:
                if not observed.present and can_go_back(work):
                    return await self._rollback.go_back(work)
                return await self._settled.report(work, situation, observed, nothing)
        raise AssertionError(f"no action for {decision}")

    def _edited(self, begun: LensesConnector | None) -> bool:
        """A write's answer may bring what a person did meanwhile; its watch event comes too late to wake the key."""
        now = self._store.get(begun.key) if begun else None
        return begun is not None and now is not None and asks_anew(begun, now)
