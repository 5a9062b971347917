"""The next status from the last one, what was seen and what is to be said: equal where nothing changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from lenses_operator.domain.situation import Observed
from lenses_operator.domain.traces import excerpt
from lenses_operator.lenses.models import Task
from lenses_operator.resources.conditions import Verdict
from lenses_operator.resources.connector import (
    AppliedConfig,
    AutoRestartStatus,
    ConnectorStatus,
    LensesConnector,
    Ownership,
    OwnershipState,
    TaskStatus,
)


@dataclass(frozen=True)
class Marks:
    """What has been done on a user's word or by auto-restart, so that it is not done again."""

    auto_restart: AutoRestartStatus | None = None
    refused: int | None = None
    """The generation that create refused although it had validated, and that was rolled back."""
    restart: str | None = None
    reconcile: str | None = None

    @classmethod
    def of(cls, status: ConnectorStatus) -> Marks:
        return cls(
            status.auto_restart, status.refused_generation, status.last_handled_restart, status.last_handled_reconcile
        )


@dataclass(frozen=True)
class Report:
    """What a pass found. `observed` None: Lenses was not asked or gave no answer, so what was seen last stays."""

    verdict: Verdict
    ownership: OwnershipState
    observed: Observed | None = None
    applied: AppliedConfig | None = None
    topics: tuple[str, ...] | None = None
    hide: bool = False
    """The connector is not ours to show: nothing that was seen of it stays either."""
    marks: Marks | None = None
    """None: they stay as they are."""
    generation: int | None = None
    """Of the spec the report is about; None: the resource's own, which may have been edited meanwhile."""


def next_status(resource: LensesConnector, report: Report, now: datetime) -> ConnectorStatus:
    """Equal to the present status where nothing changed."""
    before = resource.status
    seen = _nothing_seen() if report.hide else _seen(before, report.observed, report.topics)
    marks = report.marks or Marks.of(before)
    generation = resource.metadata.generation if report.generation is None else report.generation
    ownership = before.ownership
    if ownership.state is not report.ownership:
        ownership = Ownership(state=report.ownership, since=now)
    return ConnectorStatus.model_validate(
        {
            **seen,
            "observed_generation": generation,
            "conditions": report.verdict.conditions(generation, now, before.conditions),
            "ownership": ownership,
            "applied_config": report.applied if report.ownership.ours else None,
            "auto_restart": marks.auto_restart,
            "refused_generation": marks.refused if marks.refused == generation else None,
            "last_handled_restart": marks.restart,
            "last_handled_reconcile": marks.reconcile,
        }
    )


def _seen(before: ConnectorStatus, observed: Observed | None, topics: tuple[str, ...] | None) -> dict[str, object]:
    if observed is not None and not observed.present:
        return _nothing_seen()
    kept = {name: getattr(before, name) for name in _SEEN_FIELDS}
    if observed is None:
        return kept
    details = observed.details
    tasks = _tasks(observed.tasks, {task.id: task for task in before.tasks})
    kept |= {
        "state": observed.state or "UNKNOWN",
        "type": observed.type or before.type,
        "lrn": observed.lrn or before.lrn,
        "tasks": tasks,
        "tasks_summary": summary(observed.tasks),
    }
    if details is not None:
        kept |= {"version": details.version, "worker_id": details.worker_id}
    if topics is not None:
        kept["topics"] = tuple(sorted(topics))
    return kept


_SEEN_FIELDS = ("state", "type", "version", "worker_id", "lrn", "tasks", "tasks_summary", "topics")


def _nothing_seen() -> dict[str, object]:
    return {name: () if name == "tasks" else None for name in _SEEN_FIELDS}


def _tasks(tasks: Sequence[Task], before: Mapping[int, TaskStatus]) -> tuple[TaskStatus, ...]:
    """The list knows neither worker nor trace: both stay from the last details while the task's state is the same."""

    def status(task: Task) -> TaskStatus:
        old = before.get(task.id)
        same = old if old is not None and old.state == task.state else None
        error = excerpt(task.trace) if task.trace else (same.error if same else None)
        return TaskStatus(
            id=task.id,
            state=task.state,
            worker_id=task.worker_id or (same.worker_id if same else None),
            error=error if task.state == "FAILED" else None,
        )

    return tuple(status(task) for task in sorted(tasks, key=lambda task: task.id))


def with_known_errors(observed: Observed, status: ConnectorStatus) -> Observed:
    """The list shows no traces; for a task that is still failed the one that status keeps is as good."""
    known = {task.id: task.error for task in status.tasks if task.state == "FAILED"}

    def filled(task: Task) -> Task:
        if task.state != "FAILED" or task.trace or not known.get(task.id):
            return task
        return task.model_copy(update={"trace": known[task.id]})

    return replace(observed, tasks=tuple(filled(task) for task in observed.tasks))


def summary(tasks: Sequence[Task]) -> str:
    """Running of existing, such as 2/3."""
    return f"{sum(task.state == 'RUNNING' for task in tasks)}/{len(tasks)}"


def shows_the_same(before: ConnectorStatus, observed: Observed) -> bool:
    """Whether the list's view of the connector is what status already says, so that details need not be read again."""
    return before.state == (observed.state or "UNKNOWN") and {task.id: task.state for task in before.tasks} == {
        task.id: task.state for task in observed.tasks
    }
