"""What a plan asks of a Kubernetes cluster: the resources as they are, Secrets and ConfigMaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from lenses_operator.domain.references import RefData
from lenses_operator.manifests.references import Located

Bodies = Mapping[tuple[str, str, str], dict[str, Any]]
"""By kind, namespace and name."""


class ClusterError(Exception):
    """The cluster cannot be asked, or does not answer."""


class MayNotReadError(Exception):
    """The user has no right to read this object."""


class Cluster(Protocol):
    """Raises ClusterError."""

    async def bodies(self, namespaces: list[str]) -> Bodies:
        """The resources of both kinds, in these namespaces."""
        ...

    async def read(self, located: Located) -> RefData | None:
        """None: there is none. Raises MayNotReadError."""
        ...
