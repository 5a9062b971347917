"""What Lenses was sent last, and the baseline: what it shows right after our own write is notation, not drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf

from lenses_operator.controllers.connector import absence, authorship, refusal, topics, validate
from lenses_operator.controllers.connector.authorship import (
    UNCERTAIN,
    Author,
    author_of,
    is_all_of,
    is_uncertain,
    may_have_left,
)
from lenses_operator.controllers.connector.context import ReconcileContext
from lenses_operator.controllers.connector.settling import STALE_FOR
from lenses_operator.domain.drift import Baseline, baseline_of, is_masked, may_have_become
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.render import Rendered
from lenses_operator.lenses.errors import LensesError, LensesUnreachable
from lenses_operator.resources.connector import AppliedConfig, OwnershipState

SHOWN_BY = ("create", "put", "roll back")
"""The requests that have worked once Lenses shows what was written."""


@dataclass(frozen=True, slots=True)
class Written:
    """Times are the event loop's. `applied`: what status is to keep of `last`; None: what it keeps already."""

    applied: AppliedConfig | None = None
    last: Rendered | None = None
    at: float = -inf
    awaiting_baseline: bool = False
    baseline_owed: bool = False
    """Lenses showed the connector, but nothing of its configuration: the baseline is taken once it does."""
    put_at: float | None = None
    """When a write in place was accepted that has not been seen since."""
    before: Mapping[str, str] | None = None
    """What Lenses showed before our last write: as long as it shows the same, it may be a cache that does."""
    notation: Baseline | None = None
    """How that was shown otherwise than it had been written, of what our last write has left as it was."""
    keys: frozenset[str] = frozenset()
    """All that this process has ever written: a server did not add them."""
    unanswered_at: float = -inf
    """When a create or a write in place was given up that had no answer."""
    waiting: bool = False
    """A configuration waits until the connector is next to run: the list alone cannot tell what it differs in."""


def wrote(context: ReconcileContext, rendered: Rendered, now: float, at: datetime) -> None:
    """A configuration of ours is in Lenses now; what Lenses shows next is the baseline."""
    written = context.memory.written
    context.memory.written = replace(
        written,
        applied=context.applying(rendered, at),
        last=rendered,
        at=now,
        awaiting_baseline=True,
        put_at=None,
        keys=written.keys | rendered.config.keys(),
    )
    authorship.settled(context)
    validate.written(context)
    absence.written(context)
    topics.set_due(context)


def put_accepted(context: ReconcileContext, now: float) -> None:
    """The write in place was accepted."""
    context.memory.written = replace(context.memory.written, put_at=now)


def maybe_wrote(context: ReconcileContext) -> None:
    """Nobody can tell what Lenses has now."""
    context.memory.written = replace(context.memory.written, last=None)


def unanswered(context: ReconcileContext, error: LensesError, now: float) -> None:
    """A request that was given up may be carried out yet."""
    if isinstance(error, LensesUnreachable) and error.maybe_done:
        context.memory.written = replace(context.memory.written, unanswered_at=now)


def will_write(context: ReconcileContext, observed: Observed) -> None:
    """Right before a configuration is replaced."""
    written = context.memory.written
    notation = written.notation if written.awaiting_baseline else _notation(context)
    context.memory.written = replace(written, before=observed.config, notation=notation, put_at=None)


def blank_hash(context: ReconcileContext, observed: Observed) -> None:
    """Before a write that may be cut off: where nobody could tell afterwards what the connector has, status must not
    say so. Of a claim it is not what our create sent: whoever wrote it gave it values that another process could not
    cut out of a trace."""
    applied = context.applied
    if applied is None:
        return
    if context.resource.status.ownership.state is OwnershipState.CLAIMING:
        keep_applied(context, applied.model_copy(update={"hash": "", "former_traces": True}))
    elif _hides(observed, applied):
        keep_applied(context, applied.model_copy(update={"hash": ""}))


def restore_hash(context: ReconcileContext, before: AppliedConfig | None) -> None:
    """After a write that has done nothing: it still has what it had."""
    if before is not None and context.applied is not before:
        keep_applied(context, before)


def keep_applied(context: ReconcileContext, applied: AppliedConfig) -> None:
    """Status keeps this from now on."""
    context.memory.written = replace(context.memory.written, applied=applied)


def wait_until_run(context: ReconcileContext, *, waiting: bool) -> None:
    if context.memory.written.waiting is not waiting:
        context.memory.written = replace(context.memory.written, waiting=waiting)


def settle(context: ReconcileContext, observed: Observed, at: datetime) -> AppliedConfig:
    """As wanted already, by a write of ours that was cut off, by adoption, or by somebody else's hand."""
    applied, wanted = context.applied, context.wanted
    same = applied is not None and applied.hash == wanted.hash and applied.secrets == wanted.secret_versions
    if same and wanted.digest and applied is not None:
        same = applied.secrets_digest == wanted.digest  # it may be of an older operator, or under another key
    if applied is None or applied.time is None or not same:
        kept = applied or AppliedConfig(hash="")
        changes = {
            "hash": wanted.hash,
            "secrets": wanted.secret_versions,
            "secrets_digest": wanted.digest or None,
            "time": (kept.time if kept.hash == wanted.hash else None) or at,
            "former_traces": context.leaves_traces(wanted.secret_versions),
        }
        uncertain = UNCERTAIN if is_uncertain(context, observed) else {}
        applied = kept.model_copy(update={**changes, **uncertain})
        keep_applied(context, applied)
    # Whoever wrote it: an older write of ours says nothing of it any more, where Lenses hides it later.
    context.memory.written = replace(context.memory.written, last=wanted)
    return applied


