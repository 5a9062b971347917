"""How a pass looks at its connector: by the list where that suffices, else by the details; and what it learns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf

from lenses_operator.controllers.connector import absence, topics, written
from lenses_operator.controllers.connector.context import Outcome, ReconcileContext
from lenses_operator.domain import restarts
from lenses_operator.domain.conditions import NO_TASKS_GRACE, idle_after
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.schedule import next_check
from lenses_operator.domain.states import HELD
from lenses_operator.domain.status import shows_the_same, with_known_errors
from lenses_operator.lenses_state.poller import View
from lenses_operator.lenses_state.pollers import Pollers
from lenses_operator.resources.connector import ConnectorStatus, OwnershipState, SecretVersion, WantedState

STATES = {WantedState.RUNNING: "RUNNING", **HELD}


@dataclass(frozen=True, slots=True)
class UnchangedToken:
    """A pass that read the details, found no difference, and wrote nothing.

    With the same resource, the same values of what it refers to and the same answer to the byte, the next one would end
    the same way.
    """

    version: str
    given: tuple[str, tuple[SecretVersion, ...]] | None
    digest: bytes


@dataclass(frozen=True, slots=True)
class Checks:
    """When the details are asked for. Times are the event loop's."""

    details_due: bool = False
    next_drift_check: float | None = None
    no_tasks_since: float | None = None
    unchanged: UnchangedToken | None = None
    """Of the last pass; each new one has to find it again."""


