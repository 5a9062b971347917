"""The Kubernetes cluster of the user's kubeconfig. A module of its own: most plans need no cluster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from lenses_operator.domain.references import RefData, ReferenceNotFound
from lenses_operator.kube.access import Access
from lenses_operator.kube.api import KubeApi, KubeError
from lenses_operator.kube.connection import connect
from lenses_operator.kube.references import ReferenceReader
from lenses_operator.manifests.references import Located
from lenses_operator.planning.cluster import Bodies, ClusterError, MayNotReadError
from lenses_operator.resources.connector import KIND as CONNECTOR
from lenses_operator.resources.connector import PLURAL as CONNECTORS
from lenses_operator.resources.connector_offsets import KIND as OFFSETS
from lenses_operator.resources.connector_offsets import PLURAL as OFFSETS_PLURAL

AT_A_TIME = 8


class KubeCluster:
    """See `Cluster`."""

    def __init__(self, api: KubeApi) -> None:
        self._api = api
        self._reader = ReferenceReader(api)
        self._places = asyncio.Semaphore(AT_A_TIME)

    async def bodies(self, namespaces: list[str]) -> Bodies:
        found: dict[tuple[str, str, str], dict[str, Any]] = {}
        for kind, plural in ((CONNECTOR, CONNECTORS), (OFFSETS, OFFSETS_PLURAL)):
            if not namespaces:
                continue
            async for page in self._api.pages(plural, namespaces, ""):
                found |= {(kind, body["metadata"]["namespace"], body["metadata"]["name"]): body for body in page.bodies}
        return found

    async def read(self, located: Located) -> RefData | None:
        async with self._places:
            try:
                return await self._reader.read(located.namespace, located.ref)
            except ReferenceNotFound:
                raise MayNotReadError from None


@asynccontextmanager
async def kube_cluster(access: Access) -> AsyncIterator[KubeCluster]:
    """Raises ClusterError where there is no usable kubeconfig, and for every request that fails."""
    try:
        client = await connect(access)
        try:
            yield KubeCluster(KubeApi(client))
        finally:
            await client.close()  # type: ignore[no-untyped-call]
    except KubeError as error:
        raise ClusterError(str(error)) from error
