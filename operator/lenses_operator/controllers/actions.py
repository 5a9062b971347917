"""What a pass does in Lenses: create, recreate, change state. After any ambiguous answer the next pass reads again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from math import inf
from random import uniform

from lenses_operator.controllers.memory import Replacement
from lenses_operator.controllers.previous import can_go_back, previous_of, refused_now
from lenses_operator.controllers.reporter import Reporter
from lenses_operator.controllers.validator import Validator
from lenses_operator.controllers.work import AGAIN, GONE, Outcome, Work
from lenses_operator.domain.backoff import SETTLING
from lenses_operator.domain.decide import ASK_AGAIN, DELETE_AGAIN, TRANSITIONS, Transition, Update
from lenses_operator.domain.drift import changed_keys, is_masked
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.render import Rendered
from lenses_operator.domain.situation import Observed, Refusal
from lenses_operator.domain.status import Report
from lenses_operator.domain.verdicts import creating, progressing, refused
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.errors import (
    BadRequest,
    Conflict,
    ConnectorOrClusterNotFound,
    LensesError,
    MissingAgentCapability,
    Overtaken,
    ServerError,
)
from lenses_operator.lenses.models import ConnectorRequest
from lenses_operator.resources.connector import (
    AppliedConfig,
    OwnershipState,
    UpdateStrategy,
    WantedState,
)

ROLLED_BACK = (
    "Connect refused this configuration at create, and the previous one runs. "
    "Correct spec.config or what spec.configFrom refers to."
)
PAST = {"pause": "Paused", "stop": "Stopped", "resume": "Resumed"}


class Actions:
    """`unchanged`: whether the resource is still the one the pass began with; asked before every step that destroys."""

    def __init__(
        self,
        reporter: Reporter,
        validator: Validator,
        *,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        unchanged: Callable[[Work], bool],
    ) -> None:
        self._reporter = reporter
        self._validator = validator
        self._clock = clock
        self._now = now
        self._unchanged = unchanged

    async def create(self, work: Work, *, lost: bool) -> Outcome:
        """Finalizer, Claiming, validate, create. What was refused before is validated first: no claim in vain."""
        memory = work.memory
        if memory.expects(self._clock()):
            return self.settle(work)
        if self._refused_before(work) and not await self._validator.validated(work):
            return await self.report_refusal(work, Observed.absent())
        if not await self._reporter.finalize(work):
            return GONE
        if not work.resource.status.ownership.state.ours:
            verdict = refused(work.refusal) if work.refusal else creating(work.connector)
            claim = AppliedConfig(hash=work.wanted.hash, secrets=work.wanted.secret_versions)
            report = Report(verdict, OwnershipState.CLAIMING, Observed.absent(), claim)
            memory.claimed = True  # before it is written: an answer may fail to come
            if not await self._reporter.report(work, report):
                return GONE
        if not await self._validator.validated(work):
            return await self.report_refusal(work, Observed.absent())
        if not self._unchanged(work):
            return Outcome(delay=0)
        return await self._post(work, lost=lost)

    async def update(self, work: Work, decision: Update, observed: Observed) -> Outcome:
        """Validate; then in place, or delete: the create follows as soon as the connector is proven to be gone."""
        memory = work.memory
        if memory.deleted_at is not None and self._clock() < memory.deleted_at + DELETE_AGAIN:
            return self.settle(work)  # our DELETE was accepted, the connector is still on its way out
        if not await self._validator.validated(work):
            return await self.report_refusal(work, observed)
        applied, wanted = work.applied, work.wanted
        repair = applied is not None and (applied.hash, applied.secrets) == (wanted.hash, wanted.secret_versions)
        why = decision.difference.describe()
        in_place = work.resource.spec.update_strategy is UpdateStrategy.IN_PLACE
        how = "in place" if in_place else "the connector is deleted and created again"
        verdict = progressing(f"The configuration is being {'repaired' if repair else 'updated'} ({why}): {how}.")
        if work.refusal:
            verdict = refused(work.refusal)  # until it is taken: a condition must not change with every try
        if applied is not None and _hides(observed, applied):
            # Cut off after the write, nobody could tell what the connector has: status must not go on to say so.
            memory.applied = applied.model_copy(update={"hash": ""})
        if not await self._reporter.report(work, Report(verdict, OwnershipState.OWNED, observed, work.applied)):
            return GONE
        if not self._unchanged(work):
            return Outcome(delay=0)
        memory.replacement = Replacement(self._changes(work, why), repair, previous_of(work, observed))
        try:
            return await (self._put(work) if in_place else self._delete(work))
        except Overtaken:
            memory.replacement = None
            raise

    def _client(self, work: Work) -> LensesClient:
        """For what destroys or creates: a request may wait for its place until the resource is another one."""
        return work.session.client.provided(lambda: self._unchanged(work))

    async def _put(self, work: Work) -> Outcome:
        """Lenses' resource-as-code endpoint. One that does not know it is never a reason to delete silently."""
        memory = work.memory
        try:
            await self._client(work).put_resource(work.connector.environment, _document(work))
        except MissingAgentCapability as error:
            memory.replacement = None
            self._validator.refuse_in_place(work, error)
            return await self.report_refusal(work, None)
        except BadRequest as error:
            memory.replacement = None
            await self._validator.refuse(work, "update", error)
            return await self.report_refusal(work, None)
        except LensesError as error:
            if error.maybe_done:
                memory.last_written = None
            raise
        finally:
            memory.acted(self._clock())
        self._created(work, work.wanted)
        memory.refusal = memory.refused = None
        self._announce(work, lost=False)
        memory.replacement = None
        return AGAIN

    async def _delete(self, work: Work) -> Outcome:
        memory = work.memory
        memory.deleted_at = None
        try:
            await self._client(work).delete_connector(*work.connector)
        except ConnectorOrClusterNotFound:
            pass  # gone already, or the cluster is: the next look tells
        else:
            memory.deleted_at = self._clock()
        finally:
            memory.acted(self._clock())
        return AGAIN

    async def change_state(self, work: Work, action: Transition, observed: Observed) -> Outcome | None:
        """None where it was asked for and there is nothing more to be done but wait and report."""
        memory, now = work.memory, self._clock()
        if memory.asked == (action, observed.state):
            answered = memory.asked_at > -inf
            if answered and (observed.state == "FAILED" or now < memory.asked_at + ASK_AGAIN):
                memory.look = True  # it is not asked for again on the word of a list from before it happened
                return None
        elif work.held:
            why = f"The connector was {observed.state}; {action} was asked for by LensesConnectorOffsets {work.held}."
            self._reporter.event(work, PAST[action], why)
        elif self._is_drift(work):
            wanted = work.state
            message = f"The connector was {observed.state}; {action} was asked for, as spec.state is {wanted}."
            self._reporter.event(work, "DriftRepaired", message)
        else:
            message = f"The connector was {observed.state}; {action} was asked for."
            self._reporter.event(work, PAST[action], message)
        await self._ask(work, action, observed.state)
        return self.settle(work)

    async def _ask(self, work: Work, action: Transition, seen: str | None) -> None:
        memory = work.memory
        memory.asked, memory.asked_at = (action, seen), self._clock()
        try:
            await work.session.client.set_state(*work.connector, action)
        except LensesError:
            memory.asked_at = -inf  # nothing to wait for: when to ask again is the back-off's affair
            raise
        finally:
            memory.acted(self._clock())

    async def check(self, work: Work) -> bool:
        """Whether a configuration that has to wait would be taken."""
        work.memory.waiting = True
        return await self._validator.validated(work)

    def settle(self, work: Work) -> Outcome:
        """Look again soon; sooner at first."""
        work.memory.settling += 1
        return Outcome(delay=SETTLING.delay(work.memory.settling, uniform))

    async def report_refusal(self, work: Work, observed: Observed | None) -> Outcome:
        """A claim without a create in flight is given back: what was never created is not owned."""
        memory, state = work.memory, work.resource.status.ownership.state
        memory.look = True  # the list alone would say next that all is well
        absent = observed is not None and not observed.present
        if state is OwnershipState.CLAIMING and absent and memory.attempted is None:
            state = OwnershipState.NONE
        assert memory.refusal is not None
        verdict = refused(memory.refusal)
        if not await self._reporter.report(work, Report(verdict, state, observed, work.applied)):
            return GONE
        # What cannot be tried again is looked at all the same, and what it refers to read again.
        due = min(memory.refusal_until, inf if memory.next_check is None else memory.next_check)
        return Outcome(delay=None if due == inf else max(0.0, due - self._clock()))

    async def _post(self, work: Work, *, lost: bool) -> Outcome:
        memory = work.memory
        before = memory.attempted
        first = memory.claimed and before is None
        memory.attempted, memory.contested = work.wanted, False
        try:
            await self._client(work).create_connector(work.connector.environment, _request(work, work.wanted))
        except BadRequest as error:
            memory.attempted = before
            return await self._refused_at_create(work, error)
        except Conflict:
            memory.acted(self._clock())
            memory.attempted = before  # this create did nothing; one before it that was never answered still may
            memory.contested = first
            if first and (await work.session.observer.details(work.connector)).present:
                return await self.unclaim(work)
            raise
        except LensesError as error:
            memory.acted(self._clock())
            if error.maybe_done:
                memory.deleted_at = None  # it may still arrive: our DELETE makes one proof of absence enough no more
            else:
                memory.attempted = before
            if isinstance(error, ServerError) and await self._validator.stubborn(work, "create", error):
                if (await work.session.observer.details(work.connector)).present:
                    return AGAIN  # it answers 500 and creates all the same
                memory.attempted = None
                return await self._refused_at_create(work, error)
            raise
        self._created(work, work.wanted)
        memory.refusal = memory.refused = None
        self._announce(work, lost=lost)
        memory.replacement, memory.deleted_at = None, None
        await self._hold(work)
        return AGAIN

    def _created(self, work: Work, written: Rendered) -> None:
        work.memory.wrote(written, work.applying(written, self._now()))
        work.memory.acted(self._clock())

    def _announce(self, work: Work, *, lost: bool) -> None:
        replacement = work.memory.replacement
        if replacement is not None and replacement.repair:
            self._reporter.event(work, "DriftRepaired", f"The configuration was put back: {replacement.why}.")
        elif replacement is not None:
            self._reporter.event(work, "ConfigUpdated", f"The configuration was updated: {replacement.why}.")
        elif lost:
            self._reporter.event(work, "DriftRepaired", f"Connector {work.connector} was gone and was created again.")
        else:
            self._reporter.event(work, "Created", f"Created connector {work.connector}.")

    async def _hold(self, work: Work) -> None:
        """A created connector runs at once; pause or stop is the very next request."""
        if work.state is WantedState.RUNNING:
            return
        action = TRANSITIONS[work.state]
        await work.session.client.set_state(*work.connector, action)
        work.memory.asked, work.memory.asked_at = (action, "RUNNING"), self._clock()
        work.memory.acted(self._clock())
        message = f"The connector ran for a moment before {action}, since creating cannot carry a state."
        self._reporter.event(work, "RanBriefly", message)

    async def unclaim(self, work: Work) -> Outcome:
        """The name was taken before our first create: somebody else's connector, to which the adoption rules apply."""
        verdict = progressing(f"Connector {work.connector} exists already; its configuration is being compared.")
        if not await self._reporter.report(work, Report(verdict, OwnershipState.NONE)):
            return GONE
        work.memory.claimed = work.memory.contested = False
        return AGAIN

    async def _refused_at_create(self, work: Work, error: LensesError) -> Outcome:
        await self._validator.refuse(work, "create", error)
        if can_go_back(work):
            return await self.go_back(work)
        work.memory.replacement = None
        return await self.report_refusal(work, Observed.absent())

    async def go_back(self, work: Work) -> Outcome:
        """Creates the previous configuration again, so that data keeps flowing; tried until it works or is refused."""
        memory = work.memory
        assert memory.replacement is not None
        assert memory.replacement.previous is not None
        previous = memory.replacement.previous
        memory.deleted_at = None
        try:
            await work.session.client.create_connector(work.connector.environment, _request(work, previous))
        except BadRequest:
            memory.replacement = None
            return await self.report_refusal(work, Observed.absent())
        finally:
            memory.acted(self._clock())
        self._created(work, previous)
        memory.replacement = None
        # Trying again would take the running connector down again for what Connect has refused: a changed spec may.
        memory.refusal_until = inf
        memory.refused = refused_now(work)
        message = "The new configuration was refused at create, so the previous one was created again."
        self._reporter.event(work, "RolledBack", message, warning=True)
        await self._hold(work)
        return AGAIN

    @staticmethod
    def recall_refusal(work: Work, observed: Observed) -> None:
        """After a restart: what create refused and was rolled back must not take the connector down once more."""
        memory, ready = work.memory, work.resource.status.ready
        if memory.refusal is None and work.marks.refused == refused_now(work) and observed.present:
            known = ready.message if ready and ready.reason == Reason.CONFIG_INVALID else ROLLED_BACK
            memory.refusal = Refusal(work.wanted.fingerprint, Reason.CONFIG_INVALID, known, work.generation)
            memory.refusal_until = inf

    def _refused_before(self, work: Work) -> bool:
        ready = work.resource.status.ready
        return work.refusal is not None or (
            ready is not None and ready.reason in (Reason.CONFIG_INVALID, Reason.PLUGIN_NOT_FOUND)
        )

    @staticmethod
    def _is_drift(work: Work) -> bool:
        """The spec was settled before, so somebody else changed the state."""
        ready = work.resource.status.ready
        settled = (Reason.RUNNING, Reason.PAUSED, Reason.STOPPED, Reason.TASK_FAILED)
        return (
            ready is not None
            and ready.reason in settled
            and ready.observed_generation == work.resource.metadata.generation
        )

    @staticmethod
    def _changes(work: Work, why: str) -> str:
        """For the Event: the keys the spec changed, where the former ones are known."""
        written = work.memory.last_written
        return (changed_keys(written.config, work.wanted.config) if written else "") or why


def _request(work: Work, rendered: Rendered) -> ConnectorRequest:
    return ConnectorRequest(name=work.connector.name, cluster=work.connector.cluster, configuration=rendered.config)


def _hides(observed: Observed, applied: AppliedConfig) -> bool:
    """Whether Lenses keeps some of the configuration from being compared."""
    config, details = observed.config, observed.details
    if config is None or details is None or details.hidden_keys or applied.not_compared:
        return True
    return any(map(is_masked, config.values()))


def _document(work: Work) -> str:
    """The resource-as-code document. JSON is YAML, and it quotes every string, so that no value changes its type."""
    spec = {
        "cluster": work.connector.cluster,
        "name": work.connector.name,
        "state": "RUNNING",
        "config": dict(work.wanted.config),
    }
    document = {"apiVersion": "lenses.io/v0beta", "kind": "KafkaConnector", "spec": spec}
    return json.dumps(document, ensure_ascii=False, indent=1)
