"""Writes to our own resources: the status, whole, and the finalizer. Nothing else of an object is ever written."""

from __future__ import annotations

from typing import Any, TypeVar

from lenses_operator.kube.api import KubeApi, KubeError
from lenses_operator.resources.base import FINALIZER, Resource
from lenses_operator.resources.conditions import Status
from lenses_operator.resources.connector import LensesConnector

R = TypeVar("R", bound=Resource)

TRIES = 5


class Writer:
    """Each call returns the object as it is afterwards, or None where it is gone. Raises KubeError."""

    def __init__(self, api: KubeApi) -> None:
        self._api = api

    async def write_status(self, resource: R, status: Status) -> R | None:
        """One JSON patch. The uid is tested, so that a new object of the same name never gets an old one's status.

        Raises KubeError, outdated, where one of the fields that the resource pins is not what it was.
        """
        operations: list[dict[str, Any]] = [
            {"op": "test", "path": "/metadata/uid", "value": resource.metadata.uid},
            # The API server takes null for a field that is not there
            *({"op": "test", "path": f"/status/{name}", "value": value} for name, value in resource.pinned.items()),
            {"op": "add", "path": "/status", "value": resource.stored(status.to_wire())},
        ]
        try:
            return await self._patch(resource, operations, status=True)
        except KubeError as error:
            if error.not_found or (error.outdated and await self.current(resource) is None):
                return None
            raise

    async def add_finalizer(self, resource: LensesConnector) -> LensesConnector | None:
        """None too where the object is being deleted by now: nothing may be begun for it."""
        after = await self._finalize(resource, present=True)
        if after is None or after.metadata.deleting or not after.metadata.has_finalizer:
            return None
        return after

    async def remove_finalizer(self, resource: LensesConnector) -> LensesConnector | None:
        """None where the object is gone with it."""
        return await self._finalize(resource, present=False)

    async def _finalize(self, resource: LensesConnector, *, present: bool) -> LensesConnector | None:
        """Tried again where the object has changed meanwhile: other people's finalizers must survive ours."""
        current: LensesConnector | None = resource
        for _ in range(TRIES):
            if current is None or current.metadata.has_finalizer is present:
                return current
            if present and current.metadata.deleting:
                return current
            finalizers = [name for name in current.metadata.finalizers if name != FINALIZER]
            if present:
                finalizers.append(FINALIZER)
            try:
                return await self._patch(current, _finalizers(current, finalizers))
            except KubeError as error:
                if error.not_found:
                    return None
                if not error.outdated:
                    raise
            current = await self.current(resource)
        raise KubeError(f"finalizer of {resource.key}", 409, "the object keeps changing")

    async def current(self, resource: R) -> R | None:
        """The object as the API server has it now; None where it is gone or another one has its name."""
        body = await self._api.get(resource.plural, resource.metadata.namespace, resource.metadata.name)
        if body is None or body["metadata"]["uid"] != resource.metadata.uid:
            return None
        return type(resource).read(body)

    async def _patch(self, resource: R, operations: list[dict[str, Any]], *, status: bool = False) -> R:
        meta = resource.metadata
        return type(resource).read(
            await self._api.patch(resource.plural, meta.namespace, meta.name, operations, status=status)
        )


def _finalizers(resource: LensesConnector, finalizers: list[str]) -> list[dict[str, Any]]:
    """Conditional on the version that was read: other people's finalizers must survive ours."""
    return [
        {"op": "test", "path": "/metadata/resourceVersion", "value": resource.metadata.resource_version},
        {"op": "test", "path": "/metadata/uid", "value": resource.metadata.uid},
        {"op": "add", "path": "/metadata/finalizers", "value": finalizers},
    ]
