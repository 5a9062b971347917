"""A connector as Lenses shows it, to tweak."""

from __future__ import annotations

from typing import Any

from lenses_operator.domain.observed import Observed
from lenses_operator.domain.render import Rendered, render
from lenses_operator.domain.situation import Situation
from lenses_operator.lenses.models import ConnectorDetails, ConnectorListItem, Task
from lenses_operator.resources.connector import AppliedConfig, LensesConnector, WantedState
from unit.resources.make import NOW, SENT, owned

RUNNING = (Task(id=0, state="RUNNING"),)


def tasks(*states: str) -> tuple[Task, ...]:
    return tuple(Task(id=number, state=state) for number, state in enumerate(states))


def listed(state: str | None = "RUNNING", tasks: tuple[Task, ...] = RUNNING, **changes: Any) -> Observed:
    item = ConnectorListItem(name="orders", cluster="connect-eu", state=state, tasks=tasks, type="source", lrn="lrn:1")
    return Observed.from_list(item.model_copy(update=changes))


def detailed(
    state: str | None = "RUNNING",
    tasks: tuple[Task, ...] = RUNNING,
    config: dict[str, str] | None = SENT,
    **changes: Any,
) -> Observed:
    details = ConnectorDetails(
        name="orders",
        cluster="connect-eu",
        state=state,
        tasks=tasks,
        type="source",
        lrn="lrn:1",
        worker_id="w1:8083",
        version="4.3.1",
        config=config,
    )
    return Observed.from_details(details.model_copy(update=changes))


def applied(config: dict[str, str] = SENT, **changes: Any) -> AppliedConfig:
    return AppliedConfig(hash=Rendered(config).hash, time=NOW, **changes)


def situation(observed: Observed, resource: LensesConnector | None = None, **changes: Any) -> Situation:
    """Owned, applied and as wanted, unless told otherwise."""
    resource = resource or owned()
    base: dict[str, Any] = {
        "resource": resource,
        "wanted": render(resource.spec),
        "state": resource.spec.state,
        "observed": observed,
        "applied": applied(),
    }
    return Situation(**(base | changes))


__all__ = ["RUNNING", "Task", "WantedState", "applied", "detailed", "listed", "situation", "tasks"]
