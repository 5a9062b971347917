"""What must not be shown of a connector: each secret that was ever given to it."""

from __future__ import annotations

from lenses_operator.controllers.session import Session
from lenses_operator.domain.redaction import Redactor
from lenses_operator.domain.references import References


class Confidential:
    """Every secret that one connector was given while this process lives, by whichever resource.

    A trace may still quote a value that was rotated since, or that is of the resource which had the connector before.
    """

    def __init__(self) -> None:
        self._values: frozenset[str] = frozenset()
        self._redactor = Redactor()

    def redactor(self, secrets: frozenset[str]) -> Redactor:
        """For these, from now on, and all earlier ones."""
        if not self._redactor.overfull and not secrets <= self._values:
            self._redactor = Redactor(self._values | secrets)
            self._values = frozenset() if self._redactor.overfull else self._values | secrets
        return self._redactor

    def beside(self, references: References, session: Session) -> Redactor:
        """Also for every value of every Secret that was read for the connector, for a pass that does not render."""
        values = set(session.secrets)
        for ref, found in references.items():
            if ref.kind == "Secret" and found is not None:
                values.update(raw.decode(errors="ignore") for raw in found.data.values())
        if self._redactor.overfull or values <= self._values:
            return self._redactor
        return Redactor(self._values | values)
