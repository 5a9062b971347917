"""Since when a connector is proven to be gone, and whether a DELETE of ours has taken it down."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lenses_operator.controllers.connector.context import ReconcileContext
from lenses_operator.controllers.connector.settling import STALE_FOR
from lenses_operator.domain.observed import Observed

SHOWS_WITHIN = 45.0
"""Seconds a connector may take to be found after its create was accepted: reads may be cached."""


@dataclass(frozen=True, slots=True)
class Absence:
    """`since`: when it was first proven to be gone, as long as it has not been seen since. `deleted_at`: when a DELETE
    of ours was accepted."""

    since: float | None = None
    deleted_at: float | None = None


def deleted(context: ReconcileContext, now: float) -> None:
    """A DELETE of ours was accepted, to create the connector again."""
    context.memory.absence = replace(context.memory.absence, deleted_at=now)


def created_again(context: ReconcileContext) -> None:
    context.memory.absence = replace(context.memory.absence, deleted_at=None)


def left_by_create(context: ReconcileContext) -> None:
    """What is found was created without a clear answer. If it was proven to be gone before, our DELETE was meant for
    another."""
    if context.memory.absence.since is not None:
        created_again(context)


def written(context: ReconcileContext) -> None:
    """A configuration of ours is in Lenses: what was proven before is about the connector before."""
    context.memory.absence = replace(context.memory.absence, since=None)


def note(context: ReconcileContext, observed: Observed, now: float) -> None:
    """What the details have shown."""
    memory = context.memory
    deleted_at = memory.absence.deleted_at
    if observed.present:
        if deleted_at is not None and now > deleted_at + STALE_FOR:
            deleted_at = None  # this one is no more the one that our DELETE was accepted for
        memory.absence = Absence(None, deleted_at)
        return
    if deleted_at is not None:
        memory.pacing.worked("delete")
    since = memory.absence.since
    if context.seen_since(context.looked_at):
        memory.absence = replace(memory.absence, since=None)  # another look shows it at the same time
    elif (since is None or context.seen_since(since)) and not expected(context, now):
        # When the answer came, not when the look was begun: it may have taken several tries, and seconds.
        memory.absence = replace(memory.absence, since=now)


def expected(context: ReconcileContext, now: float) -> bool:
    """A create of ours was accepted and the connector not seen since: not finding it proves nothing yet, unless a
    DELETE of ours was accepted after it."""
    memory = context.memory
    awaited = memory.written.awaiting_baseline and memory.absence.deleted_at is None
    return awaited and now < memory.settling.acted_at + SHOWS_WITHIN
