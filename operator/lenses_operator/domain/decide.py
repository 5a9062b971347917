"""The next action for a connector: at most one, decided from values alone.

Order of precedence: deletion, suspend, a hold, drift and update, state, restarts. Whatever is decided must be
right even if the last action was cut off in the middle, because the process may end between any two requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lenses_operator.domain.deleting import Await, Release
from lenses_operator.domain.drift import Difference
from lenses_operator.domain.situation import Situation
from lenses_operator.resources.connector import (
    AdoptionPolicy,
    DeletionPolicy,
    LensesConnector,
    OwnershipState,
    WantedState,
)

Transition = Literal["pause", "resume", "stop"]
TRANSITIONS: dict[WantedState, Transition] = {
    WantedState.RUNNING: "resume",
    WantedState.PAUSED: "pause",
    WantedState.STOPPED: "stop",
}
HELD = {WantedState.PAUSED: "PAUSED", WantedState.STOPPED: "STOPPED"}


@dataclass(frozen=True)
class Nothing:
    """As wanted, or nothing that can be done now. `waiting`: a new config waits until the connector is next to run."""

    waiting: Difference | None = None


@dataclass(frozen=True)
class Look:
    """The details have to be read before anything can be decided."""


@dataclass(frozen=True)
class Adopt:
    """A connector that was there before becomes ours. `unreadable`: keys taken as equal unseen."""

    difference: Difference
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True)
class RefuseAdoption:
    """`difference` is empty where the policy refuses any connector that was there before, or where Lenses shows too
    little of it (`hidden`) to know anything."""

    difference: Difference
    hidden: bool = False


@dataclass(frozen=True)
class Restart:
    """Failed tasks one by one; the connector itself if it failed. `asked`: by the annotation, else by auto-restart."""

    connector: bool
    tasks: tuple[int, ...]
    asked: bool


@dataclass(frozen=True)
class Create:
    """`lost`: it was ours, and somebody deleted it behind the operator's back."""

    lost: bool = False


@dataclass(frozen=True)
class Check:
    """Validate a config that is to wait, so that a wrong one is reported now and not when it is needed."""

    difference: Difference


@dataclass(frozen=True)
class Update:
    """Write the wanted configuration: in place, or by delete and create, as `spec.updateStrategy` says."""

    difference: Difference


@dataclass(frozen=True)
class ChangeState:
    action: Transition


Decision = Nothing | Look | Await | Adopt | RefuseAdoption | Create | Check | Update | ChangeState | Restart

LOST = 15.0
"""Seconds between two proofs that a connector of ours is gone, unless our own DELETE was accepted."""
ASK_AGAIN = 5.0
"""Seconds a state change may take before it is asked for once more."""


def decide(situation: Situation) -> Decision:
    """For a resource that is wanted, owns the connector's name and has a good configuration of its own."""
    observed = situation.observed
    if not observed.present:
        return _absent(situation)
    if not situation.ownership.ours:
        return _adoption(situation)
    if situation.held:
        return ChangeState("stop") if observed.state != "STOPPED" else Nothing()
    difference = _config_difference(situation)
    if difference is None:
        return Look()
    if situation.state is not WantedState.RUNNING:
        return _held(situation, difference)
    if difference and not situation.refused:
        return Update(difference)
    if observed.state in HELD.values() and (situation.was_held or not difference):
        return ChangeState("resume")
    return _restart(situation)


def _absent(situation: Situation) -> Decision:
    """What is ours and was not taken down by us may be hidden only: a moment, or a right, is missing."""
    if situation.refused:
        return Nothing()
    lost = situation.ownership is OwnershipState.OWNED
    if lost and not situation.taken_down and situation.absent_for < LOST:
        return Await(LOST - situation.absent_for)
    return Create(lost=lost)


def _restart(situation: Situation) -> Decision:
    """A failure is seen in fresh details before anything is restarted: Lenses may have restarted it itself."""
    observed = situation.observed
    failed = tuple(task.id for task in observed.tasks if task.state == "FAILED")
    broken = observed.state == "FAILED"
    if not (situation.restart_asked or (situation.restart_due and (failed or broken))):
        return Nothing()
    if observed.details is None:
        return Look()
    if situation.restart_asked:
        return Restart(broken or not failed, failed, asked=True)
    return Restart(broken, failed, asked=False)


def decide_early(resource: LensesConnector, *, unsent: bool) -> Release | None:
    """Deletions that need no word from Lenses: what is retained or was never ours is let go at once.

    `unsent`: no create was ever sent for the claim that status tells of.
    """
    if not resource.metadata.deleting:
        return None
    if not resource.status.ownership.state.ours or unsent:
        return Release("not-owned")
    if resource.spec.deletion_policy is DeletionPolicy.RETAIN:
        return Release("retained")
    return None


def _adoption(situation: Situation) -> Decision:
    """A connector that this resource never owned is taken over as the policy says."""
    policy = situation.resource.spec.adoption_policy
    if policy is AdoptionPolicy.NEVER:
        return RefuseAdoption(Difference())
    if situation.observed.details is None:
        return Look()
    difference = situation.difference_at_adoption()
    if policy is AdoptionPolicy.IF_IDENTICAL:
        if situation.nothing_shown():
            return RefuseAdoption(Difference(), hidden=True)
        if difference:
            return RefuseAdoption(difference)
    return Adopt(difference, tuple(situation.unread()))


def _config_difference(situation: Situation) -> Difference | None:
    """None where the list alone cannot tell."""
    if situation.observed.details is not None:
        return situation.difference()
    return Difference() if situation.written_as_wanted() else None


def _held(situation: Situation, difference: Difference) -> Decision:
    """Paused or stopped: an update would run the connector, since creating carries no state; so the config waits."""
    if situation.observed.state != HELD[situation.state]:
        return ChangeState(TRANSITIONS[situation.state])
    if difference and not situation.refused and not situation.validated:
        return Check(difference)
    return Nothing(waiting=difference or None)
