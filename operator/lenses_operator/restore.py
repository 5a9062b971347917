"""The way back from an offsets operation: ready LensesConnectorOffsets from what the operation kept."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from lenses_operator.conversion.scalars import quoted
from lenses_operator.domain.offsets import OffsetsInvalid, entry_texts, request_text, text_of, unknown_before
from lenses_operator.resources.base import API_VERSION
from lenses_operator.resources.offsets import KIND, LensesConnectorOffsets

PIECE = 512 * 1024
"""Bytes of offsets in one resource: Kubernetes keeps no object beyond 1.5 MiB, and each has a `before` of its own."""

GITOPS = (
    "app.kubernetes.io/instance",
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
)


class NothingToRestoreError(LookupError):
    """The resource keeps no earlier offsets."""


def restoring(operation: LensesConnectorOffsets | None) -> str:
    """YAML for `kubectl create`. Strings are JSON, which YAML takes to the letter. Raises NothingToRestoreError."""
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
    if not entry_texts(text):
        return _document(operation, "  action: Reset", "There were none: all are forgotten.")
    named = _named(operation, text)
    note = "Partitions that it named and that had none are forgotten again." if named else ""
    alters = [f"  action: Alter\n  offsetsJson: {quoted(piece)}" for piece in _pieces(text, named)]
    return "---\n".join(_document(operation, alter, note) for alter in alters)


def _document(operation: LensesConnectorOffsets, action: str, note: str) -> str:
    name, connector = operation.metadata.name, operation.spec.connector_ref.name
    prefix = f"{name[:200].rstrip('.-')}-restore-"
    lines = [
        f"# Sets the offsets that {quoted(connector)} had just before {name}. {note}".rstrip(),
        f"apiVersion: {API_VERSION}",
        f"kind: {KIND}",
        "metadata:",
        f"  generateName: {quoted(prefix)}",
        f"  namespace: {quoted(operation.metadata.namespace)}",
        *_labels(operation),
        "spec:",
        f"  connectorRef: {{name: {quoted(connector)}}}",
        action,
        "",
    ]
    return "\n".join(lines)


def _labels(operation: LensesConnectorOffsets) -> Iterator[str]:
    """The operator may look for resources with a label only. A GitOps tool would prune what carries its own."""
    kept = {key: value for key, value in operation.metadata.labels.items() if not key.startswith(GITOPS)}
    if kept:
        pairs = (f"{quoted(key)}: {quoted(value)}" for key, value in kept.items())
        yield f"  labels: {{{', '.join(pairs)}}}"


def _named(operation: LensesConnectorOffsets, before: str) -> list[str]:
    """Entries that forget what the operation added."""
    if operation.status.before_generation != operation.metadata.generation:
        return []  # `before` belongs to an earlier spec, which is not known any more
    try:
        asked = request_text(operation.spec)
    except OffsetsInvalid:
        return []
    return unknown_before(asked, before) if asked is not None else []


def _pieces(text: str, added: list[str]) -> Iterator[str]:
    """The text to the letter; in arrays of whole entries where it is too big for one resource."""
    if len(text.encode()) <= PIECE and not added:
        yield text
        return
    piece: list[str] = []
    size = 0
    for entry in [*entry_texts(text), *added]:
        size += len(entry.encode()) + 1
        if piece and size > PIECE:
            yield f"[{','.join(piece)}]"
            piece, size = [], len(entry.encode()) + 1
        piece.append(entry)
    yield f"[{','.join(piece)}]"
