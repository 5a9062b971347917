"""The operator's kinds as the API server serves them: their definitions may come late, or go and come back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

from lenses_operator.kube.api import KubeApi, KubeError
from lenses_operator.resources import connector, connector_offsets
from lenses_operator.resources.base import GROUP, VERSION

logger = logging.getLogger(__name__)
KINDS = {connector.PLURAL: connector.KIND, connector_offsets.PLURAL: connector_offsets.KIND}
AGAIN = 1.0
"""Seconds between two looks for a kind that is missing."""
NOT_YET = (429, 503)
"""What the API server answers while a definition that has come back is being set up."""


class Kinds:
    """Which kinds are missing. Looked at from the operator's thread and, by `waiting`, from that of the watches."""

    def __init__(self, api: KubeApi, namespaces: Sequence[str]) -> None:
        self._api = api
        self._namespaces = namespaces
        self._missing: frozenset[str] = frozenset()

    def missing(self) -> list[str]:
        """A sentence for each."""
        return [_sentence(plural) for plural in sorted(self._missing)]

    async def served(self) -> None:
        """Returns once all of them are."""
        while not all([await self._is_served(plural) for plural in KINDS]):
            await asyncio.sleep(AGAIN)

    async def waiting(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Middleware of the watches' session: kopf gives up all its watches at the first that finds no kind, and waits
        longer and longer for one that is not ready."""
        plural, missed = request.url.name, False
        while True:
            response = await handler(request)
            if plural not in KINDS:
                return response
            if not (missed and response.status in NOT_YET):
                missed = response.status == 404
                self._note(plural, served=not missed)
                if not missed:
                    return response
            response.release()
            await asyncio.sleep(AGAIN)

    async def _is_served(self, plural: str) -> bool:
        try:
            served = await self._api.serves(plural, self._namespaces)
        except KubeError:  # our own list, which runs at the same time, says the same
            return False
        self._note(plural, served=served)
        return served

    def _note(self, plural: str, *, served: bool) -> None:
        before = self._missing
        self._missing = before - {plural} if served else before | {plural}
        if self._missing == before:
            return
        if served:
            logger.info("the API server serves the kind %s now, and it is watched", KINDS[plural])
        else:
            logger.error("%s", _sentence(plural))


def _sentence(plural: str) -> str:
    return (
        f"the API server does not serve the kind {KINDS[plural]} of {GROUP}/{VERSION}; "
        f"apply the CustomResourceDefinition {plural}.{GROUP} that comes with this version"
    )
