"""How one of our resources is, about its present generation; and times as kubectl shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from lenses_operator.resources.base import Resource
from lenses_operator.resources.conditions import ConditionStatus, Status
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets

NOT_SEEN = "The operator has not processed it yet."
NOT_SEEN_AGAIN = "The operator has not processed its current spec yet."


@dataclass(frozen=True)
class Readiness:
    """`reason` is empty while nobody has looked at this generation. `stalled`: a person has to act; `reconciling`: the
    operator does, though all may be well."""

    ready: ConditionStatus
    reason: str
    message: str
    stalled: bool = False
    reconciling: bool = False

    @property
    def well(self) -> bool:
        return self.ready == "True"


def readiness(resource: LensesConnector | LensesConnectorOffsets) -> Readiness:
    """What Ready says, unless that is about an earlier generation."""
    status: Status = resource.status
    ready = status.ready
    if resource.metadata.deleting and ready is not None:
        return Readiness("False", ready.reason, ready.message)
    if ready is None:
        return Readiness("Unknown", "", NOT_SEEN)
    if ready.observed_generation != resource.metadata.generation:
        return Readiness("Unknown", "", NOT_SEEN_AGAIN)
    return Readiness(
        ready.status, ready.reason, ready.message, _has(resource, "Stalled"), _has(resource, "Reconciling")
    )


def _has(resource: Resource, kind: str) -> bool:
    status: Status = resource.status  # type: ignore[attr-defined]
    return any(one.type == kind and one.status == "True" for one in status.conditions)


def changed(resource: LensesConnector | LensesConnectorOffsets) -> datetime:
    """When something last became of it: Ready turned, the configuration was written, it was restarted."""
    status = resource.status
    times = [resource.metadata.creation_timestamp]
    if status.ready is not None:
        times.append(status.ready.last_transition_time)
    if isinstance(resource, LensesConnector):
        applied, restarts = resource.status.applied_config, resource.status.auto_restart
        times += [one for one in (applied and applied.time, restarts and restarts.last_restart_time) if one]
    return max(times)


def age(since: datetime, now: datetime) -> str:
    """As kubectl shows it: `42s`, `3m20s`, `5h`, `12d`."""
    seconds = max(0, int((now - since) / timedelta(seconds=1)))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    return f"{days}d" if days < 730 else f"{days // 365}y"


def _two(first: int, unit: str, second: int, smaller: str) -> str:
    return f"{first}{unit}{second}{smaller}" if second else f"{first}{unit}"
