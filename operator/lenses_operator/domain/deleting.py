"""Deleting a connector with its resource: what our requests were answered, and what that proves.

Reads may be cached, and a token that lost a right sees 404 for what is there. So our own DELETE is sent in any case,
and its own answer counts: accepted and gone afterwards, or denied twice with time between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from math import inf
from typing import Literal

from lenses_operator.domain.observed import Observed

ABSENCE = 30.0
"""Seconds between two denials that prove a connector's absence."""
LATE = 30.0
"""Seconds for which a request without an answer may still be under way."""
HIDDEN = 15.0
"""Seconds a connector may be hidden before its offsets are given up."""
DELETE_AGAIN = 10.0
"""Seconds an accepted DELETE may take to show before it is sent once more."""


class Visibility(Enum):
    """What the lists since a denial say of the token that was denied."""

    SOME = "other connectors, or there never were any"
    NONE = "nothing, where there were others"
    UNKNOWN = "there is no good one yet"


@dataclass(frozen=True)
class Delete:
    pass


@dataclass(frozen=True)
class StopFirst:
    """Offsets can be reset only while the connector is stopped."""


@dataclass(frozen=True)
class ResetOffsets:
    pass


@dataclass(frozen=True)
class Release:
    """Take our finalizer off. `why` is for the Event."""

    why: Literal["retained", "not-owned", "gone", "not-found"]


@dataclass(frozen=True)
class Await:
    """Look again in `seconds`."""

    seconds: float


Deletion = Delete | Release | Await | StopFirst | ResetOffsets


@dataclass(frozen=True)
class Deleting:
    """One deletion so far. Times are the event loop's, None: not so.

    `denied_at`: when the last DELETE was sent that the agent's 404 has answered. A proof is a look after that, with the
    agent's 404 for the connector and a good answer of its cluster; `absent_at`: when the first of these was answered,
    `proven_at`: one whose DELETE was sent `ABSENCE` later. `missing_since`: no look has shown it since.
    """

    since: float
    accepted_at: float | None = None
    denied_at: float | None = None
    absent_at: float | None = None
    proven_at: float | None = None
    missing_since: float | None = None
    offsets_reset: bool = False
    visibility: Visibility = Visibility.SOME
    """Since the denial that proves it."""
    late_until: float = -inf
    """A write of ours had no answer, and may be carried out up to then: it would make the connector anew."""

    def with_visibility(self, visibility: Visibility) -> Deleting:
        """What was proven while the token saw nothing has to be proven again when it sees again."""
        match visibility:
            case Visibility.UNKNOWN if self.visibility is Visibility.NONE:
                return self
            case Visibility.SOME if self.visibility is Visibility.NONE:
                return Deleting(self.since, offsets_reset=self.offsets_reset)
            case _:
                return replace(self, visibility=visibility)

    def accepted(self, now: float) -> Deleting:
        return replace(self, accepted_at=now, denied_at=None, absent_at=None, proven_at=None)

    def denied(self, now: float) -> Deleting:
        return replace(self, denied_at=now)

    def reappeared(self) -> Deleting:
        """An acceptance is for the connector it was given for: one that was gone since is another."""
        accepted_at = None if self.missing_since is not None else self.accepted_at
        return Deleting(self.since, accepted_at=accepted_at, offsets_reset=self.offsets_reset)

    def looked(self, observed: Observed, at: float) -> Deleting:
        """`at`: when the look was answered. It may have taken long, and says nothing of the time before."""
        if observed.present:
            return self.reappeared()
        seen = replace(self, missing_since=at if self.missing_since is None else self.missing_since)
        if self.denied_at is None:
            return seen
        if self.absent_at is None:
            return replace(seen, absent_at=at)
        return replace(seen, proven_at=at) if self.denied_at >= self.absent_at + ABSENCE else seen


def decide_deletion(observed: Observed, so_far: Deleting, *, now: float, with_offsets: bool) -> Deletion:
    """For a connector that is ours to delete. `observed` absent is the agent's own 404 beside a good answer of the
    cluster."""
    to_reset = with_offsets and not so_far.offsets_reset
    if observed.present:
        if so_far.accepted_at is not None and now < so_far.accepted_at + DELETE_AGAIN:
            return Await(0.0)
        if to_reset and observed.state != "STOPPED":
            return StopFirst()
        if to_reset and observed.tasks:
            return Await(0.0)
        return ResetOffsets() if to_reset else Delete()
    if so_far.accepted_at is not None:
        return Await(so_far.late_until - now) if now < so_far.late_until else Release("gone")
    if so_far.proven_at is not None:
        return Release("not-found") if so_far.visibility is Visibility.SOME else Await(0.0)
    if to_reset and so_far.missing_since is not None and now < so_far.missing_since + HIDDEN:
        return Await(so_far.missing_since + HIDDEN - now)
    if so_far.absent_at is not None and now < so_far.absent_at + ABSENCE:
        return Await(so_far.absent_at + ABSENCE - now)
    return Delete()
