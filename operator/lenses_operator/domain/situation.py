"""What a pass knows when it decides: what is wanted, what is seen, what was done before. All of it plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from lenses_operator.domain.drift import Baseline, Difference, compare, unreadable_keys
from lenses_operator.domain.render import Rendered
from lenses_operator.lenses.models import ConnectorDetails, ConnectorListItem, Task
from lenses_operator.resources.connector import AppliedConfig, LensesConnector, OwnershipState, WantedState


class Presence(Enum):
    PRESENT = "present"
    ABSENT = "absent"
    """Proven: the agent's own 404 for the connector and a good answer for its cluster."""


@dataclass(frozen=True)
class Observed:
    """The connector as Lenses shows it. `details` is None where only the list was read."""

    presence: Presence
    state: str | None = None
    tasks: tuple[Task, ...] = ()
    type: str | None = None
    lrn: str | None = None
    details: ConnectorDetails | None = None

    @classmethod
    def absent(cls) -> Observed:
        return cls(Presence.ABSENT)

    @classmethod
    def from_list(cls, entry: ConnectorListItem) -> Observed:
        return cls(Presence.PRESENT, entry.state, entry.tasks, entry.type, entry.lrn)

    @classmethod
    def from_details(cls, details: ConnectorDetails) -> Observed:
        return cls(Presence.PRESENT, details.state, details.tasks, details.type, details.lrn, details)

    @property
    def present(self) -> bool:
        return self.presence is Presence.PRESENT

    @property
    def config(self) -> Mapping[str, str] | None:
        """None where the list alone was read, or Lenses hides the whole configuration."""
        if self.details is None or self.details.config_hidden:
            return None
        return self.details.config


@dataclass(frozen=True)
class Refusal:
    """The last word of validate or create about one configuration."""

    hash: str
    reason: str
    message: str


@dataclass(frozen=True)
class Situation:
    """`last_written`: the exact map of our last write while this process lives; later only hashes are left."""

    resource: LensesConnector
    wanted: Rendered
    state: WantedState
    observed: Observed
    applied: AppliedConfig | None = None
    last_written: Rendered | None = None
    refusal: Refusal | None = None
    validated: bool = False

    @property
    def ownership(self) -> OwnershipState:
        return self.resource.status.ownership.state

    @property
    def baseline(self) -> Baseline | None:
        if self.applied is None:
            return None
        return Baseline(frozenset(self.applied.not_compared), frozenset(self.applied.added))

    @property
    def refused(self) -> Refusal | None:
        """The refusal, if it is about the configuration that is wanted now."""
        return self.refusal if self.refusal and self.refusal.hash == self.wanted.hash else None

    def difference(self) -> Difference:
        """Between what is wanted and what Lenses shows, including wanted changes that Lenses cannot show."""
        seen, hidden = self.observed.config, self._hidden
        if seen is None:
            return self._unseen_change(frozenset(self.wanted.config))
        found = compare(self.wanted.config, seen, self.baseline, hidden)
        if found:
            return found
        unreadable = set(unreadable_keys(self.wanted.config, seen, hidden))
        if self.baseline is not None:
            unreadable |= self.baseline.not_compared & self.wanted.config.keys()
        return self._unseen_change(frozenset(unreadable))

    def unreadable(self) -> list[str]:
        """Wanted keys that Lenses does not let us compare."""
        seen = self.observed.config
        return sorted(self.wanted.config) if seen is None else unreadable_keys(self.wanted.config, seen, self._hidden)

    @property
    def _hidden(self) -> frozenset[str]:
        return self.observed.details.hidden_keys if self.observed.details else frozenset()

    def _unseen_change(self, unreadable: frozenset[str]) -> Difference:
        """Keys Lenses does not show change when the wanted value does: by memory, else by the last write's hash."""
        if self.last_written is not None:
            before = self.last_written.config
            return Difference(
                changed=tuple(sorted(k for k in unreadable if before.get(k) != self.wanted.config.get(k)))
            )
        if self.applied is not None and self.applied.hash != self.wanted.hash:
            return Difference(changed=tuple(sorted(unreadable)))
        return Difference()
