"""What one pass carries along, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from lenses_operator.aside import aside
from lenses_operator.controllers.redaction import WITHHELD, allowance, effort, prepare
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.redaction import TOO_MUCH, Budget
from lenses_operator.domain.references import ReferenceNotFound
from lenses_operator.domain.render import ConfigInvalid, Rendered
from lenses_operator.domain.situation import Refusal
from lenses_operator.domain.status import Marks
from lenses_operator.domain.validation import resolves, validation_message, withhold
from lenses_operator.lenses_state.poller import View
from lenses_operator.lenses_state.sessions import Session
from lenses_operator.resources.connector import (
    AppliedConfig,
    ConnectorKey,
    LensesConnector,
    OwnershipState,
    SecretVersion,
    WantedState,
)
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets

if TYPE_CHECKING:  # the modules whose values it holds know this one
    from lenses_operator.controllers.connector.memory import Memory


@dataclass
class ReconcileContext:
    """One resource under one pass. `resource` is replaced as our own writes go through."""

    resource: LensesConnector
    wanted: Rendered
    memory: Memory
    session: Session
    held: str | None = None
    """The LensesConnectorOffsets that keeps the connector stopped."""
    first_operation: LensesConnectorOffsets | None = None
    """The next in line when the pass began."""
    unusable: ConfigInvalid | ReferenceNotFound | None = None
    """Why `wanted` is empty where it is: then nothing may be written."""
    readable: bool = True
    """There is a token."""
    allowed: bool = True
    """By policy."""
    rival: LensesConnector | None = None
    """The resource that owns the connector's name instead."""
    view: View | None = None
    """The list that the pass goes by."""
    marks: Marks = field(init=False)
    observed: Observed | None = None
    """What the look has shown."""
    looked_at: float = -inf
    """When the look that the pass decides by was begun: without one nothing is proven."""
    foreign: bool = False
    """A connector is there, or may be, that the resource does not own: the secrets it was given are unknown here."""
    strange: bool = False
    """What the details have shown is no work of ours: the claim does not cover it, the adoption rules do."""
    rests: bool = False
    """The look has shown what the last pass left as it was: see `observe.UnchangedToken`."""
    generation: int = field(init=False)
    """Of the spec that `wanted` comes from; `resource` may be ahead of it."""

    def __post_init__(self) -> None:
        self.generation = self.resource.metadata.generation
        self.marks = self.memory.refusals.marked(Marks.of(self.resource.status))
        self.refers(self.session, self.wanted)
        ours, memory, applied = self.resource.status.ownership.state.ours, self.memory, self.applied
        untold = ours and applied is None and not memory.authorship.claimed and not memory.authorship.attempted
        former = applied is not None and memory.written.applied is None and bool(applied.former_traces)
        memory.confidential.had(applied, untold=untold or former)

    def refers(self, session: Session, wanted: Rendered) -> None:
        """To this token and these values."""
        self.session, self.wanted = session, wanted
        self._redactor = self.memory.confidential.redactor(wanted, session)

    @property
    def state(self) -> WantedState:
        """The effective one."""
        return WantedState.STOPPED if self.held else self.resource.spec.state

    @property
    def ours(self) -> bool:
        return self.resource.status.ownership.state.ours

    @property
    def unsent(self) -> bool:
        """Claimed, and no create was sent that may have worked: what is there is not ours."""
        return self.resource.status.ownership.state is OwnershipState.CLAIMING and self.memory.authorship.unsent

    @property
    def ownership(self) -> OwnershipState:
        """Whose it is where nothing new is known of that. A claim on which nothing is under way is given back: another
        process could not tell it from one that may have worked."""
        return OwnershipState.NONE if self.unsent else self.resource.status.ownership.state

    def may_be_foreign(self) -> None:
        """Until it is seen that there is none, what was not there a moment ago may be somebody else's."""
        self.foreign = self.resource.status.ownership.state is not OwnershipState.OWNED

    def seen_since(self, at: float) -> bool:
        """Whether some look has shown it, though this one does not: an operation on its offsets looks, too."""
        return self.session.reader.sightings.seen_at(self.connector) > at

    def mark(self, **changes: Any) -> None:
        """Goes into the next status that is written."""
        self.marks = replace(self.marks, **changes)

    def quotable(self, words: str) -> str:
        """A server's words about the whole configuration, fit to be shown."""
        return self.redact(withhold(words, {key: str(value) for key, value in self._config.items()}))

    async def prepare(self) -> None:
        """Before `redact` and `quotable`: see `redaction.prepare`."""
        await prepare(self._redactor)

    async def cleaned(self, seen: Observed) -> Observed:
        """What the details show, without secrets."""
        length = sum(len(task.trace) for task in seen.tasks if task.trace)
        return await aside(effort(self._redactor, length), seen.redacted, allowance(self.redact))

    async def refused(self, errors: Mapping[str, Sequence[str]], *, passing: bool = False) -> str:
        """What validate says against the configuration, without secrets. `passing`: see `may_pass`."""
        length = sum(len(key) + sum(map(len, words)) for key, words in errors.items())
        say = partial(
            validation_message,
            errors,
            self.wanted.private,
            allowance(self.redact),
            away=self.memory.replacement is not None,
            passing=passing,
            resolved=resolves(self.wanted.config),
        )
        return await aside(effort(self._redactor, length), say)

    async def names(self, topics: Sequence[str]) -> tuple[str, ...]:
        """Topics, whose names a template in a Secret may have made. Where they are withheld what is shown stays."""
        clean = await aside(effort(self._redactor, sum(map(len, topics))), _all, topics, allowance(self.redact))
        if any(name in (WITHHELD, TOO_MUCH) for name in clean):
            return self.resource.status.topics or ()
        return tuple(clean)

    def redact(self, words: str, budget: Budget | None = None) -> str:
        """A server's words without any secret that this connector has used while this process lives.

        What is not rendered, because it is being deleted or cannot be, may have used some that are not known.
        """
        unread = self.foreign or (self._unrendered and self.resource.spec.config_from)
        if words and (unread or not self.memory.confidential.knows(self.applied)):
            return WITHHELD
        return self._redactor(words, budget)

    @property
    def _unrendered(self) -> bool:
        return self.resource.metadata.deleting or self.unusable is not None

    @property
    def _config(self) -> Mapping[str, Any]:
        return self.resource.spec.config if self._unrendered else self.wanted.config

    @property
    def connector(self) -> ConnectorKey:
        return self.resource.connector

    def applying(self, written: Rendered, at: datetime) -> AppliedConfig:
        """What status keeps of a configuration that has just been written.

        Of one that only Lenses has shown no hash: it would be over the values of Secrets, too.
        """
        if written.shown:
            before = self.applied or AppliedConfig(hash="", former_traces=True)
            return before.model_copy(update={"hash": "", "time": at})
        secrets = written.secret_versions
        return AppliedConfig(
            hash=written.hash,
            time=at,
            secrets=secrets,
            secrets_digest=written.digest or None,
            former_traces=self.leaves_traces(secrets),
        )

    def leaves_traces(self, secrets: tuple[SecretVersion, ...]) -> bool | None:
        """Whether a trace may quote what another process than this one cannot know from these Secrets."""
        before = self.applied
        had = frozenset() if before is None else frozenset(before.secrets)
        if not self.memory.confidential.knows(before) or not had <= set(secrets):
            return True
        return before.former_traces if before is not None else None

    @property
    def refusal(self) -> Refusal | None:
        """What was said against this very configuration, unless it has been taken since."""
        refusal = self.memory.refusals.last
        return refusal if refusal and refusal.fingerprint == self.wanted.fingerprint else None

    @property
    def wish(self) -> tuple[int, str]:
        """Another one where the spec, or what it refers to, has changed."""
        return self.generation, self.wanted.fingerprint

    @property
    def applied(self) -> AppliedConfig | None:
        return self.memory.written.applied or self.resource.status.applied_config


@dataclass(frozen=True)
class Outcome:
    """`again`: look again in the same pass, after `pause` seconds. Else in `delay` seconds; None: something else will
    wake the key.

    `paced`: nothing was done, since a request may not be repeated yet.
    """

    delay: float | None = None
    again: bool = False
    pause: float = 0.0
    paced: bool = False

    def no_later_than(self, other: Outcome) -> Outcome:
        """What `other` waits for is done in time, and is paced if `other` is."""
        delays = [delay for delay in (self.delay, other.delay) if delay is not None]
        return replace(self, delay=min(delays, default=None), paced=other.paced)


def _all(words: Sequence[str], redact: Callable[[str], str]) -> list[str]:
    return [redact(word) for word in words]


AGAIN = Outcome(again=True)
GONE = Outcome()
"""The object is no more; its watch event does the rest."""
