"""Going back to the previous configuration where Connect refuses at create what it had passed at validate."""

from __future__ import annotations

from math import inf

from lenses_operator.controllers.connector.acting import Acting, request_of
from lenses_operator.controllers.connector.context import AGAIN, Outcome, ReconcileContext
from lenses_operator.controllers.connector.previous import refused_now, was_refused
from lenses_operator.controllers.connector.state import StateChanges
from lenses_operator.controllers.pacing import WHILE_AWAY
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.situation import Refusal
from lenses_operator.lenses.errors import LensesError

ROLLED_BACK = (
    "Connect refused this configuration at create, and the previous one runs. "
    "Correct spec.config or what spec.configFrom refers to."
)


class Rollback:
    def __init__(self, acting: Acting, states: StateChanges) -> None:
        self._acting = acting
        self._states = states

    async def go_back(self, context: ReconcileContext) -> Outcome:
        """Creates the previous configuration again, so that data keeps flowing; tried until it works."""
        memory, clock = context.memory, self._acting.clock
        assert memory.replacement is not None
        assert memory.replacement.previous is not None
        previous = memory.replacement.previous
        wait = memory.pacing.wait("roll back", clock(), WHILE_AWAY)
        if wait:
            return Outcome(delay=wait, paced=True)
        # Trying again would take the running connector down again for what Connect has refused: a changed spec may.
        memory.refusal_until = inf
        memory.refused = refused_now(context)
        before = memory.attempt(previous)
        memory.pacing.sent("roll back", clock())
        try:
            client = context.session.client
            await client.create_connector(
                context.connector.environment,
                request_of(context, previous),
                precondition=self._acting.precondition(context),
            )
        except LensesError as error:
            if not error.maybe_done:
                memory.attempted = before
            raise
        finally:
            memory.acted(clock())
        self._acting.created(context, previous)
        memory.replacement, memory.deleted_at = None, None
        message = "The new configuration was refused at create, so the previous one was created again."
        self._acting.reporter.event(context, "RolledBack", message, warning=True)
        await self._states.hold(context)
        return AGAIN

    @staticmethod
    def recall_refusal(context: ReconcileContext, observed: Observed) -> None:
        """After a restart: what create refused and was rolled back must not take the connector down once more."""
        memory, ready = context.memory, context.resource.status.ready
        if memory.refusal is None and was_refused(context) and observed.present:
            known = ready.message if ready and ready.reason == Reason.CONFIG_INVALID else ROLLED_BACK
            memory.refusal = Refusal(context.wanted.fingerprint, Reason.CONFIG_INVALID, known, context.generation)
            memory.refusal_until = inf
