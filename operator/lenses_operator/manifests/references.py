"""Secrets and ConfigMaps among the manifests, as the operator would read them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lenses_operator.domain.references import RefData, RefName
from lenses_operator.manifests.documents import Document, Place

FROM_FILE = ""
"""Resource version of what is not in the cluster yet."""


class Located(NamedTuple):
    """A reference, which only its own namespace can use."""

    namespace: str
    ref: RefName


def references(documents: Iterable[Document]) -> tuple[dict[Located, RefData], list[tuple[Place, str]]]:
    """What can be read, and what the API server would refuse. Messages name keys, never values."""
    found: dict[Located, RefData] = {}
    wrong: list[tuple[Place, str]] = []
    for document in documents:
        wrong += [(Place(document.file, problem.line), problem.message) for problem in document.problems]
        ref = RefName("Secret" if document.kind == "Secret" else "ConfigMap", document.name)
        data: dict[str, bytes] = {}
        for part in ("data", "binaryData", "stringData"):  # stringData wins
            pairs = document.body.get(part) or {}
            if not isinstance(pairs, Mapping):
                wrong.append((document.place((part,)), f"{document.kind} {document.name}: {part} must be a map"))
                continue
            for key, value in pairs.items():
                encoded = part == "binaryData" or (part == "data" and document.kind == "Secret")
                decoded = _decoded(value, encoded=encoded)
                if isinstance(decoded, bytes):
                    data[key] = decoded
                else:
                    message = f"{document.kind} {document.name}: {part}.{key} {decoded}"
                    wrong.append((document.place((part, key)), message))
        found.setdefault(Located(document.namespace, ref), RefData(FROM_FILE, data))
    return found, wrong


def _decoded(value: object, *, encoded: bool) -> bytes | str:
    """Or what is wrong with it."""
    if value is None:
        return b""
    if not isinstance(value, str):
        return "is no text: quote it"
    if not encoded:
        return value.encode()
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return "is no base64; plain text belongs into stringData"
