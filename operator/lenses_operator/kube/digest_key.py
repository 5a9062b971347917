"""The key of the digests in status: in a Secret of the operator's own namespace, made at the first start."""

from __future__ import annotations

import asyncio
import base64
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from lenses_operator.domain.secret_digest import ENTRY, SHORTEST
from lenses_operator.kube.api import KubeApi, KubeError

logger = logging.getLogger(__name__)
BYTES = 32
PATIENCE = 30.0
"""Seconds for which an API server that gives no clear answer is asked again."""
PAUSE = 1.0
UNCLEAR = (0, 429, 500, 502, 503, 504)
REFUSALS = 5
"""Refusals in a row that are believed: the Role may be made, or become known, a moment after the operator starts."""
WITHOUT = (
    "a Secret that is rewritten with the same data while no operator runs will count as changed, and connectors "
    "whose keys Lenses masks will be written again for it"
)


class DigestKey:
    """`value` is None until `load` has found or made it, and stays None where it cannot."""

    def __init__(
        self,
        api: KubeApi,
        namespace: str,
        name: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sleep = sleep
        self._api = api
        self._namespace = namespace
        self._name = name
        self.value: bytes | None = None

    async def load(self) -> None:
        """Never raises. For the one process that works; another may make the Secret at the same time all the same."""
        problem, refusals = "no answer in time", 0
        try:
            async with asyncio.timeout(PATIENCE):
                while self.value is None:
                    try:
                        self.value = await self._found_or_made()
                    except KubeError as error:
                        problem = str(error)
                        refusals = refusals + 1 if error.status not in UNCLEAR and not error.outdated else 0
                        if refusals == REFUSALS:
                            break
                        await self._sleep(PAUSE)  # outdated: it has just been created
        except TimeoutError:
            pass
        except ValueError as error:
            problem = str(error)
        if self.value is None:
            logger.warning("no digest key (Secret %s/%s: %s): %s", self._namespace, self._name, problem, WITHOUT)

    async def _found_or_made(self) -> bytes:
        """Raises KubeError, and ValueError for what is there and no key."""
        body = await self._api.get_reference("Secret", self._namespace, self._name)
        if body is None:
            key, data = _new()
            metadata = {"name": self._name, "labels": {"app.kubernetes.io/name": "lenses-operator"}}
            await self._api.create_secret(self._namespace, {"metadata": metadata, "type": "Opaque", "data": data})
            return key
        data = body.get("data") or {}
        if data.get(ENTRY):
            return _read(data[ENTRY])
        if body.get("immutable"):
            raise ValueError("it is immutable and holds no key")
        key, made = _new()
        await self._api.patch_secret(
            self._namespace,
            self._name,
            [
                {"op": "test", "path": "/metadata/resourceVersion", "value": body["metadata"]["resourceVersion"]},
                {"op": "add", "path": "/data", "value": data | made},
            ],
        )
        return key


def _new() -> tuple[bytes, dict[str, Any]]:
    key = secrets.token_bytes(BYTES)
    return key, {ENTRY: base64.b64encode(key).decode()}


def _read(encoded: str) -> bytes:
    key = base64.b64decode(encoded)
    if len(key) < SHORTEST:
        raise ValueError(f"what it holds under {ENTRY!r} is shorter than {SHORTEST} bytes")
    return key
