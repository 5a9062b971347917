"""What a refused replacement goes back to, and what status keeps of the refused."""

from __future__ import annotations

from lenses_operator.controllers.connector.context import ReconcileContext
from lenses_operator.domain.drift import ALWAYS_ADDED, is_masked
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.render import Rendered
from lenses_operator.resources.connector import RefusedConfig


def previous_of(context: ReconcileContext, observed: Observed) -> Rendered | None:
    """Our own last write, else what Lenses shows, if none of it is hidden or masked."""
    if context.memory.last_written is not None:
        return context.memory.last_written
    config = observed.config
    hidden = observed.details is None or bool(observed.details.hidden_keys)
    shown_otherwise = set(context.applied.not_compared) if context.applied else set()
    if config is None or hidden or shown_otherwise & config.keys() or any(map(is_masked, config.values())):
        return None
    return Rendered({key: value for key, value in config.items() if key not in ALWAYS_ADDED}, shown=True)


def can_go_back(context: ReconcileContext) -> bool:
    """A Recreate was cut short by a refusal, and the configuration from before it is known."""
    replacement = context.memory.replacement
    return (
        replacement is not None
        and replacement.previous is not None
        and replacement.previous.fingerprint != context.wanted.fingerprint
        and context.memory.refusal is not None
    )


def refused_now(context: ReconcileContext) -> RefusedConfig:
    """What status keeps of a configuration that create has refused."""
    wanted = context.wanted
    return RefusedConfig(generation=context.generation, hash=wanted.hash_with_versions, digest=wanted.hash_with_digest)


def was_refused(context: ReconcileContext) -> bool:
    """Whether status says so of what is wanted now, whichever way its Secrets are known to be the same."""
    kept, now = context.marks.refused, refused_now(context)
    if kept is None or kept.generation != now.generation:
        return False
    return kept.hash == now.hash or (now.digest is not None and kept.digest == now.digest)