def saw_no_trace(context: ReconcileContext) -> None:
    """In a look at the details."""
    applied = context.applied
    if applied is not None and applied.time is None:
        return  # never seen to be what we wrote
    if applied is not None and not set(applied.not_compared) <= context.wanted.config.keys():
        return  # adopted with keys that Lenses hides and nobody here wants: their values are in no Secret of ours
    if context.memory.confidential.saw_no_trace(applied) and applied is not None and applied.former_traces:
        keep_applied(context, applied.model_copy(update={"former_traces": None}))


def take_baseline(context: ReconcileContext, observed: Observed, now: float) -> None:
    """Of a connector that is there."""
    memory = context.memory
    if context.strange:
        return
    written = memory.written
    if written.baseline_owed and not written.awaiting_baseline:
        _take_owed(context, observed)
    if not written.awaiting_baseline or written.last is None or written.applied is None:
        return
    if is_stale(context, observed, now):
        return
    applied = _with_baseline(written.applied, written.last, observed)
    owed = observed.config is None
    memory.written = replace(
        written, applied=applied, awaiting_baseline=False, baseline_owed=owed, before=None, put_at=None
    )
    for request in SHOWN_BY:
        memory.pacing.worked(request)
    refusal.shown(context)


def _take_owed(context: ReconcileContext, observed: Observed) -> None:
    """What can be no notation of what was written is somebody else's change, which is put back."""
    written = context.memory.written
    if observed.config is None or observed.details is None or written.last is None or written.applied is None:
        return
    applied = written.applied
    if may_have_become(written.last.config, observed.config, None, observed.details.hidden_keys, written.keys):
        applied = _with_baseline(applied, written.last, observed)
    context.memory.written = replace(written, applied=applied, baseline_owed=False)


def _with_baseline(applied: AppliedConfig, last: Rendered, observed: Observed) -> AppliedConfig:
    if observed.config is None or observed.details is None:
        return applied
    baseline = baseline_of(last.config, observed.config, observed.details.hidden_keys)
    changes = {"not_compared": tuple(sorted(baseline.not_compared)), "added": tuple(sorted(baseline.added))}
    return applied.model_copy(update=changes)


def is_stale(context: ReconcileContext, observed: Observed, now: float) -> bool:
    """Whether Lenses shows what it showed before our last write: a cache does for a while, and after a write in place
    it may be that nothing was written."""
    memory, written, sent = context.memory, context.memory.written, newest(context)
    pending = written.awaiting_baseline or memory.authorship.attempted
    if not pending or sent is None or written.before is None or observed.config != written.before:
        return False
    assert observed.details is not None
    if may_have_become(sent.config, written.before, written.notation, observed.details.hidden_keys, written.keys):
        return False  # it has always been shown so
    since = written.at if written.awaiting_baseline else memory.settling.acted_at
    return written.put_at is not None or now < since + STALE_FOR


def newest(context: ReconcileContext) -> Rendered | None:
    """The last configuration that Lenses was sent and may have taken."""
    attempted = context.memory.authorship.attempted
    return attempted[-1] if attempted else context.memory.written.last


def settle_authorship(context: ReconcileContext, observed: Observed, now: float, at: datetime) -> None:
    """Whether what is found is what a create without a clear answer has left; before a word of it is shown."""
    attempted, author = context.memory.authorship.attempted, author_of(context, observed)
    context.strange = author is Author.STRANGER
    if context.resource.metadata.deleting:
        return  # what it has does not matter any more
    match author:
        case Author.US:
            sent = _sent(context, attempted, observed)
            absence.left_by_create(context)
            wrote(context, sent, now, at)
            if context.applied is not None and not is_all_of(sent, observed):
                keep_applied(context, context.applied.model_copy(update=UNCERTAIN))
        case Author.BEFORE:
            authorship.nothing_sent(context)
    if is_uncertain(context, observed):
        context.memory.confidential.had(None, untold=True)
        if context.applied is not None and not context.strange:  # whatever is reported next calls it ours
            keep_applied(context, context.applied.model_copy(update=UNCERTAIN))


def _sent(context: ReconcileContext, attempted: Sequence[Rendered], observed: Observed) -> Rendered:
    """What a create without a clear answer has left. Where several may have, which differ in what Lenses hides, one
    that is not wanted: only another write makes sure."""
    left = may_have_left(attempted, observed) or list(reversed(attempted)) or [context.wanted]
    return min(left, key=lambda one: one.config == context.wanted.config)


def _notation(context: ReconcileContext) -> Baseline | None:
    """Of keys whose wanted value is the one that was written before."""
    applied, last, wanted = context.applied, context.memory.written.last, context.wanted.config
    if applied is None:
        return None
    before = wanted if last is None else last.config
    same = {key for key in applied.not_compared if before.get(key) == wanted.get(key)}
    return Baseline(frozenset(same), frozenset(applied.added))


def _hides(observed: Observed, applied: AppliedConfig) -> bool:
    """Whether Lenses keeps some of the configuration from being compared."""
    config, details = observed.config, observed.details
    if config is None or details is None or details.hidden_keys or applied.not_compared:
        return True
    return any(map(is_masked, config.values()))
