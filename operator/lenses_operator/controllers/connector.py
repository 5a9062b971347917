"""One pass over one LensesConnector: observe, decide, act, write status. Level-triggered: it may run at any time."""

from __future__ import annotations

from random import uniform

from lenses_operator.controllers.actions import Actions
from lenses_operator.controllers.adoption import Adoption
from lenses_operator.controllers.clocks import Clocks
from lenses_operator.controllers.deletion import Deletions
from lenses_operator.controllers.entitlement import Entitlement
from lenses_operator.controllers.environments import Environments
from lenses_operator.controllers.inputs import Inputs
from lenses_operator.controllers.looking import Looking
from lenses_operator.controllers.memory import Memory
from lenses_operator.controllers.offsets_store import OffsetsStore
from lenses_operator.controllers.previous import can_go_back
from lenses_operator.controllers.problems import problem_of
from lenses_operator.controllers.reporter import Reporter, StatusWriter
from lenses_operator.controllers.restarts import Restarts
from lenses_operator.controllers.session import Sessions
from lenses_operator.controllers.store import Store, asks_anew
from lenses_operator.controllers.validator import Validator
from lenses_operator.controllers.work import AGAIN, GONE, Outcome, Work
from lenses_operator.domain import verdicts
from lenses_operator.domain.backoff import MISSING, SLOW, TRANSIENT
from lenses_operator.domain.decide import (
    TRANSITIONS,
    Adopt,
    ChangeState,
    Check,
    Create,
    Look,
    Nothing,
    RefuseAdoption,
    Restart,
    Update,
    decide,
    decide_early,
)
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.references import ReferenceNotFound
from lenses_operator.domain.render import ConfigInvalid, Rendered
from lenses_operator.domain.situation import Observed, Situation
from lenses_operator.domain.status import Report
from lenses_operator.lenses.errors import LensesError, Overtaken
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.conditions import Phase, Verdict
from lenses_operator.resources.connector import LensesConnector, OwnershipState, WantedState

