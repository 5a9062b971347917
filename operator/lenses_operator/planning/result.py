"""A plan as data: one item for each resource, and what is said about the files."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from lenses_operator.manifests.documents import Place
from lenses_operator.resources.connector import ConnectorKey


class Action(StrEnum):
    """What applying the files would lead to."""

    CREATE = "create"
    CHANGE = "change"
    ADOPT = "adopt"
    STATE = "state"
    DELETE = "delete"
    OFFSETS = "offsets"
    REFUSED = "refused"
    SUSPENDED = "suspended"
    UNCHANGED = "unchanged"


IDLE = frozenset({Action.UNCHANGED, Action.SUSPENDED, Action.REFUSED})
NOTHING, ERRORS, CHANGES = 0, 1, 2
"""Exit codes."""


@dataclass(frozen=True)
class Change:
    """One configuration key as it may be shown. None: not there."""

    key: str
    old: str | None
    new: str | None
    line: int | None = None


@dataclass
class Item:
    """One resource. `problems`: why it is refused, each where it stands; `notes`: what else there is to know."""

    kind: str
    namespace: str
    name: str
    action: Action = Action.UNCHANGED
    place: Place | None = None
    connector: ConnectorKey | None = None
    reason: str | None = None
    problems: list[tuple[Place | None, str]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    update: str | None = None
    """Recreate, InPlace, or Waiting: until the connector is next to run."""
    states: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """Configuration keys whose wanted value is not known here."""
    notes: list[str] = field(default_factory=list)

    def refuse(self, reason: str, *problems: tuple[Place | None, str]) -> Item:
        self.action, self.reason = Action.REFUSED, reason
        self.problems += problems
        return self

    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "action": self.action.value,
            "file": self.place.file if self.place else None,
            "line": self.place.line if self.place else None,
            "connector": self.connector._asdict() if self.connector else None,
            "reason": str(self.reason) if self.reason else None,  # YAML knows no enums
            "problems": [_told(*problem) for problem in self.problems],
            "changes": [{"key": one.key, "old": one.old, "new": one.new, "line": one.line} for one in self.changes],
            "update": self.update,
            "states": self.states,
            "unknown": self.unknown,
            "notes": self.notes,
        }
        return {key: value for key, value in found.items() if value not in (None, [])}


@dataclass
class Result:
    """`errors`: what is wrong with the files as such; `warnings`: what would not arrive as written."""

    items: list[Item] = field(default_factory=list)
    errors: list[tuple[Place | None, str]] = field(default_factory=list)
    warnings: list[tuple[Place | None, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def counts(self) -> Counter[Action]:
        return Counter(item.action for item in self.items)

    @property
    def exit_code(self) -> int:
        if self.errors or self.counts[Action.REFUSED]:
            return ERRORS
        return CHANGES if any(item.action not in IDLE for item in self.items) else NOTHING

    @property
    def summary(self) -> str:
        """`Plan: 2 to create, 1 to change, ...`; the rarer ones only where there are any."""
        counts = self.counts
        parts = [
            f"{counts[Action.CREATE]} to create",
            f"{counts[Action.CHANGE]} to change",
            f"{counts[Action.ADOPT]} to adopt",
        ]
        rare = {
            Action.STATE: "to pause, stop or resume",
            Action.DELETE: "to delete",
            Action.OFFSETS: "offsets to set",
            Action.SUSPENDED: "suspended",
        }
        parts += [f"{counts[action]} {words}" for action, words in rare.items() if counts[action]]
        parts += [f"{counts[Action.REFUSED]} refused", f"{counts[Action.UNCHANGED]} unchanged"]
        return f"Plan: {', '.join(parts)}"

    def without_places(self) -> Result:
        """Of objects that stand in no file."""
        items = [
            replace(
                item,
                place=None,
                problems=_nowhere(item.problems),
                changes=[replace(change, line=None) for change in item.changes],
            )
            for item in self.items
        ]
        return Result(items, _nowhere(self.errors), _nowhere(self.warnings))

    def data(self) -> dict[str, Any]:
        return {
            "summary": {action.value: self.counts[action] for action in Action},
            "items": [item.data() for item in self.items],
            "errors": [_told(*error) for error in self.errors],
            "warnings": [_told(*warning) for warning in self.warnings],
            "notes": self.notes,
        }


def _nowhere(told: list[tuple[Place | None, str]]) -> list[tuple[Place | None, str]]:
    return [(None, message) for _, message in told]


def _told(place: Place | None, message: str) -> dict[str, Any]:
    where = {"file": place.file, "line": place.line} if place else {}
    return {**where, "message": message}
