"""What the process remembers of a connector between passes. Losing it costs a few reads, never a wrong action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from lenses_operator.controllers.pacing import Pacing
from lenses_operator.controllers.redaction import Confidential
from lenses_operator.domain.deleting import Deleting
from lenses_operator.domain.drift import Baseline
from lenses_operator.domain.render import Rendered
from lenses_operator.domain.situation import Refusal
from lenses_operator.domain.states import Transition
from lenses_operator.resources.conditions import Verdict
from lenses_operator.resources.connector import AppliedConfig, RefusedConfig, SecretVersion

VALIDATED_FOR = 60.0
"""Seconds a good validation serves for the create that follows it."""
AS_STATUS_SAYS = RefusedConfig(generation=-1, hash="")
"""This process knows no better than status."""
SHOWS_WITHIN = 45.0
"""Seconds a connector may take to be found after its create was accepted: reads may be cached."""
MOST_ATTEMPTS = 20
"""Different configurations kept of creates without a clear answer."""
STALE_FOR = 60.0
"""Seconds for which Lenses may go on showing the configuration from before a write of ours."""


@dataclass
class Replacement:
    """A write under way: a Recreate is deleted and not yet created again. `previous`: what to go back to, if known."""

    why: str
    repair: bool
    in_place: bool
    previous: Rendered | None

    @property
    def news(self) -> tuple[str, str]:
        """Reason and message of the Event once it is written."""
        if self.repair:
            return "DriftRepaired", f"The configuration was put back: {self.why}."
        return "ConfigUpdated", f"The configuration was updated: {self.why}."


@dataclass
class Stubborn:
    """The same 400 or 500 again and again is a refusal, but only time tells: a rebalance may be answered so, too."""

    words: str
    since: float
    count: int = 1


@dataclass(frozen=True, slots=True)
class UnchangedToken:
    """A pass that looked at the details, found all as wanted, and wrote nothing.

    With the same resource, the same values of what it refers to and the same answer to the byte, the next one would end
    the same way.
    """

    version: str
    given: tuple[str, tuple[SecretVersion, ...]] | None
    digest: bytes


@dataclass(slots=True)
class Memory:
    """Times are the event loop's. `acted_at`: our last request that may have changed it; older views are void."""

    uid: str
    acted_at: float = -inf
    look: bool = False
    waiting: bool = False
    """A configuration waits until the connector is next to run: the list alone cannot tell what it differs in."""
    next_check: float | None = None
    calm: UnchangedToken | None = None
    """Of the last pass; each new one has to find it again."""
    applied: AppliedConfig | None = None
    last_written: Rendered | None = None
    awaiting_baseline: bool = False
    written_at: float = -inf
    put_at: float | None = None
    """When a write in place was accepted that has not been seen since."""
    before: Mapping[str, str] | None = None
    """What Lenses showed before our last write: as long as it shows the same, it may be a cache that does."""
    notation: Baseline | None = None
    """How that was shown otherwise than it had been written, of what our last write has left as it was."""
    keys: frozenset[str] = frozenset()
    """All that this process has ever written: a server did not add them."""
    topics: tuple[str, ...] | None = None
    topics_due: bool = False
    topics_next: float | None = None
    """When a drift check reads them again though nothing has changed."""
    valid: tuple[str, float] | None = None
    """(hash, when) of the last configuration that validated."""
    refusal: Refusal | None = None
    refusal_until: float = -inf
    refused: RefusedConfig | None = AS_STATUS_SAYS
    stubborn: Stubborn | None = None
    claimed: bool = False
    """Claiming was written by this process, and no create has been left unanswered since."""
    contested: bool = False
    """The first create was refused: what is seen next may be somebody else's that was there before."""
    attempted: tuple[Rendered, ...] = ()
    """Creates whose answer never came, or was ambiguous, oldest first: any of them may have left what is found."""
    replacement: Replacement | None = None
    deleted_at: float | None = None
    """When a DELETE of ours was accepted."""
    absent_since: float | None = None
    """When it was first proven to be gone, as long as it has not been seen since."""
    deleting: Deleting | None = None
    """The deletion under way."""
    pacing: Pacing = field(default_factory=Pacing)
    asked: tuple[Transition, str | None] | None = None
    """The last state change asked for, and the state seen then."""
    asked_at: float = -inf
    no_tasks_since: float | None = None
    failures: int = 0
    refusals: int = 0
    settling: int = 0
    settling_until: float = -inf
    announced_restart: str | None = None
    told: Verdict | None = None
    """By an Event, while the status that says so could not be written."""
    announced_newlines: frozenset[tuple[str, str]] = frozenset()
    was_held: bool = False
    """An offsets operation keeps the connector stopped, or did and has not seen it go on yet."""
    missing: int = 0
    """Passes in a row that a reference was not found."""
    confidential: Confidential = field(default_factory=Confidential)

    def acted(self, now: float, quiet: float = 10.0) -> None:
        """After a request of ours: what was seen before is void, and a change is expected soon."""
        self.acted_at = now
        self.settling = 0
        self.settling_until = now + quiet

    @property
    def unsent(self) -> bool:
        """Whether the claim in status is this process's own, and no create was sent on it that may have worked."""
        return self.claimed and not self.attempted

    @property
    def newest(self) -> Rendered | None:
        """The last configuration that Lenses was sent and may have taken."""
        return self.attempted[-1] if self.attempted else self.last_written

    def attempt(self, rendered: Rendered) -> tuple[Rendered, ...]:
        """Right before a create is sent. What there was before it, for one that turns out to have done nothing."""
        before = self.attempted
        self.attempted = (*(one for one in before if one != rendered), rendered)[-MOST_ATTEMPTS:]
        return before

    def expects(self, now: float) -> bool:
        """A create of ours was accepted and the connector not seen since: not finding it proves nothing yet, unless a
        DELETE of ours was accepted after it."""
        return self.awaiting_baseline and self.deleted_at is None and now < self.acted_at + SHOWS_WITHIN

    def wrote(self, rendered: Rendered, applied: AppliedConfig, now: float) -> None:
        """A configuration of ours is in Lenses now; what Lenses shows next is the baseline."""
        self.written_at, self.put_at = now, None
        self.applied, self.last_written = applied, rendered
        self.keys |= rendered.config.keys()
        self.awaiting_baseline = self.topics_due = True
        self.attempted = ()
        self.claimed = self.contested = False
        self.stubborn = None
        self.absent_since = None
