"""From connector names to names of Kubernetes objects, and which names the resource can carry at all."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import NamedTuple

_BAD = r"/\\%?#{}\x00-\x1f\x7f"
_NAME = re.compile(rf"[^\s{_BAD}]([^{_BAD}]*[^\s{_BAD}])?", re.ASCII)
_LONGEST = 200
"""Characters of an object's name, so that names made from it and file names fit as well."""


class Connector(NamedTuple):
    """A connector within its environment."""

    cluster: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} on {self.cluster}"


def is_addressable(name: str, longest: int = 249) -> bool:
    """Whether a LensesConnector can carry it: as a connector's name, or (253) an environment's or cluster's."""
    return len(name) <= longest and name not in (".", "..") and _NAME.fullmatch(name) is not None


def object_name(name: str) -> str:
    """The nearest valid name of a Kubernetes object: lower-case letters, digits, `-` and `.`."""
    text = re.sub(r"[^a-z0-9.]+", "-", name.lower())
    text = re.sub(r"-*\.[-.]*", ".", text).strip("-.")
    if not text:
        return f"connector-{digest(name)}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip('-.')}-{digest(name)}"


def object_names(connectors: Collection[Connector]) -> Mapping[Connector, str]:
    """A name for each, no two alike, whatever their order.

    Where several come to the same name, the one called exactly that keeps it and the others add their cluster; where
    that is not enough, a digest too.
    """
    plain = {connector: object_name(connector.name) for connector in connectors}
    sharing = Counter(plain.values())
    exact = Counter(connector.name for connector in connectors)
    names = {
        connector: name
        for connector, name in plain.items()
        if sharing[name] == 1 or (connector.name == name and exact[name] == 1)
    }
    longer = {
        connector: object_name(f"{name}-{connector.cluster}")
        for connector, name in plain.items()
        if connector not in names
    }
    taken = Counter([*plain.values(), *longer.values()])
    for connector, name in longer.items():
        names[connector] = name if taken[name] == 1 else f"{name}-{digest(*connector)}"
    return names


def digest(*parts: str) -> str:
    """Eight characters that are the same for the same parts."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:8]
