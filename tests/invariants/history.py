"""What happened, as both servers recorded it: what was wanted when, and what was done to which connector."""

from __future__ import annotations

import time
from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from math import inf
from typing import Any

from chaos.real.cast import Key, Object, wanted_config

LAG = 6.0
"""Seconds: what an operator that sees everything may act on, and this many more than it was blind."""
HOPS = 3.0
"""An edit, its watch event, the pass and its request wait for the machine one after the other, a pulse only once."""

Name = tuple[str, str, str]
"""Kind, namespace and name of an object."""


@dataclass(frozen=True)
class Version:
    """An object from `since` on, at the earliest; `sure`, at the latest. `found` is None once it is gone."""

    since: float
    sure: float
    found: Object | None
    number: int = 0
    """Its resourceVersion, where it is known."""

    @property
    def uid(self) -> str:
        return str(self.found["metadata"]["uid"]) if self.found else ""

    @property
    def spec(self) -> Object:
        found: Object = (self.found or {}).get("spec") or {}
        return found

    @property
    def status(self) -> Object:
        status: Object = (self.found or {}).get("status") or {}
        return status

    @property
    def deleting(self) -> bool:
        return bool(self.found and self.found["metadata"].get("deletionTimestamp"))

    @property
    def ownership(self) -> str:
        return str((self.status.get("ownership") or {}).get("state", "None"))

    @property
    def conditions(self) -> list[tuple[str, int | None]]:
        """Types and observed generations."""
        given = self.status.get("conditions") or []
        return [(one["type"], one.get("observedGeneration")) for one in given]

    @property
    def observed(self) -> int | None:
        observed: int | None = self.status.get("observedGeneration")
        return observed

    @property
    def is_owner(self) -> bool:
        return self.ownership in ("Owned", "Claiming")

    @property
    def finalized(self) -> bool:
        return bool(self.found and self.found["metadata"].get("finalizers"))

    @property
    def connector(self) -> Key:
        meta = (self.found or {}).get("metadata") or {}
        return (
            str(self.spec.get("environment")),
            str(self.spec.get("cluster")),
            str(self.spec.get("name") or meta.get("name")),
        )


@dataclass(frozen=True)
class Effect:
    """A change that really happened in Lenses: `op` is `create`, `delete`, `put`, `state`, `task`, `alter` or
    `reset`, by hand (`outside`) `create`, `config` or `delete`. `arrived`: when its request did."""

    at: float
    arrived: float
    op: str
    key: Key
    before: dict[str, str] | None = None
    after: dict[str, str] | None = None
    outside: bool = False
    detail: Any = None
    gone_at: float = 0.0
    seq: int = 0
    looked: float = 0.0
    """When the last good look at it arrived, of whichever operator; 0.0: not known."""

    @property
    def decided(self) -> float:
        """When what it came of was decided, at the earliest: a request may wait long for its turn."""
        return min(self.looked or self.arrived, self.arrived)


@dataclass(frozen=True)
class KubeWrite:
    """A write to the API server that was accepted."""

    since: float
    sure: float
    user: str
    verb: str
    name: Name
    subresource: str
    body: Any


@dataclass
class Span:
    """From `begin` to `end`, which is set when it ends; `about` is a glob of connector names where it matters."""

    begin: float
    end: float
    what: str
    about: str = "*"


