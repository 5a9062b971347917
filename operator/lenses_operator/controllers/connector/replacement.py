"""A write under way, and what it goes back to where Connect refuses it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lenses_operator.controllers.connector.context import ReconcileContext
from lenses_operator.domain.conditions import away_since
from lenses_operator.domain.drift import ALWAYS_ADDED, changed_keys
from lenses_operator.domain.masks import may_be_masked
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.render import Rendered
from lenses_operator.resources.conditions import Verdict


@dataclass(frozen=True, slots=True)
class Replacement:
    """A Recreate is deleted and not yet created again. `previous`: what to go back to, if known."""

    why: str
    repair: bool
    previous: Rendered | None
    begun: datetime

    @property
    def news(self) -> tuple[str, str]:
        """Reason and message of the Event once it is written."""
        if self.repair:
            return "DriftRepaired", f"The configuration was put back: {self.why}."
        return "ConfigUpdated", f"The configuration was updated: {self.why}."


def begin(context: ReconcileContext, why: str, observed: Observed, now: datetime, *, repair: bool) -> None:
    """`why`: the difference, for the Event where the keys that the spec changed are not known."""
    written = context.memory.written.last
    changed = changed_keys(written.config, context.wanted.config) if written else ""
    context.memory.replacement = Replacement(changed or why, repair, _previous(context, observed), now)


def end(context: ReconcileContext) -> None:
    context.memory.replacement = None


def can_go_back(context: ReconcileContext) -> bool:
    """A Recreate was cut short by create itself, and the configuration from before it is known."""
    replacement, refusal = context.memory.replacement, context.memory.refusals.last
    return (
        replacement is not None
        and replacement.previous is not None
        and replacement.previous.fingerprint != context.wanted.fingerprint
        and refusal is not None
        and refusal.at_create
    )


def away(context: ReconcileContext, verdict: Verdict) -> Verdict:
    """With a word on it where the connector was deleted and is known not to have been created again."""
    replacement, observed = context.memory.replacement, context.observed
    if replacement is None or observed is None or observed.present:
        return verdict
    return away_since(verdict, replacement.begun)


def _previous(context: ReconcileContext, observed: Observed) -> Rendered | None:
    """Our own last write, else what Lenses shows, if none of it is hidden, or may be a mask in whatever notation."""
    if context.memory.written.last is not None:
        return context.memory.written.last
    config = observed.config
    hidden = observed.details is None or bool(observed.details.hidden_keys)
    shown_otherwise = set(context.applied.not_compared) if context.applied else set()
    if config is None or hidden or shown_otherwise & config.keys() or any(map(may_be_masked, config.values())):
        return None
    return Rendered({key: value for key, value in config.items() if key not in ALWAYS_ADDED}, shown=True)
