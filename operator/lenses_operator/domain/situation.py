"""What a pass knows when it decides: what is wanted, what is seen, what was done before. All of it plain values."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lenses_operator.domain.deleting import Deleting
from lenses_operator.domain.drift import Baseline, Difference, compare, hides, unreadable_keys
from lenses_operator.domain.masks import may_be_masked
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.plugins import aliases
from lenses_operator.domain.references import ReferenceNotFound
from lenses_operator.domain.render import ConfigInvalid, Rendered
from lenses_operator.resources.connector import AppliedConfig, LensesConnector, OwnershipState, WantedState


@dataclass(frozen=True)
class Refusal:
    """The last answer of validate or create to one configuration; a changed spec is always tried again."""

    fingerprint: str
    reason: str
    message: str
    generation: int
    at_create: bool = False
    """By create, what validate passes at the same time."""
    passing: bool = False
    """What was said may be over by itself."""


@dataclass(frozen=True)
class Situation:
    """What one pass knows when it decides.

    `observed`: None where Lenses was not asked. `allowed`: by policy. `rival`: the resource that owns the connector's
    name instead. `unusable`: why `wanted` is empty; `readable`: there is a token all the same. `unsent`: no create was
    ever sent for the claim that status tells of. `strange`: what is seen is no work of ours, as far as is known;
    `perhaps_ours`: Lenses hides what would tell. `not_shown`: Lenses shows what it showed before our last write.
    `rests`: the look has shown what the last pass left as it was. `deleting`: the deletion so far. `now`: of the event
    loop.

    `last_written`: the exact map of our last write while this process lives; later only hashes are left. `held`: the
    offsets operation that keeps the connector stopped, which `state` then says too. `was_held`: one has released it.
    `absent_for`: seconds since it was first proven to be gone; `taken_down`: by a DELETE of ours that was accepted.
    `restart_asked`: the restart annotation has a new value. `restart_due`: the back-off of auto-restart is over.
    `passwords`: of the keys in doubt at an adoption those that Connect takes for passwords; None: it was not asked.
    """

    resource: LensesConnector
    wanted: Rendered
    state: WantedState
    observed: Observed | None = None
    allowed: bool = True
    rival: LensesConnector | None = None
    unusable: ConfigInvalid | ReferenceNotFound | None = None
    readable: bool = True
    unsent: bool = False
    strange: bool = False
    perhaps_ours: bool = False
    not_shown: bool = False
    rests: bool = False
    deleting: Deleting | None = None
    now: float = 0.0
    applied: AppliedConfig | None = None
    last_written: Rendered | None = None
    refusal: Refusal | None = None
    validated: bool = False
    held: str | None = None
    was_held: bool = False
    absent_for: float = 0.0
    taken_down: bool = False
    restart_asked: bool = False
    restart_due: bool = False
    passwords: frozenset[str] | None = None

    @property
    def seen(self) -> Observed:
        """Only where Lenses was asked."""
        assert self.observed is not None
        return self.observed

    @property
    def ownership(self) -> OwnershipState:
        return self.resource.status.ownership.state

    @property
    def baseline(self) -> Baseline | None:
        if self.applied is None or not (self.applied.time or self.applied.added or self.applied.not_compared):
            return None
        return Baseline(frozenset(self.applied.not_compared), frozenset(self.applied.added))

    @property
    def refused(self) -> Refusal | None:
        """The refusal, if it is about the configuration that is wanted now."""
        refusal = self.refusal
        if refusal is None or refusal.generation != self.resource.metadata.generation:
            return None
        return refusal if refusal.fingerprint == self.wanted.fingerprint else None

    def difference(self) -> Difference:
        """Between what is wanted and what Lenses shows, including wanted changes that Lenses cannot show."""
        seen, hidden = self.seen.config, self._hidden
        written = self.last_written.config.keys() if self.last_written else frozenset()
        if seen is None:
            return self._unseen_change(frozenset(self.wanted.config.keys() | written))
        found = compare(self.wanted.config, seen, self.baseline, hidden)
        if found:
            return found
        return self._unseen_change(frozenset(self.unreadable()) | hidden)  # one that was removed may be hidden too

    def difference_at_adoption(self) -> Difference:
        """The class counts even where its key is hidden: details tell it beside the configuration. Of a connector that
        shows nothing, everything may differ."""
        if self.nothing_shown():
            return Difference(changed=tuple(sorted(self.wanted.config)))
        found = self.difference()
        if self._of_another_class() and "connector.class" not in found.changed:
            return replace(found, changed=tuple(sorted((*found.changed, "connector.class"))))
        return found

    def nothing_shown(self) -> bool:
        """Whether no wanted key but the class can be compared, and none is seen to be missing."""
        seen = self.seen.config
        if seen is None:
            return True
        others = self.wanted.config.keys() - {"connector.class"} - self._hidden
        return bool(self.wanted.config.keys() - {"connector.class"}) and all(
            hides(key, seen.get(key, "")) for key in others
        )

    def in_doubt(self) -> frozenset[str]:
        """Wanted keys for which Lenses shows what may be a mask in some notation, or a value: their type tells. Equal
        ones too, since a mask may have been exported as the value that is wanted now."""
        seen = self.seen.config or {}
        return frozenset(
            key
            for key in self.wanted.config.keys() - self._hidden
            if not hides(key, seen.get(key, "")) and may_be_masked(seen.get(key, ""))
        )

    def _of_another_class(self) -> bool:
        shown, wanted = self.seen.class_name, self.wanted.config.get("connector.class", "")
        return bool(shown) and wanted not in aliases(shown or "") and shown not in aliases(wanted)

    def written_as_wanted(self) -> bool:
        """Whether our last write was of this very configuration, by memory or by what status keeps of it."""
        if self.last_written is not None:
            return dict(self.last_written.config) == dict(self.wanted.config)
        return (
            self.applied is not None
            and self.applied.hash == self.wanted.hash
            and self.applied.secrets == self.wanted.secret_versions
        )

    def unreadable(self) -> list[str]:
        """Wanted keys that Lenses does not let us compare."""
        seen = self.seen.config
        if seen is None:
            return sorted(self.wanted.config)
        return unreadable_keys(self.wanted.config, seen, self.baseline, self._hidden)

    def unread(self) -> list[str]:
        """Also keys that are not wanted, and that Lenses hides: it has them, with values that were not given here."""
        details = self.seen.details
        beside = details.hidden_in_config - self.wanted.config.keys() if details else frozenset()
        seen = self.seen.config or {}
        masks = {
            key for key in self.wanted.config.keys() & seen.keys() if hides(key, seen[key])
        }  # wanted as a value, too
        return sorted({*self.unreadable(), *beside, *masks})

    @property
    def _hidden(self) -> frozenset[str]:
        """What Lenses says that it hides, and what can be nothing else."""
        told = self.seen.details.hidden_keys if self.seen.details else frozenset()
        if not self.passwords:
            return told
        seen = self.seen.config or {}
        return told | {key for key in self.passwords & self.wanted.config.keys() if may_be_masked(seen.get(key, ""))}

    def _shown_as_wanted(self) -> frozenset[str]:
        seen = self.seen.config or {}
        same = {key for key, value in self.wanted.config.items() if seen.get(key) == value and not hides(key, value)}
        return frozenset(same - self._hidden)

    def _unseen_change(self, unreadable: frozenset[str]) -> Difference:
        """Keys Lenses does not show change when the wanted value does: by memory, after a restart by what status keeps.

        A hash tells that something changed, not what: only keys that could hide the change count. Where the whole
        difference is visible and repaired already, an unreadable key of a changed spec may be written once in vain.
        But a key that could not be read once, and is shown as it is wanted now, hides nothing.
        """
        if self.last_written is not None:
            before, after = self.last_written.config, self.wanted.config
            return Difference(changed=tuple(sorted(key for key in unreadable if before.get(key) != after.get(key))))
        if self.applied is None:
            return Difference()
        unreadable -= self._shown_as_wanted()
        if self.applied.hash != self.wanted.hash:
            return Difference(changed=tuple(sorted(unreadable)))
        known = {(secret.name, secret.key): secret.resource_version for secret in self.applied.secrets}
        stale = {
            key
            for key, origin in self.wanted.secrets.items()
            if key in unreadable and known.get((origin.name, origin.key)) != origin.resource_version
        }
        return Difference(changed=tuple(sorted(stale)))
