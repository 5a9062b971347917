"""When a failed connector or task is restarted: delays that grow, a budget, counters that live in status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from lenses_operator.domain.observed import Observed
from lenses_operator.resources.connector import AutoRestartStatus, LensesConnector, WantedState

HEALTHY = timedelta(minutes=10)
LONGEST = 60
"""Minutes."""


@dataclass(frozen=True)
class Plan:
    """`due`: when the next restart may be; None: the budget is spent, or auto-restart is off.

    `under_way`: the restart that `counter` counts last is being made. `asked`: the one of the annotation is, which
    Lenses has refused so far for the reason `refused`, empty where it has not.
    """

    counter: AutoRestartStatus | None
    due: datetime | None = None
    budget: int = 0
    under_way: bool = False
    asked: bool = False
    refused: str = ""


def asked(resource: LensesConnector) -> bool:
    """Whether the restart annotation has a value that has not been handled."""
    value = resource.metadata.restart
    return value is not None and value != resource.status.last_handled_restart


def pointless(resource: LensesConnector, observed: Observed, held: str | None = None) -> str | None:
    """Why the restart that the annotation asks for makes no sense; None where it does."""
    if resource.spec.suspend:
        return "spec.suspend is true"
    if held:
        return f"LensesConnectorOffsets {held} keeps the connector stopped"
    if resource.spec.state is not WantedState.RUNNING:
        return f"spec.state is {resource.spec.state}"
    if resource.status.observed_generation == -1 or not observed.present:
        return "it was there when the connector was created, which starts it anyway"
    return None


def delay(count: int) -> timedelta:
    """Before restart number `count` + 1: 0, 2, 6, 12 … minutes, at most 60."""
    return timedelta(minutes=min(LONGEST, count * count + count))


def plan(resource: LensesConnector, now: datetime) -> Plan:
    """For a connector that has failed."""
    spec = resource.spec.auto_restart
    if not spec.enabled:
        return Plan(None)
    counter = current(resource, now)
    if counter.count >= spec.max_restarts:
        return Plan(counter.model_copy(update={"next_restart_time": None}), budget=spec.max_restarts)
    last = counter.last_restart_time
    due = now if last is None else max(now, last + delay(counter.count))
    # A time already in status holds: a due date that moved with the clock would be written at every pass. But where the
    # clock was set back since, it is not waited for longer than the delay.
    due = min(counter.next_restart_time or due, now + delay(counter.count))
    return Plan(counter.model_copy(update={"next_restart_time": due}), due, spec.max_restarts)


def current(resource: LensesConnector, now: datetime) -> AutoRestartStatus:
    """The counter that holds: from nothing after a changed spec or ten healthy minutes (by Ready's own time).

    A time far in the future is of a clock that was set back since: nobody knows how long it has been well, and the
    budget must not stay spent until the clock is there again.
    """
    generation = resource.metadata.generation
    counter, ready = resource.status.auto_restart, resource.status.ready
    fresh = AutoRestartStatus(generation=generation)
    if counter is None or counter.generation != generation:
        return fresh
    if ready is not None and ready.status == "True" and abs(now - ready.last_transition_time) >= HEALTHY:
        return fresh
    return counter


def counted(counter: AutoRestartStatus, now: datetime) -> AutoRestartStatus:
    """After one more restart."""
    return counter.model_copy(update={"count": counter.count + 1, "last_restart_time": now, "next_restart_time": None})


def when_well(resource: LensesConnector, now: datetime) -> AutoRestartStatus | None:
    """The counter to show for a connector that is well: kept until ten healthy minutes have passed, then gone."""
    if not resource.spec.auto_restart.enabled or resource.status.auto_restart is None:
        return None
    counter = current(resource, now)
    return counter.model_copy(update={"next_restart_time": None}) if counter.count else None
