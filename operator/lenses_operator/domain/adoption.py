"""What status keeps of a connector that was taken over."""

from __future__ import annotations

from datetime import datetime

from lenses_operator.domain.decide import Adopt
from lenses_operator.domain.render import Rendered
from lenses_operator.resources.connector import AppliedConfig


def applied_by(adopt: Adopt, wanted: Rendered, at: datetime | None) -> AppliedConfig:
    """Of one that differs no hash: nobody has written what is wanted. What differs, or is taken as equal unseen, may be
    a secret that nobody here knows, and a trace may quote it."""
    return AppliedConfig(
        hash="" if adopt.difference else wanted.hash,
        time=at,
        secrets=wanted.secret_versions,
        secrets_digest=wanted.digest or None,
        not_compared=adopt.unreadable,
        former_traces=bool(adopt.difference or adopt.unreadable) or None,
    )
