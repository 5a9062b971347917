"""The next action for a connector: at most one, decided from values alone, and decided here alone.

Order of precedence: what is released, what cannot be used, who owns the name, deletion, suspend, a hold, drift and
update, state, restarts. Whatever is decided must be right even if the last action was cut off in the middle, because
the process may end between any two requests.
"""

from __future__ import annotations

from dataclasses import dataclass

from lenses_operator.domain import conditions
from lenses_operator.domain.deleting import Await, Deletion, Release, decide_deletion
from lenses_operator.domain.drift import Difference
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.ownership import conflict_message
from lenses_operator.domain.policy import not_allowed_message
from lenses_operator.domain.references import ReferenceNotFound
from lenses_operator.domain.render import ConfigInvalid
from lenses_operator.domain.situation import Situation
from lenses_operator.domain.states import HELD, TRANSITIONS, Transition
from lenses_operator.resources.conditions import Verdict
from lenses_operator.resources.connector import AdoptionPolicy, DeletionPolicy, OwnershipState, WantedState


@dataclass(frozen=True)
class Nothing:
    """As wanted, or nothing that can be done now. `waiting`: a new config waits until the connector is next to run."""

    waiting: Difference | None = None


@dataclass(frozen=True)
class Observe:
    """Lenses has to be asked how the connector is."""


@dataclass(frozen=True)
class Look:
    """The details have to be read before anything can be decided."""


@dataclass(frozen=True)
class Refuse:
    """Nothing is asked of Lenses and nothing done: `verdict` says why, and what has to change.

    `hide`: the connector is not the resource's to show. `state`: whose it is then, None where that stays.
    """

    verdict: Verdict
    state: OwnershipState | None = None
    hide: bool = False


@dataclass(frozen=True)
class Unusable:
    """The spec, or what it refers to, makes no configuration or no token. `give_back`: what an operation stopped goes
    on all the same."""

    error: ConfigInvalid | ReferenceNotFound
    give_back: Transition | None = None


@dataclass(frozen=True)
class Suspended:
    """Observed and reported. `give_back`: as for Unusable."""

    give_back: Transition | None = None


@dataclass(frozen=True)
class Unclaim:
    """The connector that is there is not ours, as was claimed: the adoption rules apply."""


@dataclass(frozen=True)
class NotShown:
    """Lenses shows what it showed before our last write: waited for, with a bound."""


@dataclass(frozen=True)
class Rest:
    """The look has shown what the last pass left as it was."""


@dataclass(frozen=True)
class AskTypes:
    """Connect has to be asked which of these keys are passwords: what Lenses shows for them may be a mask."""

    keys: frozenset[str]


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
    """`lost`: it was ours, and was deleted outside of the operator."""

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


Step = Adopt | Create | Check | Update | ChangeState | Restart
"""What is done, and looked at again: `plan` takes each for done and asks for the next one."""
Convergence = Step | Nothing | Look | Await | AskTypes | RefuseAdoption
Decision = Observe | Refuse | Unusable | Suspended | Unclaim | NotShown | Rest | Deletion | Convergence

LOST = 15.0
"""Seconds between two proofs that a connector which existed is gone, unless our own DELETE was accepted."""
ASK_AGAIN = 5.0
"""Seconds a state change may take before it is asked for once more."""


def decide(situation: Situation) -> Decision:
    """The whole precedence. Without `situation.observed` it says what needs no word from Lenses, else Observe."""
    resource, observed = situation.resource, situation.observed
    refusal = _let_go(situation) or _refusal(situation)
    if refusal is not None:
        return refusal
    if observed is None:
        return Observe()
    if situation.strange and observed.present:
        return _let_strange_go(situation) if resource.metadata.deleting else Unclaim()
    if resource.metadata.deleting:
        assert situation.deleting is not None
        return decide_deletion(
            observed,
            situation.deleting,
            now=situation.now,
            with_offsets=resource.spec.deletion_policy is DeletionPolicy.DELETE_WITH_OFFSETS,
        )
    # An operation on offsets holds what is there and ours; of nothing else it lets a resource do what it may not do.
    held = situation.held is not None and observed.present and situation.ownership.ours
    if situation.unusable is not None and not held:
        return Unusable(situation.unusable, _give_back(situation, observed))
    if resource.spec.suspend and not held:
        return Suspended(_give_back(situation, observed))
    if situation.rests:
        return Rest()
    return NotShown() if situation.not_shown else converge(situation, observed)


