"""What was said last against a configuration, and when it is tried again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from random import uniform

from lenses_operator.controllers.connector.context import ReconcileContext
from lenses_operator.controllers.pacing import WHILE_AWAY
from lenses_operator.domain.backoff import SLOW, TRANSIENT
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.situation import Refusal
from lenses_operator.domain.status import Marks
from lenses_operator.resources.connector import RefusedConfig

AS_STATUS_SAYS = RefusedConfig(generation=-1, hash="")
"""This process knows no better than status."""
ROLLED_BACK = (
    "Connect refused this configuration at create, and the previous one runs. "
    "Correct spec.config or what spec.configFrom refers to."
)


@dataclass(frozen=True, slots=True)
class Refusals:
    """`until`: the loop's time when it is tried again. `times`: how often in a row for the same configuration.
    `rolled_back`: what status keeps of one that create has refused."""

    last: Refusal | None = None
    until: float = -inf
    times: int = 0
    rolled_back: RefusedConfig | None = AS_STATUS_SAYS

    def marked(self, marks: Marks) -> Marks:
        return marks if self.rolled_back is AS_STATUS_SAYS else replace(marks, refused=self.rolled_back)


def refuse(
    context: ReconcileContext,
    reason: Reason,
    message: str,
    now: float,
    *,
    at_create: bool = False,
    passing: bool = False,
) -> None:
    """The configuration that is wanted now; a changed one is tried at once. `at_create`, `passing`: see `Refusal`."""
    before, generation = context.refusal, context.resource.metadata.generation
    times = context.memory.refusals.times + 1 if before and before.passing == passing else 1
    refusal = Refusal(context.wanted.fingerprint, reason, message, generation, at_create, passing)
    delay = (TRANSIENT if passing else SLOW).delay(times, uniform)
    until = now + (min(delay, WHILE_AWAY) if context.memory.replacement is not None else delay)
    context.memory.refusals = replace(context.memory.refusals, last=refusal, until=until, times=times)


def refuse_for_good(context: ReconcileContext) -> None:
    """Trying again would take the running connector down again for what Connect has refused: a changed spec may."""
    context.memory.refusals = replace(context.memory.refusals, until=inf, rolled_back=_refused_now(context))


def recall(context: ReconcileContext, observed: Observed) -> None:
    """After a restart: what create refused and was rolled back must not take the connector down once more."""
    refusals, ready = context.memory.refusals, context.resource.status.ready
    if refusals.last is None and _was_refused(context) and observed.present:
        known = ready.message if ready and ready.reason == Reason.CONFIG_INVALID else ROLLED_BACK
        refusal = Refusal(context.wanted.fingerprint, Reason.CONFIG_INVALID, known, context.generation)
        context.memory.refusals = replace(refusals, last=refusal, until=inf)


def created(context: ReconcileContext) -> None:
    """The configuration was taken."""
    context.memory.refusals = replace(context.memory.refusals, last=None, rolled_back=None)


def put_accepted(context: ReconcileContext) -> None:
    """The write in place was accepted; whether it is applied has to be seen."""
    refusals = context.memory.refusals
    last = refusals.last if _not_applied(refusals) else None
    context.memory.refusals = replace(refusals, last=last, rolled_back=None)


def shown(context: ReconcileContext) -> None:
    """Lenses shows what was written last."""
    if _not_applied(context.memory.refusals):
        context.memory.refusals = replace(context.memory.refusals, last=None)


def _not_applied(refusals: Refusals) -> bool:
    return refusals.last is not None and refusals.last.reason == Reason.UPDATE_NOT_APPLIED


def _refused_now(context: ReconcileContext) -> RefusedConfig:
    """What status keeps of a configuration that create has refused."""
    wanted = context.wanted
    return RefusedConfig(generation=context.generation, hash=wanted.hash_with_versions, digest=wanted.hash_with_digest)


def _was_refused(context: ReconcileContext) -> bool:
    """Whether status says so of what is wanted now, whichever way its Secrets are known to be the same."""
    kept = context.marks.refused
    if kept is None or kept.generation != context.generation:
        return False
    now = _refused_now(context)
    return kept.hash == now.hash or (now.digest is not None and kept.digest == now.digest)
