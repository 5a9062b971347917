"""What each connector's resource and file are called: neither takes the place of another connector's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from lenses_operator.domain.naming import digest, object_name
from lenses_operator.manifests.nodes import trees
from lenses_operator.resources.base import API_VERSION
from lenses_operator.resources.connector import KIND


class Identity(NamedTuple):
    """Which connector a manifest is about."""

    environment: str
    cluster: str
    connector: str

    def __str__(self) -> str:
        return f"connector {self.connector} on {self.cluster}"


class Place(NamedTuple):
    """`stem`: of the file, without its ending."""

    name: str
    stem: str


class SameConnectorError(LookupError):
    """A resource for this connector has a place already, in the same namespace."""


@dataclass(frozen=True)
class _Held:
    """A file that is there already. `identity`: None where it is no manifest of one connector alone."""

    name: str = ""
    namespace: str | None = None
    identity: Identity | None = None


class Places:
    """`out`: the directory the files go to, with what earlier runs have left there; None for standard output."""

    def __init__(self, out: Path | None = None) -> None:
        self._files = {path.stem: _read(path) for path in sorted(out.glob("*.yaml"))} if out and out.is_dir() else {}
        self._own: dict[Identity, list[str]] = {}
        self._theirs: dict[str, list[tuple[str | None, Identity]]] = {}
        for stem, held in self._files.items():
            if held.identity is not None:
                self._own.setdefault(held.identity, []).append(stem)
                self._theirs.setdefault(held.name, []).append((held.namespace, held.identity))
        self._placed: set[tuple[str | None, Identity]] = set()
        self._names: dict[tuple[str | None, str], Identity] = {}
        self.stems: set[str] = set()
        """Of all files that have been given away."""

    def of(self, identity: Identity, name: str, namespace: str | None) -> Place:
        """`name`: what the resource is to be called where nobody else is. A connector keeps the file it has.

        Raises SameConnectorError.
        """
        if (namespace, identity) in self._placed:
            raise SameConnectorError(identity.connector)
        found = self._before(identity, namespace) or self._new(identity, name, namespace)
        self._placed.add((namespace, identity))
        self._names[namespace, found.name] = identity
        self.stems.add(found.stem)
        return found

    def has_elsewhere(self, identity: Identity, namespace: str | None) -> bool:
        """Whether another namespace's resource for this connector has been given a place."""
        return any(one == identity and where != namespace for where, one in self._placed)

    def _before(self, identity: Identity, namespace: str | None) -> Place | None:
        for stem in self._own.get(identity, ()):
            held = self._files[stem]
            if _may_meet(held.namespace, namespace) and stem not in self.stems:
                return Place(held.name, stem) if (namespace, held.name) not in self._names else None
        return None

    def _new(self, identity: Identity, name: str, namespace: str | None) -> Place:
        other = self._holder(name, namespace)
        names = _names(identity, name, other) if other else iter([name])
        found = next(one for one in names if self._holder(one, namespace) is None)
        stems = (one for one in _stems(found, namespace) if one not in self.stems and one not in self._files)
        return Place(found, next(stems))

    def _holder(self, name: str, namespace: str | None) -> Identity | None:
        """Whose resource has this name."""
        given = self._names.get((namespace, name))
        there = (one for where, one in self._theirs.get(name, ()) if _may_meet(where, namespace))
        return given or next(there, None)


def _may_meet(one: str | None, other: str | None) -> bool:
    """Whether two manifests may come to one namespace: one that names none comes to any."""
    return one == other or None in (one, other)


def _names(identity: Identity, name: str, other: Identity) -> Iterator[str]:
    """What tells the two apart comes first."""
    parts = [identity.cluster, identity.environment]
    if other.cluster == identity.cluster and other.environment != identity.environment:
        parts.reverse()
    yield from (object_name(f"{name}-{part}") for part in parts)
    number = 2
    yield (unique := f"{name}-{digest(*identity)}")
    while True:
        yield f"{unique}-{number}"
        number += 1


def _stems(name: str, namespace: str | None) -> Iterator[str]:
    yield name
    if namespace:
        yield f"{name}.{namespace}"
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1


def _read(path: Path) -> _Held:
    try:
        found = list(trees(path.read_text("utf-8")))
        bodies: list[Any] = [tree.value for tree in found]
        if any(tree.problems for tree in found):
            return _Held()
        connectors = [one for one in bodies if one["kind"] == KIND and one["apiVersion"] == API_VERSION]
        rest = [one for one in bodies if one["kind"] == "ConfigMap"]
        if len(connectors) != 1 or len(rest) + 1 != len(bodies):
            return _Held()
        metadata, spec = connectors[0]["metadata"], connectors[0]["spec"]
        name = metadata["name"]
        identity = Identity(spec["environment"], spec["cluster"], spec.get("name", name))
        return _Held(name, metadata.get("namespace"), identity)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return _Held()
