"""What must not be shown of a connector: each secret that was ever given to it."""

from __future__ import annotations

from collections.abc import Callable

from lenses_operator.aside import AT_ONCE, aside
from lenses_operator.domain.redaction import WORK_ASIDE, Budget, Redactor
from lenses_operator.domain.references import References
from lenses_operator.domain.render import Rendered
from lenses_operator.lenses_state.sessions import Session
from lenses_operator.resources.connector import AppliedConfig, SecretVersion

WITHHELD = "the error text is withheld because it may quote values that could not be read"


NOTHING = Redactor()
SCALE = 200
"""Characters compared in the time in which one of an answer is read."""


async def prepare(redact: Callable[[str], str]) -> None:
    """Before words are shown that were not expected: works out beside the event loop what is looked for in them."""
    if isinstance(redact, Redactor) and redact.heavy:
        await aside(AT_ONCE + 1, redact.prepare)


def effort(redactor: Redactor, length: int) -> int:
    """What the time to look through a text of this length depends on, as `aside` weighs it."""
    if redactor.heavy:
        return AT_ONCE + length
    return max(redactor.work(length), length) // SCALE


def allowance(redact: Callable[[str, Budget], str]) -> Callable[[str], str]:
    """For the texts of one answer, which together may take so much and no more: the rest is withheld."""
    budget = Budget(WORK_ASIDE)
    return lambda text: redact(text, budget)


class Confidential:
    """Every secret that one connector was given while this process lives, by whichever resource.

    A trace may still quote a value that was rotated since, or that is of the resource which had the connector before.
    """

    __slots__ = ("_redactor", "_unread", "_untold", "_values", "_versions")

    def __init__(self) -> None:
        self._values: frozenset[str] = frozenset()
        self._redactor = NOTHING
        self._versions: frozenset[SecretVersion] = frozenset()
        self._unread: frozenset[SecretVersion] = frozenset()
        self._untold = False

    def redactor(self, rendered: Rendered, session: Session) -> Redactor:
        """For what is given to it now, and for all that was before."""
        secrets = rendered.secret_values | session.secrets
        self._versions |= rendered.given_versions
        if not self._redactor.overfull and not secrets <= self._values:
            self._redactor = Redactor(self._values | secrets)
            self._values = frozenset() if self._redactor.overfull else self._values | secrets
        return self._redactor

    def beside(self, references: References, session: Session, applied: AppliedConfig | None) -> Callable[[str], str]:
        """Also for every value of every Secret that was read for the connector, for a pass that does not render."""
        values, versions = set(session.secrets), set()
        for ref, found in references.items():
            if ref.kind == "Secret" and found is not None:
                values.update(raw.decode(errors="ignore") for raw in found.data.values())
                version = found.resource_version
                versions |= {SecretVersion(name=ref.name, key=key, resource_version=version) for key in found.data}
        if not self.knows(applied, frozenset(versions)):
            return lambda words: WITHHELD if words else words
        if self._redactor.overfull or values <= self._values:
            return self._redactor
        return Redactor(self._values | values)

    def knows(self, applied: AppliedConfig | None, besides: frozenset[SecretVersion] = frozenset()) -> bool:
        """Whether this process has read every value that the connector has: one that was rotated before it began, or
        whose Secret the spec names no more, could not be cut out of what a server quotes."""
        had = self._unread if applied is None else self._unread | set(applied.secrets)
        return not self._untold and had <= self._versions | besides

    def had(self, applied: AppliedConfig | None, *, untold: bool) -> None:
        """What it has now, before anything is done to it: what quotes that may be shown for a while after a write.

        `untold`: a former process claimed it and may have created it, and could not say any more with which secrets; or
        it was adopted with other values, or with such as Lenses does not show.
        """
        self._untold |= untold
        if applied is not None:
            self._unread |= set(applied.secrets) - self._versions

    def saw_no_trace(self, applied: AppliedConfig | None) -> bool:
        """In a look at it: with a configuration that is known, nothing quotes the one before any more.

        One without a hash is not: what was there at the adoption is to be put right still. False: it is not known.
        """
        known = applied is None or (applied.hash != "" and set(applied.secrets) <= self._versions)
        if known:
            self._unread, self._untold = frozenset(), False
        return known
