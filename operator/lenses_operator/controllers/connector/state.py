"""Pausing, stopping and resuming a connector: asked for, waited for, and asked for again only after a while."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from lenses_operator.controllers.connector.acting import Acting
from lenses_operator.controllers.connector.context import Outcome, ReconcileContext
from lenses_operator.controllers.connector.observe import look_closely
from lenses_operator.controllers.connector.settling import acted
from lenses_operator.domain.decide import ASK_AGAIN
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.states import TRANSITIONS, Transition
from lenses_operator.lenses.errors import LensesError
from lenses_operator.resources.connector import WantedState

PAST = {"pause": "Paused", "stop": "Stopped", "resume": "Resumed"}


@dataclass(frozen=True, slots=True)
class StateChange:
    """`asked`: the last one that was asked for, and the state seen then; `asked_at`: of the event loop. `was_held`: an
    offsets operation keeps the connector stopped, or did and has not seen it resumed yet."""

    asked: tuple[Transition, str | None] | None = None
    asked_at: float = -inf
    was_held: bool = False

    def pending(self, action: Transition, seen: str | None, now: float) -> bool:
        """Whether it takes its time still."""
        return self.asked == (action, seen) and now < self.asked_at + ASK_AGAIN


def asked_for(context: ReconcileContext, action: Transition, seen: str | None, now: float) -> None:
    context.memory.state_change = replace(context.memory.state_change, asked=(action, seen), asked_at=now)


def state_reached(context: ReconcileContext) -> None:
    """Nothing to wait for any more."""
    if context.memory.state_change.asked is not None:
        context.memory.state_change = replace(context.memory.state_change, asked=None)


def hold(context: ReconcileContext) -> None:
    """An offsets operation keeps it stopped, or has done so before this process began."""
    if not context.memory.state_change.was_held:
        context.memory.state_change = replace(context.memory.state_change, was_held=True)


def let_go(context: ReconcileContext) -> None:
    """What the offsets operation stopped has gone on."""
    if context.memory.state_change.was_held:
        context.memory.state_change = replace(context.memory.state_change, was_held=False)


class StateChanges:
    def __init__(self, acting: Acting) -> None:
        self._acting = acting

    async def change(self, context: ReconcileContext, action: Transition, observed: Observed) -> Outcome | None:
        """None where it was asked for and there is nothing more to be done but wait and report; what is paced has to
        be reported, too."""
        memory, now = context.memory, self._acting.clock()
        again = memory.state_change.asked == (action, observed.state)
        if again and (observed.state == "FAILED" or memory.state_change.pending(action, observed.state, now)):
            look_closely(context)  # it is not asked for again on the word of a list from before it happened
            return None
        wait = memory.pacing.wait(_named(action), now)
        if wait:
            look_closely(context)
            return Outcome(delay=wait, paced=True)
        await self._ask(context, action, observed.state, again=again)
        if not again:
            self._tell(context, action, observed)
        return self._acting.settle(context)

    async def give_back(self, context: ReconcileContext, action: Transition | None, observed: Observed) -> None:
        """Resumes what an offsets operation stopped, whatever else blocks the resource."""
        if action is not None:
            await self.change(context, action, observed)
        elif not context.held and context.ours and observed.present:
            let_go(context)

    async def bring_to_rest(self, context: ReconcileContext) -> None:
        """A created connector runs at once; pause or stop is the very next request."""
        if context.state is WantedState.RUNNING:
            return
        action = TRANSITIONS[context.state]
        await self._ask(context, action, "RUNNING")
        message = f"The connector ran for a moment before {action}, since creating cannot carry a state."
        self._acting.reporter.event(context, "RanBriefly", message)

    async def _ask(
        self, context: ReconcileContext, action: Transition, seen: str | None, *, again: bool = False
    ) -> None:
        clock = self._acting.clock
        asked_for(context, action, seen, clock())
        context.memory.pacing.sent(_named(action), clock())
        try:
            await context.session.client.set_state(
                *context.connector, action, precondition=self._acting.precondition(context)
            )
        except LensesError:
            state_reached(context)  # nothing to wait for: when to ask again is the pace's affair
            raise
        finally:
            acted(context, clock(), again=again)

    def _tell(self, context: ReconcileContext, action: Transition, observed: Observed) -> None:
        """After it was asked for: an Event tells what was done."""
        if context.held:
            why = (
                f"The connector was {observed.state}; {action} was asked for by LensesConnectorOffsets {context.held}."
            )
            self._acting.reporter.event(context, PAST[action], why)
        elif _is_drift(context):
            message = f"The connector was {observed.state}; {action} was asked for, as spec.state is {context.state}."
            self._acting.reporter.event(context, "DriftRepaired", message)
        else:
            message = f"The connector was {observed.state}; {action} was asked for."
            self._acting.reporter.event(context, PAST[action], message)


def _named(action: Transition) -> str:
    return f"set_state {action}"


def _is_drift(context: ReconcileContext) -> bool:
    """The spec was settled before, so the state was changed outside of the operator."""
    ready = context.resource.status.ready
    settled = (Reason.RUNNING, Reason.PAUSED, Reason.STOPPED, Reason.TASK_FAILED)
    return (
        ready is not None
        and ready.reason in settled
        and ready.observed_generation == context.resource.metadata.generation
    )
