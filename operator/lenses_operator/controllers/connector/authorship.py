"""Who made the connector that is found after creates without a clear answer: one of them, or somebody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from lenses_operator.controllers.connector.context import ReconcileContext
from lenses_operator.domain.drift import compare, may_have_become, unreadable_keys
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.render import Rendered
from lenses_operator.resources.connector import OwnershipState

UNCERTAIN: Mapping[str, object] = {"time": None, "former_traces": True}
"""Of `appliedConfig`, where the connector counts as ours by a claim alone: what it was given may be somebody else's, so
traces that may quote it are withheld until a write of ours is accepted, or all of it is seen."""
MOST_ATTEMPTS = 20
"""Different configurations kept of creates without a clear answer."""


@dataclass(frozen=True, slots=True)
class Authorship:
    """Of a connector that this process may have created."""

    claimed: bool = False
    """Claiming was written by this process."""
    contested: bool = False
    """The first create on the claim was refused, which may mean that the name is taken."""
    attempted: tuple[Rendered, ...] = ()
    """Creates whose answer never came, or was ambiguous, oldest first: any of them may have left what is found."""

    @property
    def unsent(self) -> bool:
        """Whether the claim in status is this process's own, and no create was sent on it that may have worked."""
        return self.claimed and not self.attempted


NONE_OPEN = Authorship()


def claim(context: ReconcileContext) -> None:
    context.memory.authorship = replace(context.memory.authorship, claimed=True)


def attempt(context: ReconcileContext, rendered: Rendered) -> tuple[Rendered, ...]:
    """Right before a create is sent. What there was before it, for one that turns out to have done nothing."""
    before = context.memory.authorship.attempted
    attempted = (*(one for one in before if one != rendered), rendered)[-MOST_ATTEMPTS:]
    context.memory.authorship = replace(context.memory.authorship, attempted=attempted)
    return before


def retract(context: ReconcileContext, before: tuple[Rendered, ...]) -> None:
    """This create did nothing; one before it that was never answered still may."""
    context.memory.authorship = replace(context.memory.authorship, attempted=before)


def nothing_sent(context: ReconcileContext) -> None:
    """No create has worked, whatever was answered."""
    context.memory.authorship = replace(context.memory.authorship, attempted=(), contested=False)


def contest(context: ReconcileContext) -> None:
    context.memory.authorship = replace(context.memory.authorship, contested=True)


def settled(context: ReconcileContext) -> None:
    """What is there is ours, or nothing is claimed any more."""
    context.memory.authorship = NONE_OPEN


class Author(Enum):
    US = auto()
    """One of our creates has worked."""
    STRANGER = auto()
    """A claim does not cover it: the adoption rules do."""
    BEFORE = auto()
    """The connector that was believed to be lost was only hidden: nothing was written."""
    UNKNOWN = auto()
    """No create is open, or what is found is no work of one: it differs from what is wanted, and is treated so."""


def author_of(context: ReconcileContext, observed: Observed) -> Author:
    """Of a connector that is there, before a baseline is taken of it."""
    known = context.memory.authorship
    claiming = context.resource.status.ownership.state is OwnershipState.CLAIMING
    if known.attempted and not claiming and context.memory.absence.deleted_at is None:
        return Author.BEFORE
    hidden = observed.config is None and not known.contested
    if known.attempted and (hidden or may_have_left(known.attempted, observed)):
        return Author.US
    # On a claim of a process before, a create that is not known here may have worked.
    if not claiming:
        return Author.UNKNOWN
    if known.claimed or _contradicts_claim(context, observed):
        return Author.STRANGER
    return Author.US if _may_be_of_claim(context, observed) else Author.UNKNOWN


def may_have_left(attempted: Sequence[Rendered], observed: Observed) -> list[Rendered]:
    """Those of these that may have become what is seen, the newest first. Where nothing is shown, none is known to.

    A server may add keys, but none that it hides: those are values of whoever has sent them.
    """
    seen, details = observed.config, observed.details
    if seen is None or details is None:
        return []

    def may_be(one: Rendered) -> bool:
        sent_all = details.hidden_in_config <= one.config.keys()
        return sent_all and may_have_become(one.config, seen, None, details.hidden_keys)

    return list(filter(may_be, reversed(attempted)))


def is_uncertain(context: ReconcileContext, observed: Observed) -> bool:
    """Whether it is ours by a claim alone, and Lenses does not show that it has just what we gave it."""
    applied, claiming = context.applied, context.resource.status.ownership.state is OwnershipState.CLAIMING
    if applied is None or applied.time is not None or not (claiming or applied.former_traces):
        return False
    return not is_all_of(context.memory.written.last or context.wanted, observed)


def is_all_of(written: Rendered, observed: Observed) -> bool:
    """Whether Lenses shows every value of this configuration, and has no other key, be it hidden."""
    seen, details = observed.config, observed.details
    if seen is None or details is None or not details.hidden_in_config <= written.config.keys():
        return False
    hidden = details.hidden_keys
    unread = unreadable_keys(written.config, seen, None, hidden)
    return not (unread or compare(written.config, seen, None, hidden))


def _may_be_of_claim(context: ReconcileContext, observed: Observed) -> bool:
    """A former process claimed it with just what is wanted now, and its create may have left what is seen. Further keys
    are the server's then: what may be somebody else's connector is not written anew for them."""
    claim, wanted = context.applied, context.wanted
    if claim is None or context.memory.written.last is not None or claim.hash != wanted.hash:
        return False
    return claim.secrets == wanted.secret_versions and bool(may_have_left((wanted,), observed))


def _contradicts_claim(context: ReconcileContext, observed: Observed) -> bool:
    """A former process claimed it with the configuration that is wanted now, and that is not what is seen. What comes
    from Secrets may have been another value then."""
    claim, wanted, seen = context.applied, context.wanted, observed.config
    if context.memory.written.last is not None:
        return False
    if claim is None or claim.hash != wanted.hash or seen is None:
        return False
    former = {key: seen.get(key, value) if key in wanted.secrets else value for key, value in wanted.config.items()}
    return not may_have_left((replace(wanted, config=former),), observed)
