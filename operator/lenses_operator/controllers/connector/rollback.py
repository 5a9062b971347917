"""Going back to the previous configuration where Connect refuses at create what it had passed at validate."""

from __future__ import annotations

from lenses_operator.controllers.connector import absence, authorship, refusal, replacement
from lenses_operator.controllers.connector.acting import Acting, request_of
from lenses_operator.controllers.connector.context import AGAIN, Outcome, ReconcileContext
from lenses_operator.controllers.connector.settling import acted
from lenses_operator.controllers.connector.state import StateChanges
from lenses_operator.controllers.connector.written import unanswered
from lenses_operator.controllers.pacing import WHILE_AWAY
from lenses_operator.lenses.errors import LensesError


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
        refusal.refuse_for_good(context)
        before = authorship.attempt(context, previous)
        memory.pacing.sent("roll back", clock())
        try:
            client = context.session.client
            await client.create_connector(
                context.connector.environment,
                request_of(context, previous),
                precondition=self._acting.precondition(context),
            )
        except LensesError as error:
            unanswered(context, error, clock())
            if not error.maybe_done:
                authorship.retract(context, before)
            raise
        finally:
            acted(context, clock())
        self._acting.created(context, previous)
        replacement.end(context)
        absence.created_again(context)
        message = "The new configuration was refused at create, so the previous one was created again."
        self._acting.reporter.event(context, "RolledBack", message, warning=True)
        await self._states.bring_to_rest(context)
        return AGAIN
