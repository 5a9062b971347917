"""What a connector's offsets were before an operation, as its status keeps them: to the letter, or not at all."""

from __future__ import annotations

import base64
import gzip
import io
import json
from dataclasses import dataclass

from lenses_operator.domain.offsets_text import OffsetsInvalid
from lenses_operator.resources.connector_offsets import OffsetsSpec

BEFORE_PLAIN = 256 * 1024
BEFORE_COMPRESSED = 1024 * 1024
OBJECT_BYTES = 1_250_000
"""Spec and status together; etcd takes 1.5 MiB, and kubectl keeps up to 256 KiB of its own in an annotation."""
MAX_TEXT = 64 * 1024 * 1024
"""Bytes: no answer of Lenses is longer, so nothing that was kept is."""


@dataclass(frozen=True)
class Before:
    """What it takes to go back: the text, or gzip and base64 of it where it is big."""

    plain: str | None = None
    compressed: str | None = None

    @property
    def weight(self) -> int:
        """What the time that reading it takes depends on: characters, about."""
        return len(self.plain or "") + 20 * len(self.compressed or "")

    @property
    def text(self) -> str | None:
        """See `text_of`."""
        return text_of(self.plain, self.compressed)

    @property
    def size(self) -> int:
        """Bytes in the object as Kubernetes stores it."""
        return len(json.dumps(self.plain or self.compressed or "", ensure_ascii=False).encode())


def room_beside(spec: OffsetsSpec) -> int:
    """Bytes left for the status: what is bigger than etcd takes could not be written, and would hold for ever."""
    return OBJECT_BYTES - len(spec.model_dump_json(by_alias=True, exclude_none=True).encode())


def before_of(text: str, room: int = OBJECT_BYTES) -> Before:
    """Raises OffsetsInvalid where it is too big to be kept, since there would be no way back."""
    if len(text.encode()) <= BEFORE_PLAIN:
        kept = Before(plain=text)
        if kept.size <= room:
            return kept
    packed = gzip.compress(text.encode(), mtime=0)
    limit, size = min(BEFORE_COMPRESSED, room), 4 * -(-len(packed) // 3)
    if size > limit:
        raise OffsetsInvalid(
            f"The connector's present offsets take {size} bytes even compressed, more than the "
            f"{max(limit, 0)} that status can keep: there would be no way back. Change them in Lenses or Kafka "
            "Connect, while the LensesConnector has spec.state: stopped."
        )
    return Before(compressed=base64.b64encode(packed).decode())


def text_of(plain: str | None, compressed: str | None) -> str | None:
    """The text that `before_of` kept. Raises what gzip raises, ValueError for more than Lenses can have said."""
    if plain is not None or compressed is None:
        return plain
    with gzip.open(io.BytesIO(base64.b64decode(compressed))) as file:
        raw = file.read(MAX_TEXT + 1)
    if len(raw) > MAX_TEXT:
        raise ValueError(f"it is more than {MAX_TEXT} bytes")
    return raw.decode()
