"""What has failed of a connector, as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from textwrap import indent

from lenses_operator.commands.readiness import readiness
from lenses_operator.resources.connector import LensesConnector, SecretVersion, TaskStatus
from lenses_operator.resources.text import plain

FAILED = "FAILED"


class NoSuchTaskError(LookupError):
    """The connector has no task of that number."""


def report(resource: LensesConnector, traces: Mapping[int, str], task: int | None) -> Iterator[str]:
    """Paragraphs. `traces`: whole ones by task, where Lenses could be asked. Raises NoSuchTaskError."""
    status, state = resource.status, readiness(resource)
    if task is not None and all(one.id != task for one in status.tasks):
        there = ", ".join(str(one.id) for one in status.tasks) or "none"
        raise NoSuchTaskError(f"{resource.metadata.name} has no task {task}; its tasks: {there}")
    yield plain(f"{resource.connector}: {status.state or 'not seen yet'}, tasks running: {status.tasks_summary or '-'}")
    if task is None and not state.well:
        yield plain(f"{state.reason or 'Waiting'}: {state.message}")
    chosen = [one for one in status.tasks if task in (None, one.id)]
    failed = [one for one in chosen if one.state == FAILED]
    yield from (_task(one, traces.get(one.id)) for one in failed)
    if task is not None and not failed:
        yield plain(f"task {task} is {chosen[0].state}: it has no error")
    elif not failed and state.well:
        yield "nothing has failed"


def _task(task: TaskStatus, whole: str | None) -> str:
    source = "" if whole is not None else " (as status has it)"
    head = f"task {task.id}" + (f" on {task.worker_id}" if task.worker_id else "") + f"{source}:"
    trace = whole if whole is not None else task.error
    return plain(f"{head}\n{indent((trace or 'Lenses gave no trace').strip(), '  ')}")


def withheld(resource: LensesConnector, read: Set[SecretVersion]) -> str | None:
    """Why traces of Lenses are not shown: they may quote a value that is not known here. None: they may be shown.

    The operator has cut every value it ever gave the connector out of what status has. `read`: keys of Secrets as they
    are now.
    """
    applied = resource.status.applied_config
    if not resource.status.ownership.state.ours:
        return "the resource does not own the connector"
    if applied is None or applied.hash == "" or applied.former_traces:
        return "a trace may quote values that the connector had before its present configuration"
    if not set(applied.secrets) <= read:
        return "a trace may quote values that its Secrets had before they were last written"
    return None
