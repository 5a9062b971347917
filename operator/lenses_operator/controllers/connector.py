"""One pass over one LensesConnector: observe, decide, act, write status. Level-triggered: it may run at any time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import uniform

from lenses_operator.controllers.actions import Actions
from lenses_operator.controllers.deletion import Deletions
from lenses_operator.controllers.environments import Environments
from lenses_operator.controllers.memory import Memory
from lenses_operator.controllers.observer import Observer
from lenses_operator.controllers.problems import problem_of
from lenses_operator.controllers.reporter import EventSink, Reporter, StatusWriter
from lenses_operator.controllers.store import Store
from lenses_operator.controllers.validator import Validator
from lenses_operator.controllers.work import AGAIN, GONE, Outcome, Work
from lenses_operator.domain import verdicts
from lenses_operator.domain.backoff import SLOW, TRANSIENT
from lenses_operator.domain.decide import (
    Adopt,
    ChangeState,
    Check,
    Create,
    Look,
    Nothing,
    Recreate,
    RefuseAdoption,
    decide,
    decide_early,
)
from lenses_operator.domain.drift import baseline_of
from lenses_operator.domain.ownership import conflict_message, owner_of
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.render import ConfigInvalid, Rendered, render
from lenses_operator.domain.schedule import next_check
from lenses_operator.domain.situation import Observed, Situation
from lenses_operator.domain.status import Report, shows_the_same
from lenses_operator.domain.validation import withhold
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.errors import LensesError
from lenses_operator.lenses.poller import View
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.conditions import Phase
from lenses_operator.resources.connector import AppliedConfig, LensesConnector, OwnershipState, WantedState

logger = logging.getLogger(__name__)
MAX_STEPS = 8
"""Steps in one pass; a connector that wants more lets others have their turn."""
QUIET_FAILURES = 3
"""Passing failures in a row before a connector that is well is called into question."""


@dataclass(frozen=True)
class Clocks:
    """`loop`: seconds that only grow; `now`: the wall's time, for what people read."""

    loop: Callable[[], float]
    now: Callable[[], datetime]