def look_closely(context: ReconcileContext) -> None:
    """The next pass reads the details: the list's word does not do."""
    if not context.memory.checks.details_due:
        context.memory.checks = replace(context.memory.checks, details_due=True)


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
        context.may_be_foreign()
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
        asked = self._asked(context)
        due = asked or self._due(context)
        known = memory.checks.unchanged
        _remember(context, None)
        listed = self.listed(context, view)
        owned = resource.status.ownership.state is OwnershipState.OWNED
        if listed is not None and resource.metadata.deleting and owned and not memory.checks.details_due:
            return listed
        agreed = self._agreed(context, listed)
        if agreed is not None and not due:
            return agreed
        if known is None or agreed is None or asked or known != self._token(context, known.digest):
            known = None
        context.looked_at = now
        unproven = resource.metadata.deleting and (memory.deleting is None or memory.deleting.accepted_at is None)
        found = await context.session.reader.changed(context.connector, known.digest if known else None, fresh=unproven)
        memory.checks = replace(memory.checks, details_due=False)
        if due:
            self._schedule(context, now, now)
            topics.at_drift_check(context, self._clock())
        if asked:
            topics.set_due(context)
            context.mark(reconcile=resource.metadata.reconcile)
        if found is None:
            assert agreed is not None
            context.rests = not memory.topics.due
            _remember(context, known if context.rests else None)
            return agreed
        if found.present:
            written.settle_authorship(context, found, self._clock(), self._now())
        return self._took(context, await context.cleaned(found), listed)

    def must_act(self, context: ReconcileContext) -> bool:
        """Whether something is to be done, or was begun, that should not wait until a list works again."""
        memory, resource, status, applied = context.memory, context.resource, context.resource.status, context.applied
        if resource.metadata.deleting or context.held or memory.state_change.was_held:
            return True
        if memory.checks.details_due or memory.written.awaiting_baseline:
            return True
        if status.ownership.state is not OwnershipState.OWNED:
            return status.ownership.state in (OwnershipState.NONE, OwnershipState.CLAIMING)
        wanted = context.wanted
        as_wanted = applied is not None and (applied.hash, applied.secrets) == (wanted.hash, wanted.secret_versions)
        asked = self._asked(context) or restarts.asked(resource)
        there = status.state in (STATES[context.state], "FAILED")
        return asked or not (as_wanted or memory.written.waiting) or not (there or resource.spec.suspend)

    def may_rest(self, context: ReconcileContext) -> bool:
        """While only the list fails: what is healthy and has nothing to do is read with its drift check."""
        ready = context.resource.status.ready
        return ready is not None and ready.status == "True" and not self.must_act(context) and not self._due(context)

    def _due(self, context: ReconcileContext) -> bool:
        now, check = self._clock(), context.memory.checks.next_drift_check
        if check is None:
            check = self._schedule(context, now, None)
            topics.schedule(context, now)
        return now >= check

    def _schedule(self, context: ReconcileContext, now: float, last: float | None) -> float:
        """The next drift check."""
        check = next_check(now, last, self._drift_interval, context.resource.metadata.uid)
        context.memory.checks = replace(context.memory.checks, next_drift_check=check)
        return check

    @staticmethod
    def _asked(context: ReconcileContext) -> bool:
        value = context.resource.metadata.reconcile
        return value is not None and value != context.resource.status.last_handled_reconcile

    def _took(self, context: ReconcileContext, observed: Observed, listed: Observed | None) -> Observed:
        """What the details tell beside what is to be done."""
        absence.note(context, observed, self._clock())
        if observed.present and not any(task.trace for task in observed.tasks):
            written.saw_no_trace(context)
        if observed.present and (listed is None or not listed.looks_like(observed)):
            self._environments.recheck(context.resource.key)
        if observed.present and not context.resource.metadata.deleting:
            written.take_baseline(context, observed, self._clock())
        return observed

    @staticmethod
    def _agreed(context: ReconcileContext, listed: Observed | None) -> Observed | None:
        """The list's word on a connector of ours, where it is what status says and nothing else is to be found out."""
        memory, status = context.memory, context.resource.status
        if memory.checks.details_due or memory.written.awaiting_baseline or memory.written.waiting or listed is None:
            return None
        if status.ownership.state is not OwnershipState.OWNED or not shows_the_same(status, listed):
            return None
        return with_known_errors(listed, status)

    def keep_unchanged(self, context: ReconcileContext, observed: Observed) -> None:
        """After a pass that has left everything as it was, and that nothing but a change can make end otherwise."""
        memory = context.memory
        timed = memory.refusals.last or context.resource.status.auto_restart or memory.checks.no_tasks_since is not None
        later = timed or memory.written.waiting or memory.topics.due
        _remember(context, None if later else self._token(context, observed.digest))

    @staticmethod
    def _token(context: ReconcileContext, digest: bytes | None) -> UnchangedToken | None:
        if digest is None or context.held or context.memory.state_change.was_held or context.unusable is not None:
            return None
        given = (
            (context.wanted.fingerprint, context.wanted.secret_versions) if context.resource.spec.config_from else None
        )
        return UnchangedToken(context.resource.metadata.resource_version, given, digest)

    @staticmethod
    def listed(context: ReconcileContext, view: View) -> Observed | None:
        """What the list says, if it is younger than our last request."""
        return context.session.reader.listed(context.connector, view, context.memory.settling.acted_at)

    def checked_in(self, context: ReconcileContext) -> float:
        """Seconds until the next drift check."""
        assert context.memory.checks.next_drift_check is not None
        return max(0.0, context.memory.checks.next_drift_check - self._clock())

    def without_tasks(self, context: ReconcileContext, observed: Observed) -> float:
        """Seconds a running connector has been without tasks, as far as this process or the last status knows."""
        now, wanted = self._clock(), context.resource.spec.state
        since = context.memory.checks.no_tasks_since
        if observed.state != "RUNNING" or observed.tasks or wanted is not WantedState.RUNNING:
            if since is not None:
                context.memory.checks = replace(context.memory.checks, no_tasks_since=None)
            return 0.0
        if since is None:
            since = now - NO_TASKS_GRACE if _known_idle(context.resource.status) else now
            context.memory.checks = replace(context.memory.checks, no_tasks_since=since)
        return now - since

    def idle_in(self, context: ReconcileContext) -> float:
        """Seconds until having no task is to be called something else; nothing in Lenses changes then."""
        since = context.memory.checks.no_tasks_since
        if since is None:
            return inf
        left = idle_after(context.resource.spec.allow_no_tasks) - (self._clock() - since)
        return max(0.1, left) if left > 0 else inf

    @staticmethod
    def wants_traces(context: ReconcileContext, observed: Observed) -> bool:
        """The list shows a failure but not its cause; details are asked once, since Lenses may have none to give."""
        if observed.details is not None:
            return False
        known = {task.id for task in context.resource.status.tasks if task.state == "FAILED"}
        return any(task.state == "FAILED" and task.id not in known for task in observed.tasks)


def _known_idle(status: ConnectorStatus) -> bool:
    ready = status.ready
    return ready is not None and (
        ready.reason == Reason.NO_TASKS or (ready.status == "True" and status.state == "RUNNING" and not status.tasks)
    )


def _remember(context: ReconcileContext, unchanged: UnchangedToken | None) -> None:
    if context.memory.checks.unchanged is not unchanged:
        context.memory.checks = replace(context.memory.checks, unchanged=unchanged)
