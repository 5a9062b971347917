"""After a request of ours: what was seen before it is void, and a change is expected soon."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from random import uniform

from lenses_operator.controllers.connector.context import ReconcileContext
from lenses_operator.domain.backoff import SETTLING, Backoff

QUIET = 10.0
"""Seconds after a request in which passing states are not worth a status write."""
STALE_FOR = 60.0
"""Seconds for which Lenses may still show what was there before our write."""


@dataclass(frozen=True, slots=True)
class Settling:
    """Times are the event loop's. `acted_at`: our last request that may have changed the connector."""

    acted_at: float = -inf
    looks: int = 0
    """Since then, or since all was well, in a row."""
    until: float = -inf


def acted(context: ReconcileContext, now: float, *, again: bool = False) -> None:
    """`again`: what was asked for before has not happened, which is worth a status write by now."""
    until = context.memory.settling.until if again else now + QUIET
    context.memory.settling = Settling(acted_at=now, until=until)


def next_look(context: ReconcileContext, backoff: Backoff = SETTLING) -> float:
    """Seconds; fewer at first."""
    settling = context.memory.settling
    context.memory.settling = replace(settling, looks=settling.looks + 1)
    return backoff.delay(context.memory.settling.looks, uniform)
