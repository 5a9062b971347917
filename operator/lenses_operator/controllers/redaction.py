"""The redactor for a connector whose configuration a pass does not render."""

from __future__ import annotations

from lenses_operator.controllers.session import Session
from lenses_operator.domain.redaction import Redactor
from lenses_operator.domain.references import References


def redactor_for(references: References, session: Session) -> Redactor:
    """For every value of every Secret that was read for the connector."""
    values = set(session.secrets)
    for ref, found in references.items():
        if ref.kind == "Secret" and found is not None:
            values.update(raw.decode(errors="ignore") for raw in found.data.values())
    return Redactor(values)
