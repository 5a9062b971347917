"""One pass over one LensesConnector: observe, decide, act, write status. Level-triggered: it may run at any time."""

from __future__ import annotations

from math import inf
from random import uniform

from lenses_operator.controllers.acting import Acting
from lenses_operator.controllers.clocks import Clocks
from lenses_operator.controllers.converge import Convergence
from lenses_operator.controllers.deletion import Deletions
from lenses_operator.controllers.entitlement import Entitlement
from lenses_operator.controllers.environments import Environments
from lenses_operator.controllers.forgetting import Forgetting
from lenses_operator.controllers.inputs import Inputs
from lenses_operator.controllers.looking import Looking
from lenses_operator.controllers.memory import Memory
from lenses_operator.controllers.offsets_store import OffsetsStore
from lenses_operator.controllers.pacing import WHILE_AWAY
from lenses_operator.controllers.problems import problem_of
from lenses_operator.controllers.reporter import Reporter, StatusWriter
from lenses_operator.controllers.session import Sessions
from lenses_operator.controllers.store import Store, asks_anew
from lenses_operator.controllers.validator import Validator
from lenses_operator.controllers.work import AGAIN, GONE, Outcome, Work
from lenses_operator.domain import verdicts
from lenses_operator.domain.backoff import MISSING, SLOW, TRANSIENT
from lenses_operator.domain.decide import decide_early
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.references import ReferenceNotFound
from lenses_operator.domain.render import ConfigInvalid, Rendered
from lenses_operator.domain.status import Report
from lenses_operator.lenses.errors import LensesError, Overtaken
from lenses_operator.lenses.poller import View
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.conditions import Phase, Verdict
from lenses_operator.resources.connector import LensesConnector

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
        acting = Acting(
            reporter, Validator(clocks.loop), environments, clocks.loop, clocks.now, unchanged=self._unchanged
        )
        self._convergence = Convergence(acting, self._looking)
        self._entitlement = Entitlement(store, inputs, environments, reporter)
        self._deletions = Deletions(reporter, store, environments, clocks.loop)
        self._memories: dict[ObjectKey, Memory] = {}
        self._forgetting = Forgetting(store, inputs, sessions)

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
            return self._forget(key)
        if resource.metadata.released:
            return self._forget(key)
        return await self._look_after(resource)

    def _forget(self, key: ObjectKey) -> Outcome:
        self._memories.pop(key, None)
        self._environments.leave(key)
        return GONE

    async def _look_after(self, resource: LensesConnector) -> Outcome:
        """What can be said without Lenses comes first: what is let go, who owns the name, who may use it."""
        bare = Work(resource, Rendered({}), self._memory(resource), self._sessions.own)
        early = decide_early(resource, unsent=bare.unsent)
        if early is not None:
            return await self._deletions.release(bare, early)
        if resource.misfit is not None and (resource.cannot_be_deleted or not resource.metadata.deleting):
            return await self._misfit(bare, verdicts.misfit(resource.misfit.words))
        refused = await self._entitlement.refuse(bare)
        if refused is not None:
            return refused
        await self._operations.weigh(resource)
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
        key, must_act = work.resource.key, self._looking.must_act(work)
        view = self._environments.join(work.connector.environment, work.connector.cluster, work.session, key)
        if view is None:
            patience = self._environments.patience(key)
            if not must_act or patience:
                return Outcome(delay=patience if must_act else None)  # the first list wakes everyone
            view = View(asked_at=-inf)
        try:
            if view.closed or (view.lost is not None and not must_act):
                assert view.error is not None
                raise view.error
            if view.error is not None and self._looking.may_rest(work):
                return Outcome(delay=self._looking.checked_in(work))
            return await self._look_and_act(work, view)
        except Overtaken:
            return Outcome(delay=0)
        except LensesError as error:
            return await self._trouble(work, error, lost=error is view.error)

    async def _look_and_act(self, work: Work, view: View) -> Outcome:
        unlisted = view.error is not None or view.asked_at == -inf
        work.foreign = not work.ours and (unlisted or self._looking.listed(work, view) is not None)
        observed = work.observed = await self._looking.look(work, view)
        work.foreign = not work.ours and observed.present
        if work.memory.contested and observed.present and not work.resource.metadata.deleting:
            outcome = await self._convergence.settle_contest(work, observed)
        elif work.resource.metadata.deleting:
            outcome = await self._deletions.step(work, observed)
        elif work.unusable is not None and not (work.held and observed.present and work.ours):
            await self._convergence.give_back(work, observed)
            outcome = await self._unusable(work, work.unusable)
        elif work.resource.spec.suspend and not work.held:
            outcome = await self._convergence.suspended(work, observed)
        elif work.calm:
            outcome = Outcome(delay=self._looking.checked_in(work))
        elif not await self._finalized(work):
            outcome = GONE
        else:
            outcome = await self._convergence.converge(work, observed)
        if not outcome.paced:
            work.memory.failures = 0
        return outcome

    async def _finalized(self, work: Work) -> bool:
        """What is ours carries our finalizer, though a `kubectl replace` may have dropped it. False: it is gone."""
        return not work.ours or await self._reporter.finalize(work)

    async def _unusable(self, work: Work, error: ConfigInvalid | ReferenceNotFound) -> Outcome:
        """Nothing is sent; a connector that runs keeps its old configuration, and what is seen of it is still shown."""
        resource, memory = work.resource, work.memory
        missing = isinstance(error, ReferenceNotFound)
        verdict = verdicts.reference_not_found(str(error)) if missing else verdicts.config_invalid(str(error))
        if resource.metadata.deleting:
            return await self._deletions.blocked(work, verdict)
        observed = None
        if resource.spec.token_secret_ref is None:
            view = self._environments.join(
                work.connector.environment, work.connector.cluster, work.session, resource.key
            )
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
        await work.prepare()
        problem = problem_of(error, work.connector, work.quotable, work.session.token_name)
        if resource.metadata.deleting:
            return await self._deletions.blocked(work, problem)
        memory.failures += 1
        passing = problem.phase is Phase.RECONCILING
        backoff = (TRANSIENT if passing else SLOW).delay(memory.failures, uniform)
        if passing and memory.replacement is not None:
            backoff = min(backoff, WHILE_AWAY)
        # With a token of its own the Secret is read again, since that is where it will be mended.
        delay = None if lost and work.session.brought is None else max(backoff, error.retry_after or 0.0)
        if passing and not lost and memory.failures < QUIET_FAILURES and self._is_well(resource):
            return Outcome(delay=delay)
        # A suspended one stays Suspended whatever Lenses says; nothing is going on that could stall.
        verdict = verdicts.suspended(None) if resource.spec.suspend else problem
        absent = work.observed if work.observed is not None and not work.observed.present else None
        await self._reporter.report(work, Report(verdict, resource.status.ownership.state, absent, work.applied))
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
            self._forgetting.begin()
        return known
