"""How a pass looks at its connector: by the list where that suffices, else by the details; and what it learns."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from math import inf

from lenses_operator.controllers.connector.authorship import Author, author_of, left_by
from lenses_operator.controllers.connector.context import Outcome, ReconcileContext
from lenses_operator.controllers.connector.memory import STALE_FOR, UnchangedToken
from lenses_operator.domain.conditions import NO_TASKS_GRACE
from lenses_operator.domain.drift import baseline_of, may_have_become
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.schedule import next_check, next_topics
from lenses_operator.domain.states import HELD
from lenses_operator.domain.status import shows_the_same, with_known_errors
from lenses_operator.lenses.errors import LensesError
from lenses_operator.lenses_state.poller import View
from lenses_operator.lenses_state.pollers import Pollers
from lenses_operator.resources.connector import AppliedConfig, OwnershipState, WantedState

logger = logging.getLogger(__name__)
STATES = {WantedState.RUNNING: "RUNNING", **HELD}


class Observation:
    """Raises LensesError."""

    def __init__(
        self,
        environments: Pollers,
        *,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        drift_interval: float,
    ) -> None:
        self._environments = environments
        self._clock = clock
        self._now = now
        self._drift_interval = drift_interval

    async def observe(self, context: ReconcileContext) -> Observed | Outcome:
        """The connector as it is; an Outcome where it is not asked for now. What only the list fails to show is asked
        for one by one, by what has something to do."""
        key, must_act = context.resource.key, self.must_act(context)
        view = self._environments.subscribe(
            context.connector.environment, context.connector.cluster, context.session, key
        )
        if view is None:
            patience = self._environments.patience(key)
            if not must_act or patience:
                return Outcome(delay=patience if must_act else None)  # the first list wakes everyone
            view = View(asked_at=-inf)
        context.view = view
        if view.closed or (view.lost is not None and not must_act):
            assert view.error is not None
            raise view.error
        if view.error is not None and self.may_rest(context):
            return Outcome(delay=self.checked_in(context))
        unlisted = view.error is not None or view.asked_at == -inf
        context.foreign = not context.ours and (unlisted or self.listed(context, view) is not None)
        observed = context.observed = await self.look(context, view)
        context.foreign = not context.ours and observed.present
        return observed

    def shown_by_list(self, context: ReconcileContext) -> Observed | None:
        """For a resource that cannot be used, and has no token of its own."""
        if context.resource.spec.token_secret_ref is not None:
            return None
        key, connector = context.resource.key, context.connector
        view = self._environments.subscribe(connector.environment, connector.cluster, context.session, key)
        return None if view is None or view.error is not None or not context.ours else self.listed(context, view)

    async def look(self, context: ReconcileContext, view: View) -> Observed:
        """The list's word where it suffices, else the details, which also show what our last write became."""
        memory, resource, now = context.memory, context.resource, self._clock()
        reconcile = resource.metadata.reconcile
        asked = self._asked(context)
        due = asked or self._due(context)
        calm, memory.calm = memory.calm, None
        listed = self.listed(context, view)
        if listed is not None and resource.metadata.deleting and not memory.look:
            return listed
        agreed = self._agreed(context, listed)
        if agreed is not None and not due:
            return agreed
        if calm is None or agreed is None or asked or calm != self._calm(context, calm.digest):
            calm = None
        context.looked_at = now
        unproven = resource.metadata.deleting and (memory.deleting is None or memory.deleting.accepted_at is None)
        found = await context.session.reader.changed(context.connector, calm.digest if calm else None, fresh=unproven)
        memory.look = False
        if due:
            memory.next_check = next_check(now, now, self._drift_interval, resource.metadata.uid)
            memory.topics_due |= self._wants_topics(context)
        if asked:
            memory.topics_due = True
            context.mark(reconcile=reconcile)
        if found is None:
            assert agreed is not None
            context.calm = not memory.topics_due
            memory.calm = calm if context.calm else None
            return agreed
        return self._took(context, await context.cleaned(found), listed)

    def must_act(self, context: ReconcileContext) -> bool:
        """Whether something is to be done, or was begun, that should not wait until a list works again."""
        memory, resource, status, applied = context.memory, context.resource, context.resource.status, context.applied
        if resource.metadata.deleting or context.held or memory.was_held or memory.look or memory.awaiting_baseline:
            return True
        if status.ownership.state is not OwnershipState.OWNED:
            return status.ownership.state in (OwnershipState.NONE, OwnershipState.CLAIMING)
        wanted = context.wanted
        as_wanted = applied is not None and (applied.hash, applied.secrets) == (wanted.hash, wanted.secret_versions)
        restart = resource.metadata.restart
        asked = self._asked(context) or (restart is not None and restart != status.last_handled_restart)
        there = status.state in (STATES[context.state], "FAILED")
        return asked or not (as_wanted or memory.waiting) or not (there or resource.spec.suspend)

    def may_rest(self, context: ReconcileContext) -> bool:
        """While only the list fails: what is well and has nothing to do is looked at with its drift check."""
        ready = context.resource.status.ready
        return ready is not None and ready.status == "True" and not self.must_act(context) and not self._due(context)

    def _due(self, context: ReconcileContext) -> bool:
        memory, now = context.memory, self._clock()
        if memory.next_check is None:
            memory.next_check = next_check(now, None, self._drift_interval, context.resource.metadata.uid)
            memory.topics_next = next_topics(now, None, context.resource.metadata.uid)
        return now >= memory.next_check

    @staticmethod
    def _asked(context: ReconcileContext) -> bool:
        value = context.resource.metadata.reconcile
        return value is not None and value != context.resource.status.last_handled_reconcile

    def _took(self, context: ReconcileContext, observed: Observed, listed: Observed | None) -> Observed:
        """What the details tell beside what is to be done."""
        self._count_absence(context, observed)
        if not any(task.trace for task in observed.tasks):
            self._took_no_trace(context)
        if observed.present and (listed is None or not listed.looks_like(observed)):
            self._environments.recheck(context.resource.key)
        if observed.present and not context.resource.metadata.deleting:
            self._take_baseline(context, observed)
        return observed

    def _count_absence(self, context: ReconcileContext, observed: Observed) -> None:
        memory, now = context.memory, self._clock()
        if observed.present:
            memory.absent_since = None
            if memory.deleted_at is not None and now > memory.deleted_at + STALE_FOR:
                memory.deleted_at = None  # this one is no more the one that our DELETE was accepted for
            return
        if memory.deleted_at is not None:
            memory.pacing.worked("delete")
        if memory.absent_since is None and not memory.expects(now):
            memory.absent_since = context.looked_at

    @staticmethod
    def _took_no_trace(context: ReconcileContext) -> None:
        memory, applied = context.memory, context.applied
        if applied is not None and not set(applied.not_compared) <= context.wanted.config.keys():
            return  # adopted with keys that Lenses hides and nobody here wants: their values are in no Secret of ours
        if memory.confidential.saw_no_trace(applied) and applied is not None and applied.former_traces:
            memory.applied = applied.model_copy(update={"former_traces": None})

    @staticmethod
    def _agreed(context: ReconcileContext, listed: Observed | None) -> Observed | None:
        """The list's word on a connector of ours, where it is what status says and nothing else is to be found out."""
        memory, status = context.memory, context.resource.status
        if memory.look or memory.awaiting_baseline or memory.waiting or listed is None:
            return None
        if status.ownership.state is not OwnershipState.OWNED or not shows_the_same(status, listed):
            return None
        return with_known_errors(listed, status)

    def keep_calm(self, context: ReconcileContext, observed: Observed) -> None:
        """After a pass that has left everything as it was, and that nothing but a change can make end otherwise."""
        memory = context.memory
        timed = memory.refusal or context.resource.status.auto_restart or memory.no_tasks_since is not None
        later = timed or memory.waiting or memory.topics_due
        memory.calm = None if later else self._calm(context, observed.digest)

    @staticmethod
    def _calm(context: ReconcileContext, digest: bytes | None) -> UnchangedToken | None:
        if digest is None or context.held or context.memory.was_held or context.unusable is not None:
            return None
        given = (
            (context.wanted.fingerprint, context.wanted.secret_versions) if context.resource.spec.config_from else None
        )
        return UnchangedToken(context.resource.metadata.resource_version, given, digest)

    @staticmethod
    def listed(context: ReconcileContext, view: View) -> Observed | None:
        """What the list says, if it is younger than our last request."""
        return context.session.reader.listed(context.connector, view, context.memory.acted_at)

    def checked_in(self, context: ReconcileContext) -> float:
        """Seconds until the next drift check."""
        assert context.memory.next_check is not None
        return max(0.0, context.memory.next_check - self._clock())

    def _wants_topics(self, context: ReconcileContext) -> bool:
        """At a drift check: a connector that has used none yet may have begun to."""
        memory, now = context.memory, self._clock()
        if memory.topics_next is None or now >= memory.topics_next:
            memory.topics_next = next_topics(now, now, context.resource.metadata.uid)
            return True
        return not (context.resource.status.topics if memory.topics is None else memory.topics)

    async def topics(self, context: ReconcileContext) -> tuple[str, ...] | None:
        """Topics are for people; not knowing them must not keep anything from being done."""
        memory = context.memory
        if memory.topics_due or (memory.topics is None and context.resource.status.topics is None):
            try:
                found = await context.session.reader.topics(context.connector)
                memory.topics = await context.names(found)
            except LensesError as error:
                logger.debug("topics not read: %s", error)
            else:
                memory.topics_due = False
        return memory.topics

    def without_tasks(self, context: ReconcileContext, observed: Observed) -> float:
        """Seconds a running connector has been without tasks, as far as this process or the last status knows."""
        memory, now = context.memory, self._clock()
        if not (
            observed.state == "RUNNING" and not observed.tasks and context.resource.spec.state is WantedState.RUNNING
        ):
            memory.no_tasks_since = None
            return 0.0
        if memory.no_tasks_since is None:
            ready = context.resource.status.ready
            known = ready is not None and ready.reason == Reason.NO_TASKS
            memory.no_tasks_since = now - NO_TASKS_GRACE if known else now
        return now - memory.no_tasks_since

    @staticmethod
    def wants_traces(context: ReconcileContext, observed: Observed) -> bool:
        """The list shows a failure but not its cause; details are asked once, since Lenses may have none to give."""
        if observed.details is not None:
            return False
        known = {task.id for task in context.resource.status.tasks if task.state == "FAILED"}
        return any(task.state == "FAILED" and task.id not in known for task in observed.tasks)

    def settle_applied(self, context: ReconcileContext, *, waiting: bool) -> AppliedConfig | None:
        """As wanted already, by a write of ours that was cut off, by adoption, or by somebody else's hand."""
        memory, applied, wanted = context.memory, context.applied, context.wanted
        if waiting:
            return applied
        same = applied is not None and applied.hash == wanted.hash and applied.secrets == wanted.secret_versions
        if same and wanted.digest and applied is not None:
            same = applied.secrets_digest == wanted.digest  # it may be of an older operator, or under another key
        if applied is None or applied.time is None or not same:
            kept = applied or AppliedConfig(hash="")
            time = (kept.time if kept.hash == wanted.hash else None) or self._now()
            changes = {
                "hash": wanted.hash,
                "secrets": wanted.secret_versions,
                "secrets_digest": wanted.digest or None,
                "time": time,
                "former_traces": context.leaves_traces(wanted.secret_versions),
            }
            memory.applied = applied = kept.model_copy(update=changes)
        # Whoever wrote it: an older write of ours says nothing of it any more, where Lenses hides it later.
        memory.last_written = wanted
        return applied

    def _take_baseline(self, context: ReconcileContext, observed: Observed) -> None:
        """What Lenses shows right after our own write is notation and server defaults, not drift."""
        memory = context.memory
        if memory.contested:
            return  # whose it is has to be settled first
        self._settle_authorship(context, observed)
        if not memory.awaiting_baseline or memory.last_written is None or memory.applied is None:
            return
        if self.stale(context, observed):
            return
        memory.awaiting_baseline, memory.before, memory.put_at = False, None, None
        for request in ("create", "put", "roll back"):
            memory.pacing.worked(request)
        if memory.refusal is not None and memory.refusal.reason == Reason.UPDATE_NOT_APPLIED:
            memory.refusal = None
        if observed.config is not None and observed.details is not None:
            baseline = baseline_of(memory.last_written.config, observed.config, observed.details.hidden_keys)
            changes = {
                "not_compared": tuple(sorted(baseline.not_compared)),
                "added": tuple(sorted(baseline.added)),
            }
            memory.applied = memory.applied.model_copy(update=changes)

    def _settle_authorship(self, context: ReconcileContext, observed: Observed) -> None:
        """Whether what is found is what a create without a clear answer has left."""
        memory = context.memory
        match author_of(context, observed):
            case Author.US:
                written = left_by(memory.attempted, observed) or memory.attempted[-1]
                memory.wrote(written, context.applying(written, self._now()), self._clock())
            case Author.STRANGER:
                memory.contested = True
            case Author.BEFORE:
                memory.attempted = ()

    def stale(self, context: ReconcileContext, observed: Observed) -> bool:
        """Whether Lenses shows what it showed before our last write: a cache does for a while, and after a write in
        place it may be that nothing was written."""
        memory, written = context.memory, context.memory.newest
        pending = memory.awaiting_baseline or memory.attempted
        if not pending or written is None or memory.before is None or observed.config != memory.before:
            return False
        assert observed.details is not None
        hidden = observed.details.hidden_keys
        if may_have_become(written.config, memory.before, memory.notation, hidden, memory.keys):
            return False  # it has always been shown so
        since = memory.written_at if memory.awaiting_baseline else memory.acted_at
        return memory.put_at is not None or self._clock() < since + STALE_FOR
