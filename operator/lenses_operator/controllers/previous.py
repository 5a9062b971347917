"""What a refused replacement goes back to, and what status keeps of the refused."""

from __future__ import annotations

from lenses_operator.controllers.work import Work
from lenses_operator.domain.drift import ALWAYS_ADDED, is_masked
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.render import Rendered
from lenses_operator.resources.connector import RefusedConfig


def previous_of(work: Work, observed: Observed) -> Rendered | None:
    """Our own last write, else what Lenses shows, if none of it is hidden or masked."""
    if work.memory.last_written is not None:
        return work.memory.last_written
    config = observed.config
    hidden = observed.details is None or bool(observed.details.hidden_keys)
    shown_otherwise = set(work.applied.not_compared) if work.applied else set()
    if config is None or hidden or shown_otherwise & config.keys() or any(map(is_masked, config.values())):
        return None
    return Rendered({key: value for key, value in config.items() if key not in ALWAYS_ADDED}, shown=True)


def can_go_back(work: Work) -> bool:
    """A Recreate was cut short by a refusal, and the configuration from before it is known."""
    replacement = work.memory.replacement
    return (
        replacement is not None
        and replacement.previous is not None
        and replacement.previous.fingerprint != work.wanted.fingerprint
        and work.memory.refusal is not None
    )


def refused_now(work: Work) -> RefusedConfig:
    """What status keeps of a configuration that create has refused."""
    return RefusedConfig(generation=work.generation, hash=work.wanted.hash_with_versions)
