"""What an answer that is no success says of an operation: that it may pass, that it cannot be, and what leads on."""

from __future__ import annotations

from lenses_operator.controllers.offsets.run import Run
from lenses_operator.domain import offsets_status as say
from lenses_operator.lenses import errors
from lenses_operator.lenses.wording import names_consumer_group

SUPPORTED_NOT = (405, 415, 501)
DOUBTFUL = (errors.BadRequest, errors.ServerError, errors.AgentCallFailed)
"""Also answers during a rebalance: a single one proves nothing."""
REFUSED = (errors.Forbidden, errors.LicenceRequired)


def remedy_of(run: Run, error: errors.LensesError, *, waiting: bool) -> str | None:
    """What leads on where it is not about what was asked for. `waiting`: it was waited for, as what passes."""
    if isinstance(error, errors.Forbidden):
        return say.no_right(run.session.token_name)
    if isinstance(error, errors.LicenceRequired):
        return say.NO_LICENCE
    if waiting:
        return say.SHARED_GROUP if names_consumer_group(error.words) else say.BUSY
    return None


def unknown_operation(error: errors.LensesError) -> bool:
    """Connect, Lenses or its agent is too old for it."""
    return isinstance(error, errors.MissingAgentCapability) or getattr(error, "status", 0) in SUPPORTED_NOT
