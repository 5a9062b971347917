"""Writes a LensesConnectorOffsets for `kubectl create`. Strings are JSON, which YAML takes to the letter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lenses_operator.conversion.marks import owner_of
from lenses_operator.conversion.scalars import quoted
from lenses_operator.domain.offsets_text import entry_texts
from lenses_operator.resources.base import API_VERSION
from lenses_operator.resources.connector_offsets import KIND

PIECE = 512 * 1024
"""Bytes of offsets in one resource: Kubernetes keeps no object beyond 1.5 MiB, and each has a `before` of its own."""


@dataclass(frozen=True)
class Head:
    """What all documents of one printing have in common.

    `comment`: one line of plain words. `name`, with `purpose` behind it, begins the generated names.
    """

    comment: str
    name: str
    purpose: str
    namespace: str
    labels: Mapping[str, str]
    connector: str

    @property
    def prefix(self) -> str:
        """Kubernetes adds five characters to at most 248, and takes no `.-`."""
        return f"{self.name[:200].rstrip('.-')}-{self.purpose}-"

    @property
    def kept_labels(self) -> dict[str, str]:
        """The operator may look for resources with a label only. A GitOps tool would prune what carries its own."""
        return {key: value for key, value in self.labels.items() if owner_of(key) is None}


def reset(head: Head) -> str:
    """The document that forgets all offsets."""
    return _document(head, "  action: Reset")


def alters(head: Head, text: str, added: Sequence[str] = ()) -> str:
    """Documents that set the offsets of a JSON array, and `added` entries."""
    pieces = (f"  action: Alter\n  offsetsJson: {quoted(piece)}" for piece in _pieces(text, added))
    return "---\n".join(_document(head, action) for action in pieces)


def _document(head: Head, action: str) -> str:
    lines = [
        f"# {head.comment}",
        f"apiVersion: {API_VERSION}",
        f"kind: {KIND}",
        "metadata:",
        f"  generateName: {quoted(head.prefix)}",
        f"  namespace: {quoted(head.namespace)}",
        *_labels(head.kept_labels),
        "spec:",
        f"  connectorRef: {{name: {quoted(head.connector)}}}",
        action,
        "",
    ]
    return "\n".join(lines)


def _labels(kept: Mapping[str, str]) -> Iterator[str]:
    if kept:
        pairs = (f"{quoted(key)}: {quoted(value)}" for key, value in kept.items())
        yield f"  labels: {{{', '.join(pairs)}}}"


def _pieces(text: str, added: Sequence[str]) -> Iterator[str]:
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
