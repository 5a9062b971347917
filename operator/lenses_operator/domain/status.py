"""The next status from the last one, what was seen and what is to be said: equal where nothing changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from lenses_operator.domain.observed import Observed
from lenses_operator.domain.traces import excerpt
from lenses_operator.lenses.models import Task
from lenses_operator.resources.conditions import Verdict, shorten
from lenses_operator.resources.connector import (
    AppliedConfig,
    AutoRestartStatus,
    ConnectorStatus,
    LensesConnector,
    Ownership,
    OwnershipState,
    RefusedConfig,
    TaskStatus,
)

TASKS = 1000
"""Tasks shown, those with the lowest ids; `tasksSummary` counts them all. What etcd does not take is never written."""
ERRORS = 128 * 1024
"""Bytes of all tasks' errors together."""
NAMES = 64 * 1024
"""Bytes of a list of topics or keys."""
WORD = 253
"""Characters of anything that is one word in Lenses: a state, a type, a worker's address."""


@dataclass(frozen=True)
class Marks:
    """What has been done on a user's word or by auto-restart, so that it is not done again."""

    auto_restart: AutoRestartStatus | None = None
    refused: RefusedConfig | None = None
    restart: str | None = None
    reconcile: str | None = None

    @classmethod
    def of(cls, status: ConnectorStatus) -> Marks:
        return cls(
            status.auto_restart, status.refused_config, status.last_handled_restart, status.last_handled_reconcile
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
    if resource.schema_mismatch is not None:  # what it holds besides is not understood, and stays as it is
        generation = resource.metadata.generation
        said = report.verdict.conditions(generation, now, before.conditions)
        return before.model_copy(update={"observed_generation": generation, "conditions": said})
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
            "applied_config": _kept(report.applied) if report.ownership.ours else None,
            "auto_restart": marks.auto_restart,
            "refused_config": marks.refused if marks.refused and marks.refused.generation == generation else None,
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
        "state": _word(observed.state) or "UNKNOWN",
        "type": _word(observed.type) or before.type,
        "lrn": (observed.lrn and shorten(observed.lrn)) or before.lrn,
        "tasks": tasks,
        "tasks_summary": summary(observed.tasks),
    }
    if details is not None:
        kept |= {"version": _word(details.version), "worker_id": _word(details.worker_id)}
    if topics is not None:
        kept["topics"] = _first(sorted(topics))
    return kept


def _word(text: str | None) -> str | None:
    return None if text is None else shorten(text, WORD)


def _first(names: Sequence[str]) -> tuple[str, ...]:
    """As many as there is room for."""
    found, room = [], NAMES
    for name in names:
        room -= len(name.encode()) + 4
        if room < 0:
            break
        found.append(name)
    return tuple(found)


def _kept(applied: AppliedConfig | None) -> AppliedConfig | None:
    """What has no room is forgotten at a restart only, which may then write the configuration once in vain."""
    if applied is None:
        return None
    return applied.model_copy(
        update={
            "secrets": applied.secrets[:TASKS],
            "not_compared": _first(applied.not_compared),
            "added": _first(applied.added),
        }
    )


_SEEN_FIELDS = ("state", "type", "version", "worker_id", "lrn", "tasks", "tasks_summary", "topics")


def _nothing_seen() -> dict[str, object]:
    return {name: () if name == "tasks" else None for name in _SEEN_FIELDS}


def _tasks(tasks: Sequence[Task], before: Mapping[int, TaskStatus]) -> tuple[TaskStatus, ...]:
    """The list knows neither worker nor trace: both stay from the last details while the task's state is the same."""

    def status(task: Task) -> TaskStatus:
        old, state = before.get(task.id), _word(task.state) or ""
        same = old if old is not None and old.state == state else None
        error = excerpt(task.trace) if task.trace else (same.error if same else None)
        return TaskStatus(
            id=task.id,
            state=state,
            worker_id=_word(task.worker_id) or (same.worker_id if same else None),
            error=error if state == "FAILED" else None,
        )

    return _within(status(task) for task in shown(tasks))


def shown(tasks: Sequence[Task]) -> list[Task]:
    """In the order of their ids, each once: a list in which one is twice would be refused as a whole."""
    return sorted({task.id: task for task in tasks}.values(), key=lambda task: task.id)[:TASKS]


def _within(tasks: Iterable[TaskStatus]) -> tuple[TaskStatus, ...]:
    """The first errors there is room for."""
    found, room = [], ERRORS
    for task in tasks:
        room -= len((task.error or "").encode())
        found.append(task if room >= 0 or task.error is None else task.model_copy(update={"error": None}))
    return tuple(found)


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
    tasks = {task.id: _word(task.state) for task in shown(observed.tasks)}
    total = before.tasks_summary is None or before.tasks_summary == summary(observed.tasks)
    same = before.state == (_word(observed.state) or "UNKNOWN") and total
    return same and {task.id: task.state for task in before.tasks} == tasks