def _let_strange_go(situation: Situation) -> Release | Refuse:
    """What may be ours is neither deleted nor left behind."""
    if situation.perhaps_ours:
        return Refuse(conditions.perhaps_ours(situation.resource.connector))
    return Release("not-owned")


def _let_go(situation: Situation) -> Release | None:
    """Deletions that need no answer of Lenses: what is retained or was never ours is released at once."""
    resource = situation.resource
    if not resource.metadata.deleting:
        return None
    if not situation.ownership.ours or situation.unsent:
        return Release("not-owned")
    return Release("retained") if resource.spec.deletion_policy is DeletionPolicy.RETAIN else None


def _refusal(situation: Situation) -> Refuse | Unusable | Release | None:
    """What keeps Lenses from being asked at all."""
    resource, deleting = situation.resource, situation.resource.metadata.deleting
    if resource.schema_mismatch is not None and (resource.cannot_be_deleted or not deleting):
        return Refuse(conditions.schema_mismatch(resource.schema_mismatch.words))
    if not deleting and not situation.allowed:
        return Refuse(conditions.not_allowed(not_allowed_message(resource)), hide=True)
    rival = situation.rival
    if rival is not None and deleting:
        return Release("not-owned")
    if rival is not None:
        return Refuse(conditions.conflict(conflict_message(resource, rival)), OwnershipState.CONFLICT, hide=True)
    # An operation on its offsets stops the connector and lets it go, whatever is wrong with its configuration.
    if situation.unusable is not None and (deleting or not situation.was_held or not situation.readable):
        return Unusable(situation.unusable)
    return None


def _give_back(situation: Situation, observed: Observed) -> Transition | None:
    """Resumes what an offsets operation stopped, whatever else blocks the resource."""
    wanted = situation.resource.spec.state
    if situation.held is not None or not situation.was_held or not situation.ownership.ours:
        return None
    return TRANSITIONS[wanted] if observed.state == "STOPPED" and wanted is not WantedState.STOPPED else None


def converge(situation: Situation, observed: Observed) -> Convergence:
    """For a resource that is wanted, owns the connector's name and has a good configuration of its own."""
    if not observed.present:
        return _absent(situation)
    if not situation.ownership.ours:
        return _adoption(situation)
    if situation.held is not None:
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


def _absent(situation: Situation) -> Convergence:
    """What is known to exist and was not taken down by us may be hidden only: a moment, or a right, is missing."""
    if situation.refused:
        return Nothing()
    lost = situation.ownership is OwnershipState.OWNED
    existed = lost or situation.ownership is OwnershipState.NOT_ADOPTED
    if existed and not situation.taken_down and situation.absent_for < LOST:
        return Await(LOST - situation.absent_for)
    return Create(lost=lost)


def _restart(situation: Situation) -> Convergence:
    """A failure is seen in fresh details before anything is restarted: Lenses may have restarted it itself."""
    observed = situation.seen
    failed = tuple(task.id for task in observed.tasks if task.state == "FAILED")
    broken = observed.state == "FAILED"
    if not (situation.restart_asked or (situation.restart_due and (failed or broken))):
        return Nothing()
    if observed.details is None:
        return Look()
    if situation.restart_asked:
        return Restart(broken or not failed, failed, asked=True)
    return Restart(broken, failed, asked=False)


def _adoption(situation: Situation) -> Convergence:
    """A connector that this resource never owned is taken over as the policy says."""
    policy = situation.resource.spec.adoption_policy
    if policy is AdoptionPolicy.NEVER:
        return RefuseAdoption(Difference())
    if situation.seen.details is None:
        return Look()
    if situation.passwords is None and situation.in_doubt():
        return AskTypes(situation.in_doubt())
    difference = situation.difference_at_adoption()
    if policy is AdoptionPolicy.IF_IDENTICAL:
        if situation.nothing_shown():
            return RefuseAdoption(Difference(), hidden=True)
        if difference:
            return RefuseAdoption(difference)
    return Adopt(difference, tuple(situation.unread()))


def _config_difference(situation: Situation) -> Difference | None:
    """None where the list alone cannot tell."""
    if situation.seen.details is not None:
        return situation.difference()
    return Difference() if situation.written_as_wanted() else None


def _held(situation: Situation, difference: Difference) -> Convergence:
    """Paused or stopped: an update would run the connector, since creating carries no state; so the config waits."""
    if situation.seen.state != HELD[situation.state]:
        return ChangeState(TRANSITIONS[situation.state])
    if difference and not situation.refused and not situation.validated:
        return Check(difference)
    return Nothing(waiting=difference or None)
