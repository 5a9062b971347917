"""The versions of the operator's own first lists, from which its watches go on.

What goes between a list and a watch that begins later is told by nobody. A watch that begins with the list's version
is told of all of it, and need not list once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Place(NamedTuple):
    """What a list is of; `namespace` is None for all of them."""

    plural: str
    namespace: str | None


class ListVersions:
    """Each is given once: a watch that could not go on from it lists by itself.

    Only those of the first complete lists are kept. Later on a watch that begins anew has lost its place, as it does
    where the API server itself has been set back to older versions.
    """

    def __init__(self) -> None:
        self._versions: dict[Place, str] | None = None

    def listed(self, versions: Mapping[Place, str]) -> None:
        """All kinds have been listed completely, and what was listed is known."""
        if self._versions is None:
            self._versions = {place: version for place, version in versions.items() if version}

    def take(self, place: Place) -> str | None:
        """May be asked from another thread."""
        return (self._versions or {}).pop(place, None)
