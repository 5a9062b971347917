"""A connector as Lenses shows it, or the proof that there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from lenses_operator.domain.traces import abridged, ends
from lenses_operator.lenses.models import ConnectorDetails, ConnectorListItem, Task


class Presence(Enum):
    PRESENT = "present"
    ABSENT = "absent"
    """Proven: the agent's own 404 for the connector and a good answer for its cluster."""


@dataclass(frozen=True)
class Observed:
    """The connector as Lenses shows it. `details` is None where only the list was read.

    `digest` tells the answer with the details from another one.
    """

    presence: Presence
    state: str | None = None
    tasks: tuple[Task, ...] = ()
    type: str | None = None
    lrn: str | None = None
    details: ConnectorDetails | None = None
    digest: bytes | None = None

    @classmethod
    def absent(cls) -> Observed:
        return cls(Presence.ABSENT)

    @classmethod
    def from_list(cls, entry: ConnectorListItem) -> Observed:
        tasks = tuple(Task(id=task.id, state=task.state) for task in entry.tasks)
        return cls(Presence.PRESENT, entry.state, tasks, entry.type, entry.lrn)

    @classmethod
    def from_details(cls, details: ConnectorDetails, digest: bytes | None = None) -> Observed:
        return cls(Presence.PRESENT, details.state, details.tasks, details.type, details.lrn, details, digest)

    def redacted(self, redact: Callable[[str], str]) -> Observed:
        """Traces are the one free text that Lenses shows of a connector; they quote what the connector was given."""

        def clean(task: Task) -> Task:
            return task.model_copy(update={"trace": abridged(redact(ends(task.trace)))}) if task.trace else task

        return replace(self, tasks=tuple(clean(task) for task in self.tasks))

    def looks_like(self, other: Observed) -> bool:
        """The same state and tasks, as far as the list shows them."""
        states, others = ({task.id: task.state for task in one.tasks} for one in (self, other))
        return self.state == other.state and states == others

    @property
    def present(self) -> bool:
        return self.presence is Presence.PRESENT

    @property
    def class_name(self) -> str | None:
        """As details tell it beside the configuration."""
        return self.details.class_name if self.details else None

    @property
    def config(self) -> Mapping[str, str] | None:
        """None where the list alone was read, or Lenses hides the whole configuration: an empty one says so too, since
        every connector has at least a class."""
        if self.details is None or self.details.config_hidden:
            return None
        return self.details.config or None
