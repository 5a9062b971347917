"""A connector's offsets as they are now, ready to be set again, there or at another connector."""

from __future__ import annotations

from lenses_operator.conversion.scalars import quoted
from lenses_operator.domain.offsets_text import entry_texts
from lenses_operator.offsets_files.writer import Head, alters
from lenses_operator.resources.connector import LensesConnector


class NothingToExportError(LookupError):
    """The connector has no offsets."""


def exporting(connector: LensesConnector, text: str, to: str) -> str:
    """YAML for `kubectl create` that sets the offsets `text`, a JSON array, at `to`. Raises NothingToExportError."""
    metadata = connector.metadata
    if not entry_texts(text):
        raise NothingToExportError(f"{connector.connector} has no offsets")
    head = Head(
        comment=f"Sets the offsets of {quoted(str(connector.connector))}, as they were when exported.",
        name=metadata.name,
        purpose="export",
        namespace=metadata.namespace,
        labels=metadata.labels,
        connector=to,
    )
    return alters(head, text)


def moves_on(connector: LensesConnector, verb: str) -> str:
    """Why the copy may be old already; empty where the connector is stopped or paused. `verb`: `export` or `copy`."""
    state = connector.status.state or "in an unknown state"
    if state in ("STOPPED", "PAUSED"):
        return ""
    return (
        f"{connector.metadata.name} is {state}, so its offsets move on: "
        f"set state: stopped and {verb} again for a copy that is complete"
    )
