"""The way back from an offsets operation: ready LensesConnectorOffsets from what the operation kept."""

from __future__ import annotations

import zlib

from lenses_operator.conversion.scalars import quoted
from lenses_operator.domain.offsets_before import text_of
from lenses_operator.domain.offsets_text import OffsetsInvalid, entry_texts, request_text, unknown_before
from lenses_operator.lenses.models import parse_offsets
from lenses_operator.offsets_files.writer import Head, alters, reset
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets


class NothingToRestoreError(LookupError):
    """The resource keeps no earlier offsets."""


def restoring(operation: LensesConnectorOffsets | None) -> str:
    """YAML for `kubectl create`. Raises NothingToRestoreError."""
    if operation is None:
        raise NothingToRestoreError("there is no such LensesConnectorOffsets in this namespace")
    status, name = operation.status, operation.metadata.name
    try:
        text = text_of(status.before, status.before_compressed)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise NothingToRestoreError(f"what {name} keeps in status.beforeCompressed cannot be read: {error}") from None
    if text is None:
        raise NothingToRestoreError(
            f"{name} keeps no earlier offsets: status.before is written just before Alter or Reset"
        )
    try:
        parse_offsets(text)
    except ValueError as error:
        raise NothingToRestoreError(f"what {name} keeps in status.before cannot be read: {error}") from None
    if not entry_texts(text):
        return reset(_head(operation, "There were none: all are forgotten."))
    named = _named(operation, text)
    note = "Partitions that it named and that had none are forgotten again." if named else ""
    return alters(_head(operation, note), text, named)


def _head(operation: LensesConnectorOffsets, note: str) -> Head:
    metadata, connector = operation.metadata, operation.spec.connector_ref.name
    return Head(
        comment=f"Sets the offsets that {quoted(connector)} had just before {metadata.name}. {note}".rstrip(),
        name=metadata.name,
        purpose="restore",
        namespace=metadata.namespace,
        labels=metadata.labels,
        connector=connector,
    )


def _named(operation: LensesConnectorOffsets, before: str) -> list[str]:
    """Entries that forget what the operation added."""
    if operation.status.before_generation != operation.metadata.generation:
        return []  # `before` belongs to an earlier spec, which is not known any more
    try:
        asked = request_text(operation.spec)
    except OffsetsInvalid:
        return []
    return unknown_before(asked, before) if asked is not None else []
