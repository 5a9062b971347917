"""Pausing, stopping and resuming a connector: asked for, waited for, and asked for again only after a while."""

from __future__ import annotations

from math import inf

from lenses_operator.controllers.acting import Acting
from lenses_operator.controllers.work import Outcome, Work
from lenses_operator.domain.decide import ASK_AGAIN
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.states import TRANSITIONS, Transition
from lenses_operator.lenses.errors import LensesError
from lenses_operator.resources.connector import WantedState

PAST = {"pause": "Paused", "stop": "Stopped", "resume": "Resumed"}


class StateChanges:
    def __init__(self, acting: Acting) -> None:
        self._acting = acting

    async def change(self, work: Work, action: Transition, observed: Observed) -> Outcome | None:
        """None where it was asked for and there is nothing more to be done but wait and report."""
        memory, now = work.memory, self._acting.clock()
        again = memory.asked == (action, observed.state)
        if again and memory.asked_at > -inf and (observed.state == "FAILED" or now < memory.asked_at + ASK_AGAIN):
            memory.look = True  # it is not asked for again on the word of a list from before it happened
            return None
        wait = memory.pacing.wait(_named(action), now)
        if wait:
            memory.look = True
            return Outcome(delay=wait, paced=True)
        await self._ask(work, action, observed.state)
        if not again:
            self._tell(work, action, observed)
        return self._acting.settle(work)

    async def give_back(self, work: Work, action: Transition | None, observed: Observed) -> None:
        """What an offsets operation stopped goes on, whatever else is in the way of the resource."""
        if action is not None:
            await self.change(work, action, observed)
        elif not work.held and work.ours and observed.present:
            work.memory.was_held = False

    async def hold(self, work: Work) -> None:
        """A created connector runs at once; pause or stop is the very next request."""
        if work.state is WantedState.RUNNING:
            return
        action = TRANSITIONS[work.state]
        await self._ask(work, action, "RUNNING")
        message = f"The connector ran for a moment before {action}, since creating cannot carry a state."
        self._acting.reporter.event(work, "RanBriefly", message)

    async def _ask(self, work: Work, action: Transition, seen: str | None) -> None:
        memory, clock = work.memory, self._acting.clock
        memory.asked, memory.asked_at = (action, seen), clock()
        memory.pacing.sent(_named(action), clock())
        try:
            await work.session.client.set_state(*work.connector, action, precondition=self._acting.precondition(work))
        except LensesError:
            memory.asked, memory.asked_at = None, -inf  # nothing to wait for: when to ask again is the pace's affair
            raise
        finally:
            memory.acted(clock())

    def _tell(self, work: Work, action: Transition, observed: Observed) -> None:
        """After it was asked for: an Event tells what was done."""
        if work.held:
            why = f"The connector was {observed.state}; {action} was asked for by LensesConnectorOffsets {work.held}."
            self._acting.reporter.event(work, PAST[action], why)
        elif _is_drift(work):
            message = f"The connector was {observed.state}; {action} was asked for, as spec.state is {work.state}."
            self._acting.reporter.event(work, "DriftRepaired", message)
        else:
            message = f"The connector was {observed.state}; {action} was asked for."
            self._acting.reporter.event(work, PAST[action], message)


def _named(action: Transition) -> str:
    return f"set_state {action}"


def _is_drift(work: Work) -> bool:
    """The spec was settled before, so somebody else changed the state."""
    ready = work.resource.status.ready
    settled = (Reason.RUNNING, Reason.PAUSED, Reason.STOPPED, Reason.TASK_FAILED)
    return (
        ready is not None and ready.reason in settled and ready.observed_generation == work.resource.metadata.generation
    )