class ConnectorController:
    """`reconcile` gives the seconds until the key wants to be looked at again, None if only an event should wake it."""

    def __init__(
        self,
        *,
        client: LensesClient,
        store: Store,
        environments: Environments,
        writer: StatusWriter,
        emit: EventSink,
        clocks: Clocks,
        drift_interval: float,
    ) -> None:
        self._store = store
        self._environments = environments
        self._writer = writer
        self._clock = clocks.loop
        self._now = clocks.now
        self._drift_interval = drift_interval
        self._observer = Observer(client, self._clock)
        self._reporter = Reporter(writer, store, emit, self._now)
        self._actions = Actions(
            client,
            self._observer,
            self._reporter,
            Validator(client, self._observer, self._clock),
            clock=self._clock,
            now=self._now,
            unchanged=self._unchanged,
        )
        self._deletions = Deletions(client, self._reporter, store, self._clock)
        self._memories: dict[ObjectKey, Memory] = {}

    async def reconcile(self, key: ObjectKey) -> float | None:
        """Raises KubeError only."""
        outcome = AGAIN
        for _ in range(MAX_STEPS):
            begun = self._store.get(key)
            outcome = await self._step(key)
            if not outcome.again and not self._overtaken(begun):
                return outcome.delay
        return 0.0

    async def _step(self, key: ObjectKey) -> Outcome:
        tombstone = self._store.tombstone(key)
        if tombstone is not None:
            return await self._bury(tombstone.resource)
        resource = self._store.get(key)
        if resource is None:
            self._forget(key)
            return GONE
        memory = self._memory(resource)
        early = decide_early(resource)
        if resource.metadata.deleting and not resource.metadata.has_finalizer:
            return GONE
        if early is not None:
            return await self._deletions.release(Work(resource, Rendered({}), memory), early)
        owner = owner_of(self._store.claimants(resource.connector))
        if owner.metadata.uid != resource.metadata.uid:
            return await self._lose(Work(resource, Rendered({}), memory), owner)
        try:
            work = Work(resource, render(resource.spec), memory)
        except ConfigInvalid as error:
            work = Work(resource, Rendered({}), memory)
            if not resource.metadata.deleting:
                return await self._invalid(work, str(error))
        return await self._ask_lenses(work)

    async def _ask_lenses(self, work: Work) -> Outcome:
        environment = work.connector.environment
        view = self._environments.join(environment, work.resource.key)
        if view is None:
            return Outcome()  # the first list wakes everyone
        try:
            if view.error is not None:
                raise view.error
            observed = await self._observe(work, view)
            if work.resource.metadata.deleting:
                outcome = await self._deletions.step(work, observed)
            else:
                outcome = await self._converge(work, observed)
        except LensesError as error:
            return await self._trouble(work, error, lost=error is view.error)
        work.memory.failures = 0
        return outcome

    async def _observe(self, work: Work, view: View) -> Observed:
        """The list's word where it suffices, else the details, which also show what our last write became."""
        memory, resource, now = work.memory, work.resource, self._clock()
        if memory.next_check is None:
            memory.next_check = next_check(now, None, self._drift_interval, resource.metadata.uid)
        due = now >= memory.next_check
        listed = self._observer.listed(work.connector, view, memory.acted_at)
        if listed is not None and resource.metadata.deleting and not memory.look:
            return listed
        trusted = resource.status.ownership.state is OwnershipState.OWNED and not memory.look and not due
        if listed is not None and trusted and not memory.awaiting_baseline and shows_the_same(resource.status, listed):
            return listed
        observed = await self._observer.details(work.connector)
        memory.look = False
        if observed.present:
            self._environments.recheck(work.connector.environment, resource.key)
        if due:
            memory.next_check = next_check(now, now, self._drift_interval, resource.metadata.uid)
            memory.topics_due = True
        if resource.metadata.deleting or not observed.present:
            return observed
        self._take_baseline(work, observed)
        return observed

    async def _topics(self, work: Work) -> tuple[str, ...] | None:
        """Topics are for people; not knowing them must not keep anything from being done."""
        memory = work.memory
        if memory.topics_due or (memory.topics is None and work.resource.status.topics is None):
            try:
                memory.topics = await self._observer.topics(work.connector)
            except LensesError as error:
                logger.debug("topics not read: %s", error)
            else:
                memory.topics_due = False
        return memory.topics

    def _take_baseline(self, work: Work, observed: Observed) -> None:
        """What Lenses shows right after our own write is notation and server defaults, not drift."""
        memory = work.memory
        if memory.attempted is not None:  # the create whose answer never came has worked
            memory.wrote(memory.attempted, AppliedConfig(hash=memory.attempted.hash, time=self._now()))
        if not memory.awaiting_baseline or memory.last_written is None or memory.applied is None:
            return
        memory.awaiting_baseline = False
        if observed.config is not None and observed.details is not None:
            baseline = baseline_of(memory.last_written.config, observed.config, observed.details.hidden_keys)
            memory.applied = memory.applied.model_copy(
                update={
                    "not_compared": tuple(sorted(baseline.not_compared)),
                    "added": tuple(sorted(baseline.added)),
                }
            )

    async def _converge(self, work: Work, observed: Observed) -> Outcome:
        memory = work.memory
        refusal = memory.refusal if self._clock() < memory.refusal_until else None
        situation = Situation(
            resource=work.resource,
            wanted=work.wanted,
            state=work.resource.spec.state,
            observed=observed,
            applied=work.applied,
            last_written=memory.last_written,
            refusal=refusal,
            validated=memory.valid is not None and memory.valid[0] == work.wanted.hash,
        )
        match decide(situation):
            case Look():
                memory.look = True
                return AGAIN
            case Adopt() as adopt:
                return await self._adopt(work, adopt, observed)
            case RefuseAdoption(difference=difference):
                verdict = verdicts.not_adopted(work.connector, difference)
                return await self._say(work, Report(verdict, OwnershipState.NOT_ADOPTED, hide=True))
            case Create(lost=lost):
                return await self._actions.create(work, lost=lost)
            case Recreate() as recreate:
                return await self._actions.recreate(work, recreate, observed)
            case Check():
                if await self._actions.check(work):
                    return AGAIN
                return await self._actions.report_refusal(work, observed)
            case ChangeState(action=action):
                outcome = await self._actions.change_state(work, action, observed)
                return outcome or await self._settled(work, situation, Nothing())
            case Nothing() as nothing:
                if not observed.present and self._actions.can_go_back(work):
                    return await self._actions.go_back(work)
                return await self._settled(work, situation, nothing)

    async def _settled(self, work: Work, situation: Situation, nothing: Nothing) -> Outcome:
        """Nothing to do in Lenses: say how it stands, and when to look again."""
        observed, memory = situation.observed, work.memory
        if situation.refused:
            return await self._actions.report_refusal(work, observed)
        without = self._without_tasks(work, observed)
        verdict = verdicts.of_connector(observed, situation.state, without_tasks=without, waiting=nothing.waiting)
        if self._wants_traces(work, observed):
            memory.look = True
            return AGAIN
        applied = work.applied
        if not nothing.waiting and (applied is None or applied.hash != work.wanted.hash):
            # Already as wanted, by a write of ours that was cut off, by adoption, or by somebody else's hand.
            kept = applied or AppliedConfig(hash="", time=self._now())
            applied = kept.model_copy(update={"hash": work.wanted.hash, "time": self._now()})
            memory.applied = applied
        if not nothing.waiting and memory.last_written is None:
            memory.last_written = work.wanted
        settling = verdict.phase is Phase.RECONCILING and self._clock() < memory.settling_until
        if settling and verdict.reason == Reason.PROGRESSING:
            return self._actions.settle(work)
        memory.asked = None if verdict.ready == "True" else memory.asked
        topics = await self._topics(work)
        return await self._say(work, Report(verdict, OwnershipState.OWNED, observed, applied, topics))

    async def _say(self, work: Work, report: Report) -> Outcome:
        if not await self._reporter.report(work, report):
            return GONE
        memory = work.memory
        if report.verdict.phase is not Phase.RECONCILING:
            assert memory.next_check is not None
            return Outcome(delay=max(0.0, memory.next_check - self._clock()))
        memory.settling += 1
        return Outcome(delay=TRANSIENT.delay(memory.settling, uniform))

    async def _adopt(self, work: Work, adopt: Adopt, observed: Observed) -> Outcome:
        if not await self._reporter.finalize(work):
            return GONE
        assert observed.config is not None or adopt.unreadable
        applied = AppliedConfig(hash=work.wanted.hash, time=self._now(), not_compared=adopt.unreadable)
        verdict = verdicts.progressing(f"Connector {work.connector} was there before and is taken over as it is.")
        if not await self._reporter.report(work, Report(verdict, OwnershipState.OWNED, observed, applied)):
            return GONE
        unread = (
            f" Not compared, because Lenses does not show them: {', '.join(adopt.unreadable)}."
            if adopt.unreadable
            else ""
        )
        self._reporter.event(
            work, "Adopted", f"Took over connector {work.connector}: its configuration matches.{unread}"
        )
        work.memory.look = True
        return AGAIN

    async def _lose(self, work: Work, owner: LensesConnector) -> Outcome:
        if work.resource.metadata.deleting:
            await self._reporter.release(work)
            return GONE
        self._environments.leave(work.connector.environment, work.resource.key)
        verdict = verdicts.conflict(conflict_message(work.resource, owner))
        await self._reporter.report(work, Report(verdict, OwnershipState.CONFLICT, hide=True))
        return Outcome()  # the owner's going wakes us

    async def _invalid(self, work: Work, message: str) -> Outcome:
        """Nothing is sent; a connector that runs keeps its old configuration, and what is seen of it is still shown."""
        resource = work.resource
        view = self._environments.join(work.connector.environment, resource.key)
        good = view if view is not None and view.error is None else None
        observed = self._observer.listed(work.connector, good, work.memory.acted_at) if good else None
        ours = resource.status.ownership.state is OwnershipState.OWNED
        state = resource.status.ownership.state
        report = Report(verdicts.config_invalid(message), state, observed if ours else None, work.applied)
        await self._reporter.report(work, report)
        return Outcome()

    async def _trouble(self, work: Work, error: LensesError, *, lost: bool) -> Outcome:
        """`lost`: the environment as a whole; its poller wakes us when it is back, and nothing is asked until then."""
        memory, resource = work.memory, work.resource
        problem = problem_of(error, work.connector, lambda words: withhold(words, work.wanted.config))
        if resource.metadata.deleting:
            return await self._deletions.blocked(work, problem)
        memory.failures += 1
        passing = problem.phase is Phase.RECONCILING
        backoff = (TRANSIENT if passing else SLOW).delay(memory.failures, uniform)
        delay = None if lost else max(backoff, error.retry_after or 0.0)
        ready = resource.status.ready
        well = (
            ready is not None and ready.status == "True" and ready.observed_generation == resource.metadata.generation
        )
        if well and passing and not lost and memory.failures < QUIET_FAILURES:
            return Outcome(delay=delay)
        await self._reporter.report(work, Report(problem, resource.status.ownership.state, applied=work.applied))
        return Outcome(delay=delay)

    async def _bury(self, resource: LensesConnector) -> Outcome:
        """The object is gone without our release: deletion goes on from its last body, unless it is there after all."""
        if await self._writer.current(resource) is not None:
            self._store.revive(resource.key)
            return AGAIN
        meta = resource.metadata
        dying = meta.model_copy(update={"deletion_timestamp": meta.deletion_timestamp or self._now()})
        memory = self._memory(resource)
        work = Work(resource.model_copy(update={"metadata": dying}), Rendered({}), memory)
        early = decide_early(work.resource)
        if early is not None:
            return await self._deletions.release(work, early)
        if owner_of(self._store.claimants(resource.connector)).metadata.uid != meta.uid:
            self._store.drop_tombstone(resource.key)
            return AGAIN
        return await self._ask_lenses(work)

    def _without_tasks(self, work: Work, observed: Observed) -> float:
        """Seconds a running connector has been without tasks, as far as this process or the last status knows."""
        memory, now = work.memory, self._clock()
        if not (observed.state == "RUNNING" and not observed.tasks and work.resource.spec.state is WantedState.RUNNING):
            memory.no_tasks_since = None
            return 0.0
        if memory.no_tasks_since is None:
            memory.no_tasks_since = now
            ready = work.resource.status.ready
            if ready is not None and ready.reason == Reason.NO_TASKS:
                memory.no_tasks_since = now - verdicts.NO_TASKS_GRACE
        return now - memory.no_tasks_since

    @staticmethod
    def _wants_traces(work: Work, observed: Observed) -> bool:
        """The list shows a failure but not its cause; asked once, since Lenses may have none to give."""
        if observed.details is not None:
            return False
        errors = {task.id: task.error for task in work.resource.status.tasks if task.state == "FAILED"}
        failed = [task.id for task in observed.tasks if task.state == "FAILED"]
        return any(task not in errors for task in failed)

    def _unchanged(self, work: Work) -> bool:
        now = self._store.get(work.resource.key)
        return (
            now is not None
            and now.metadata.uid == work.resource.metadata.uid
            and now.metadata.generation == work.generation
            and not now.metadata.deleting
        )

    def _overtaken(self, begun: LensesConnector | None) -> bool:
        """A write's answer may bring an edit or a deletion; its watch event then comes too late to wake the key."""
        now = self._store.get(begun.key) if begun else None
        old, new = (one and (one.metadata.generation, one.metadata.deleting) for one in (begun, now))
        return now is not None and old != new

    def _memory(self, resource: LensesConnector) -> Memory:
        known = self._memories.get(resource.key)
        if known is None or known.uid != resource.metadata.uid:
            known = Memory(resource.metadata.uid)
            self._memories[resource.key] = known
        return known

    def _forget(self, key: ObjectKey) -> None:
        self._memories.pop(key, None)
        self._environments.forget(key)