MAX_STEPS = 8
"""Steps in one pass; a connector that wants more lets others have their turn."""
TURN = 0.2
"""Seconds until it has its own again."""
QUIET_FAILURES = 3
"""Passing failures in a row before a connector that is well is called into question."""


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
        self._operations = operations
        self._environments = environments
        self._sessions = sessions
        self._inputs = inputs
        self._writer = writer
        self._reporter = reporter
        self._clock = clocks.loop
        self._now = clocks.now
        self._looking = Looking(environments, clock=clocks.loop, now=clocks.now, drift_interval=drift_interval)
        self._actions = Actions(
            reporter, Validator(clocks.loop), clock=clocks.loop, now=clocks.now, unchanged=self._unchanged
        )
        self._restarts = Restarts(reporter, clock=clocks.loop, now=clocks.now)
        self._adoption = Adoption(reporter, clocks.now)
        self._entitlement = Entitlement(store, inputs, environments, reporter)
        self._deletions = Deletions(reporter, store, clocks.loop)
        self._memories: dict[ObjectKey, Memory] = {}

    async def reconcile(self, key: ObjectKey) -> float | None:
        """Raises KubeError only."""
        for _ in range(MAX_STEPS):
            begun = self._store.get(key)
            outcome = await self._step(key)
            if not outcome.again and not self._overtaken(begun):
                return outcome.delay
        return TURN

    async def _step(self, key: ObjectKey) -> Outcome:
        tombstone = self._store.tombstone(key)
        if tombstone is not None:
            return await self._bury(tombstone.resource)
        resource = self._store.get(key)
        if resource is None:
            self._memories.pop(key, None)
            self._environments.leave(key)
            return GONE
        if resource.metadata.deleting and not resource.metadata.has_finalizer:
            self._environments.leave(key)
            return GONE
        return await self._look_after(resource)

    async def _look_after(self, resource: LensesConnector) -> Outcome:
        """What can be said without Lenses comes first: what is let go, who owns the name, who may use it."""
        bare = Work(resource, Rendered({}), self._memory(resource), self._sessions.own)
        early = decide_early(resource)
        if early is not None:
            return await self._deletions.release(bare, early)
        if resource.misfit is not None and (resource.cannot_be_deleted or not resource.metadata.deleting):
            return await self._misfit(bare, verdicts.misfit(resource.misfit.words))
        refused = await self._entitlement.refuse(bare)
        if refused is not None:
            return refused
        held = self._operations.holding(resource)
        bare.held = held.metadata.name if held else None
        ready = resource.status.ready
        if held or (ready is not None and ready.reason == Reason.OFFSETS_OPERATION):
            bare.memory.was_held = True
        try:
            references = await self._inputs.references(resource)
            session = self._inputs.session(resource, references)
        except (ConfigInvalid, ReferenceNotFound) as error:
            return await self._unusable(bare, error)
        try:
            work = Work(resource, self._inputs.render(resource, references), bare.memory, session, bare.held)
        except (ConfigInvalid, ReferenceNotFound) as error:
            if not bare.memory.was_held:
                return await self._unusable(bare, error)
            # An operation on its offsets stops the connector and lets it go, whatever is wrong with its configuration.
            work = Work(resource, Rendered({}), bare.memory, session, bare.held, error)
        work.memory.missing = 0
        self._reporter.warn_of_newlines(work)
        return await self._ask_lenses(work)

    async def _misfit(self, work: Work, verdict: Verdict) -> Outcome:
        """Nothing is asked of Lenses; a connector that runs goes on as it is, and is nobody else's."""
        self._environments.leave(work.resource.key)
        if work.resource.metadata.deleting:
            return await self._deletions.blocked(work, verdict)
        await self._reporter.report(work, Report(verdict, work.resource.status.ownership.state))
        return Outcome()

    async def _ask_lenses(self, work: Work) -> Outcome:
        view = self._environments.join(work.connector.environment, work.session, work.resource.key)
        if view is None:
            return Outcome()  # the first list wakes everyone
        try:
            if view.error is not None:
                raise view.error
            work.foreign = not self._is_ours(work) and self._looking.listed(work, view) is not None
            observed = await self._looking.look(work, view)
            if work.memory.contested and observed.present:
                outcome = await self._actions.unclaim(work)
            elif work.resource.metadata.deleting:
                outcome = await self._deletions.step(work, observed)
            elif work.unusable is not None and not (work.held and observed.present and self._is_ours(work)):
                await self._give_back(work, observed)
                outcome = await self._unusable(work, work.unusable)
            elif work.resource.spec.suspend and not work.held:
                outcome = await self._suspended(work, observed)
            elif work.calm:
                outcome = Outcome(delay=self._looking.checked_in(work))
            elif not await self._finalized(work):
                outcome = GONE
            else:
                outcome = await self._converge(work, observed)
        except Overtaken:
            return Outcome(delay=0)
        except LensesError as error:
            return await self._trouble(work, error, lost=error is view.error)
        work.memory.failures = 0
        return outcome

    async def _finalized(self, work: Work) -> bool:
        """What is ours carries our finalizer, though a `kubectl replace` may have dropped it. False: it is gone."""
        return not work.resource.status.ownership.state.ours or await self._reporter.finalize(work)

    async def _converge(self, work: Work, observed: Observed) -> Outcome:
        memory = work.memory
        self._actions.recall_refusal(work, observed)
        asked = self._restarts.note(work, observed)
        plan = self._restarts.plan(work)
        situation = Situation(
            resource=work.resource,
            wanted=work.wanted,
            state=work.state,
            observed=observed,
            applied=work.applied,
            last_written=memory.last_written,
            refusal=memory.refusal if self._clock() < memory.refusal_until else None,
            was_held=memory.was_held,
            validated=memory.valid is not None and memory.valid[0] == work.wanted.fingerprint,
            held=work.held is not None,
            restart_asked=asked,
            restart_due=plan.due is not None and plan.due <= self._now(),
        )
        match decide(situation):
            case Look():
                memory.look = True
                return AGAIN
            case Adopt() as adopt:
                return await self._adoption.adopt(work, adopt, observed)
            case RefuseAdoption(difference=difference):
                verdict = verdicts.not_adopted(work.connector, difference)
                return await self._say(work, Report(verdict, OwnershipState.NOT_ADOPTED, hide=True))
            case Create(lost=lost):
                return await self._actions.create(work, lost=lost)
            case Update() as update:
                return await self._update(work, update, observed)
            case Check():
                if await self._actions.check(work):
                    return AGAIN
                return await self._actions.report_refusal(work, observed)
            case ChangeState(action=action):
                outcome = await self._actions.change_state(work, action, observed)
                return outcome or await self._settled(work, situation, Nothing())
            case Restart() as restart:
                return await self._restarts.restart(work, restart, observed)
            case Nothing() as nothing:
                if not observed.present and can_go_back(work):
                    return await self._actions.go_back(work)
                return await self._settled(work, situation, nothing)

    async def _update(self, work: Work, update: Update, observed: Observed) -> Outcome:
        if work.memory.was_held and not await self._actions.check(work):
            return AGAIN  # refused: after the offsets operation it goes on with the configuration it has
        return await self._actions.update(work, update, observed)

    async def _settled(self, work: Work, situation: Situation, nothing: Nothing) -> Outcome:
        """Nothing to do in Lenses: say how it stands, and when to look again."""
        observed, memory = situation.observed, work.memory
        memory.waiting = bool(nothing.waiting)
        if not work.held and (observed.state != "STOPPED" or situation.state is WantedState.STOPPED):
            memory.was_held = False
        if situation.refused and not (work.held and observed.present):
            return await self._actions.report_refusal(work, observed)
        if self._looking.wants_traces(work, observed):
            memory.look = True
            return AGAIN
        if work.held:
            verdict = verdicts.offsets_operation(work.held, observed)
            return await self._say(work, Report(verdict, OwnershipState.OWNED, observed, work.applied))
        plan = self._restarts.plan(work)
        verdict = verdicts.of_connector(
            observed,
            situation.state,
            without_tasks=self._looking.without_tasks(work, observed),
            waiting=nothing.waiting,
            restarts=plan,
        )
        applied = self._looking.settle_applied(work, waiting=bool(nothing.waiting))
        settling = verdict.phase is Phase.RECONCILING and self._clock() < memory.settling_until
        if settling and verdict.reason in (Reason.PROGRESSING, Reason.STATE_UNKNOWN):
            return self._actions.settle(work)
        if verdict.ready == "True":
            memory.asked = None
        self._restarts.keep_count(work, verdict, plan)
        topics = await self._looking.topics(work)
        outcome = await self._say(work, Report(verdict, OwnershipState.OWNED, observed, applied, topics))
        if work.resource is situation.resource and verdict.ready == "True":
            self._looking.keep_calm(work, observed)
        return outcome

    async def _say(self, work: Work, report: Report) -> Outcome:
        if not await self._reporter.report(work, report):
            return GONE
        if report.verdict.phase is not Phase.RECONCILING:
            return Outcome(delay=self._looking.checked_in(work))
        work.memory.settling += 1
        delay = TRANSIENT.delay(work.memory.settling, uniform)
        due = work.marks.auto_restart and work.marks.auto_restart.next_restart_time
        if due:
            delay = max(0.1, min(delay, (due - self._now()).total_seconds()))
        return Outcome(delay=delay)

    async def _suspended(self, work: Work, observed: Observed) -> Outcome:
        """Observed and reported; nothing is changed, not even our own finalizer.

        But what an offsets operation stopped is given back once, since it was begun before the suspension.
        """
        await self._give_back(work, observed)
        self._restarts.note(work, observed)
        ours = work.resource.status.ownership.state.ours
        report = Report(
            verdicts.suspended(observed if ours or not observed.present else None),
            work.resource.status.ownership.state,
            observed if ours else None,
            work.applied,
            hide=not ours,
        )
        return await self._say(work, report)

    async def _give_back(self, work: Work, observed: Observed) -> None:
        """What an offsets operation stopped goes on, whatever else is in the way of the resource."""
        state = work.resource.spec.state
        if work.held or not work.memory.was_held or not self._is_ours(work):
            return
        if observed.state == "STOPPED" and state is not WantedState.STOPPED:
            await self._actions.change_state(work, TRANSITIONS[state], observed)
        elif observed.present:
            work.memory.was_held = False

    @staticmethod
    def _is_ours(work: Work) -> bool:
        return work.resource.status.ownership.state.ours

    async def _unusable(self, work: Work, error: ConfigInvalid | ReferenceNotFound) -> Outcome:
        """Nothing is sent; a connector that runs keeps its old configuration, and what is seen of it is still shown."""
        resource, memory = work.resource, work.memory
        missing = isinstance(error, ReferenceNotFound)
        verdict = verdicts.reference_not_found(str(error)) if missing else verdicts.config_invalid(str(error))
        if resource.metadata.deleting:
            return await self._deletions.blocked(work, verdict)
        observed = None
        if resource.spec.token_secret_ref is None:
            view = self._environments.join(work.connector.environment, work.session, resource.key)
            if view is not None and view.error is None and resource.status.ownership.state.ours:
                observed = self._looking.listed(work, view)
        state = resource.status.ownership.state
        await self._reporter.report(work, Report(verdict, state, observed, work.applied))
        if not missing and not resource.spec.config_from and resource.spec.token_secret_ref is None:
            return Outcome()  # only a changed spec can mend it
        memory.missing += 1
        return Outcome(delay=MISSING.delay(memory.missing, uniform))

    async def _trouble(self, work: Work, error: LensesError, *, lost: bool) -> Outcome:
        """`lost`: the environment as a whole; its poller wakes us when it is back, and nothing is asked until then."""
        memory, resource = work.memory, work.resource
        problem = problem_of(error, work.connector, work.quotable, work.session.token_name)
        if resource.metadata.deleting:
            return await self._deletions.blocked(work, problem)
        memory.failures += 1
        passing = problem.phase is Phase.RECONCILING
        backoff = (TRANSIENT if passing else SLOW).delay(memory.failures, uniform)
        # With a token of its own the Secret is read again, since that is where it will be mended.
        delay = None if lost and work.session.brought is None else max(backoff, error.retry_after or 0.0)
        if passing and not lost and memory.failures < QUIET_FAILURES and self._is_well(resource):
            return Outcome(delay=delay)
        # A suspended one stays Suspended whatever Lenses says; nothing is going on that could stall.
        verdict = verdicts.suspended(None) if resource.spec.suspend else problem
        await self._reporter.report(work, Report(verdict, resource.status.ownership.state, applied=work.applied))
        return Outcome(delay=delay)

    @staticmethod
    def _is_well(resource: LensesConnector) -> bool:
        ready = resource.status.ready
        generation = resource.metadata.generation
        return ready is not None and ready.status == "True" and ready.observed_generation == generation

    async def _bury(self, resource: LensesConnector) -> Outcome:
        """The object is gone without our release: deletion goes on from its last body, unless it is there after all."""
        if await self._writer.current(resource) is not None:
            self._store.revive(resource.key)
            return AGAIN
        meta = resource.metadata
        dying = meta.model_copy(update={"deletion_timestamp": meta.deletion_timestamp or self._now()})
        resource = resource.model_copy(update={"metadata": dying})
        if self._entitlement.owner(resource).metadata.uid != meta.uid:
            self._store.drop_tombstone(resource.key)
            return AGAIN
        return await self._look_after(resource)

    def _unchanged(self, work: Work) -> bool:
        now = self._store.get(work.resource.key)
        return (
            now is not None
            and now.metadata.uid == work.resource.metadata.uid
            and now.metadata.generation == work.generation
            and not now.metadata.deleting
            and self._entitlement.holds(now)
        )

    def _overtaken(self, begun: LensesConnector | None) -> bool:
        """A write's answer may bring what a person did meanwhile; its watch event comes too late to wake the key."""
        now = self._store.get(begun.key) if begun else None
        return begun is not None and now is not None and asks_anew(begun, now)

    def _memory(self, resource: LensesConnector) -> Memory:
        known = self._memories.get(resource.key)
        if known is None or known.uid != resource.metadata.uid:
            known = Memory(resource.metadata.uid, confidential=self._inputs.confidential(resource))
            self._memories[resource.key] = known
        return known