@dataclass
class History:
    """Grows while the storm goes on; all times are of one wall clock."""

    versions: dict[Name, list[Version]] = field(default_factory=lambda: defaultdict(list))
    effects: list[Effect] = field(default_factory=list)
    writes: list[KubeWrite] = field(default_factory=list)
    blind: list[Span] = field(default_factory=list)
    """The operator could not know what happened: it or the API server was paused, ended or cut off."""
    doubled: list[Span] = field(default_factory=list)
    """Two operators worked without leader election."""
    late: list[Span] = field(default_factory=list)
    """When the machine took its time: see `Pulse`."""
    lies: list[Span] = field(default_factory=list)
    secrets: dict[str, list[tuple[float, str]]] = field(default_factory=lambda: defaultdict(list))
    """By namespace: since when which value."""
    recent: float = 0.0
    """What is older has been checked before, where a check looks at one thing after another."""
    until: float = inf
    """What is younger is not judged yet: the API server's record was read then, and that of Lenses goes on."""
    _names: dict[Key, set[Name]] = field(default_factory=lambda: defaultdict(set))
    _of: dict[Key, list[Effect]] = field(default_factory=lambda: defaultdict(list))
    _indexed: int = 0

    def add(self, name: Name, version: Version) -> None:
        """In the order of the resource versions: a write may be recorded before one that came first."""
        versions = self.versions[name]
        place = len(versions)
        while version.number and place and versions[place - 1].number > version.number:
            place -= 1
        versions.insert(place, version)
        if version.found is not None and name[0] == "LensesConnector":
            self._names[version.connector].add(name)

    def rotated(self, namespace: str, since: float, value: str) -> None:
        """A Secret has this value from then on; said by who sets it too, since a record may be lost."""
        insort(self.secrets[namespace], (since, value))

    def number(self, name: Name, at: float) -> int:
        """The resourceVersion that an object certainly had reached by then."""
        return max((version.number for version in self.versions[name] if version.sure < at), default=0)

    def found_out(self, name: Name, stored: Iterable[Object], since: float, sure: float | None = None) -> None:
        """Versions without a record: each was written after `since`, and before it was found or another came."""
        known = {version.number: version for version in self.versions[name]}
        latest = time.time() if sure is None else sure
        for found in stored:
            number = int(found["metadata"]["resourceVersion"])
            if number in known:
                latest = min(latest, known[number].sure)
            else:
                self.add(name, Version(since, latest, found, number))

    def complete(self, stored: Mapping[Name, Object], since: float, sure: float) -> None:
        """With all that is stored: it was written at some time between the two."""
        for name, found in stored.items():
            self.found_out(name, [found], since, sure)
        for name in [name for name, versions in self.versions.items() if versions and versions[-1].found is not None]:
            if name not in stored:
                self.add(name, Version(since, sure, None))

    def horizon(self, at: float) -> float:
        """How far back what an operator knows at this time may lie."""
        start = at - LAG
        start -= HOPS * self._lateness(start, at)
        for span in sorted(self.blind, key=lambda span: span.end, reverse=True):
            if span.begin < at and span.end > start:
                start = min(start, span.begin - LAG)
        return start

    def _lateness(self, begin: float, end: float) -> float:
        """Seconds of this time that were lost to a machine with too much to do."""
        return sum(max(0.0, min(span.end, end) - max(span.begin, begin)) for span in list(self.late))

    def lately(self, name: Name, begin: float, end: float) -> Iterator[Version]:
        """The versions of an object in this time, and the one before."""
        versions = self.versions.get(name, [])
        for version, following in zip(versions, [*versions[1:], None], strict=True):
            if version.since <= end and (following is None or following.sure >= begin):
                yield version

    def about(self, key: Key, begin: float, end: float) -> Iterator[tuple[Name, Version]]:
        """The versions in this time of all resources that name this connector."""
        for name in self._names[key]:
            for version in self.lately(name, begin, end):
                if version.found is not None and version.connector == key:
                    yield name, version

    def wanted(self, name: Name, version: Version, begin: float, end: float) -> list[dict[str, str]]:
        """The configurations this version stood for in this time: a Secret may have changed in it."""
        values = self.secrets.get(name[1]) or [(0.0, "")]
        lately = [
            value
            for (since, value), following in zip(values, [*values[1:], None], strict=True)
            if since <= end and (following is None or following[0] >= begin)
        ]
        return [wanted_config(version.spec, value) for value in lately]

    def of(self, key: Key) -> list[Effect]:
        """The effects on one connector; the server adds to all of them meanwhile."""
        for effect in self.effects[self._indexed :]:
            self._of[effect.key].append(effect)
            self._indexed += 1
        return self._of[key]

    def during(self, spans: list[Span], at: float, key: Key, margin: float = LAG) -> bool:
        """Whether one of the spans covers this time, or ended shortly before it."""
        return any(
            span.begin <= at <= span.end + margin and (span.about == "*" or fnmatchcase(key[2], span.about))
            for span in spans
        )
