"""Secrets and ConfigMaps as a pass sees them, and what a spec asks of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from lenses_operator.resources.connector import ConfigSource, ConnectorSpec, KeyRef, MapRef

RefKind = Literal["Secret", "ConfigMap"]


class RefName(NamedTuple):
    """A Secret or ConfigMap; always in the namespace of the resource that names it."""

    kind: RefKind
    name: str


@dataclass(frozen=True)
class RefData:
    """The data of one object: bytes of a Secret, bytes of a ConfigMap's text and binary values alike."""

    resource_version: str
    data: Mapping[str, bytes] = field(repr=False)


References = Mapping[RefName, RefData | None]
"""None: looked for and not there."""


class ReferenceNotFound(LookupError):  # noqa: N818 - the name is the condition's reason
    """A referenced object or key is missing; the message names it."""


@dataclass(frozen=True)
class Entry:
    """One entry of `configFrom`, its four forms made one. `key` None: every key of the object."""

    index: int
    ref: RefName
    key: str | None
    target: str | None
    optional: bool

    @property
    def where(self) -> str:
        return f"spec.configFrom[{self.index}]"


def entries(spec: ConnectorSpec) -> Iterator[Entry]:
    """In the order in which they are merged."""
    for index, source in enumerate(spec.config_from):
        kind, ref = _ref_of(source)
        key = ref.key if isinstance(ref, KeyRef) else None
        yield Entry(index, RefName(kind, ref.name), key, source.key, ref.optional)


def named(spec: ConnectorSpec) -> set[RefName]:
    """Every object the spec refers to, the token's Secret included."""
    found = {entry.ref for entry in entries(spec)}
    if spec.token_secret_ref is not None:
        found.add(RefName("Secret", spec.token_secret_ref.name))
    return found


def _ref_of(source: ConfigSource) -> tuple[RefKind, MapRef | KeyRef]:
    if source.secret_ref is not None:
        return "Secret", source.secret_ref
    if source.secret_key_ref is not None:
        return "Secret", source.secret_key_ref
    if source.config_map_ref is not None:
        return "ConfigMap", source.config_map_ref
    assert source.config_map_key_ref is not None  # ConfigSource has exactly one of the four
    return "ConfigMap", source.config_map_key_ref
