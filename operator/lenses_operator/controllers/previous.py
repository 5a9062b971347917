"""What a refused replacement goes back to, and what status keeps of that."""

from __future__ import annotations

from datetime import datetime

from lenses_operator.controllers.memory import Previous
from lenses_operator.controllers.work import Work
from lenses_operator.domain.drift import ALWAYS_ADDED, is_masked
from lenses_operator.domain.render import Rendered
from lenses_operator.domain.situation import Observed
from lenses_operator.resources.connector import AppliedConfig, RefusedConfig


def applying_again(work: Work, previous: Previous, at: datetime) -> AppliedConfig:
    """What status keeps of it. Of what only Lenses has shown no hash: it would be over a Secret's value, too."""
    if previous.written:
        return work.applying(previous.rendered, at)
    before = work.applied or AppliedConfig(hash="", time=at, former_traces=True)
    return before.model_copy(update={"hash": "", "time": at})


def previous_of(work: Work, observed: Observed) -> Previous | None:
    """Our own last write, else what Lenses shows, if none of it is hidden or masked."""
    if work.memory.last_written is not None:
        return Previous(work.memory.last_written, written=True)
    config = observed.config
    hidden = observed.details is None or bool(observed.details.hidden_keys)
    shown_otherwise = set(work.applied.not_compared) if work.applied else set()
    if config is None or hidden or shown_otherwise & config.keys() or any(map(is_masked, config.values())):
        return None
    shown = Rendered({key: value for key, value in config.items() if key not in ALWAYS_ADDED})
    return Previous(shown, written=False)


def can_go_back(work: Work) -> bool:
    """A Recreate was cut short by a refusal, and the configuration from before it is known."""
    replacement = work.memory.replacement
    return (
        replacement is not None
        and replacement.previous is not None
        and replacement.previous.rendered.fingerprint != work.wanted.fingerprint
        and work.memory.refusal is not None
    )


def refused_now(work: Work) -> RefusedConfig:
    """What status keeps of a configuration that create has refused."""
    return RefusedConfig(generation=work.generation, hash=work.wanted.hash_with_versions)
