"""A connector's offsets as they are now, without access to Lenses: the operator is asked to observe them."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from lenses_operator.commands.readiness import readiness
from lenses_operator.commands.waiting import waiting_line
from lenses_operator.domain.offsets_before import text_of
from lenses_operator.kube.session import Session
from lenses_operator.offsets_files.writer import Head
from lenses_operator.resources.base import API_VERSION
from lenses_operator.resources.connector import PLURAL as CONNECTORS
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import KIND, PLURAL, LensesConnectorOffsets

TIMEOUT = 60.0
"""Seconds after which the operator is given up."""


class CannotError(Exception):
    """Why it cannot be done, for people."""


async def connector_named(cluster: Session, name: str) -> LensesConnector:
    """Raises CannotError where there is none."""
    body = await cluster.get(CONNECTORS, cluster.home, name)
    if body is None:
        raise CannotError(f"there is no LensesConnector {name} in namespace {cluster.home}")
    found = LensesConnector.read(body)
    if found.metadata.deleting:
        raise CannotError(f"{name} is being deleted")
    return found


async def offsets_now(cluster: Session, connector: LensesConnector) -> str:
    """The JSON array, to the letter. Raises CannotError, KubeError.

    A LensesConnectorOffsets is made for it, and is gone afterwards.
    """
    made = await cluster.create(PLURAL, connector.metadata.namespace, _observe(connector))
    name = made["metadata"]["name"]
    try:
        return _text(await _observed(cluster, connector, name))
    finally:
        await cluster.delete(PLURAL, connector.metadata.namespace, name)


def _observe(connector: LensesConnector) -> dict[str, Any]:
    metadata = connector.metadata
    head = Head("", metadata.name, "show", metadata.namespace, metadata.labels, metadata.name)
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"generateName": head.prefix, "labels": head.kept_labels},
        "spec": {"connectorRef": {"name": metadata.name}, "action": "Observe", "refreshInterval": "1h"},
    }


async def _observed(cluster: Session, connector: LensesConnector, name: str) -> LensesConnectorOffsets:
    """Once they were read."""
    said = "the operator has not processed it; is it running, and does it watch this namespace and these labels?"
    try:
        async with asyncio.timeout(TIMEOUT), aclosing(_states(cluster, connector, name)) as states:
            with waiting_line() as line:
                async for found in states:
                    state = readiness(found)
                    if state.well:
                        return found
                    said = f"{state.reason}: {state.message}" if state.reason else said
                    line(f"reading the offsets of {connector.metadata.name}: {said}")
                    if state.ready == "False":
                        break
    except TimeoutError:
        said = f"not read after {TIMEOUT:g}s: {said}"
    raise CannotError(f"the offsets of {connector.metadata.name} cannot be read: {said}")


async def _states(cluster: Session, connector: LensesConnector, name: str) -> AsyncGenerator[LensesConnectorOffsets]:
    async for changes in cluster.follow(PLURAL, connector.metadata.namespace, name=name):
        for change in changes:
            if change.kind == "DELETED":
                raise CannotError(f"LensesConnectorOffsets {name}, which was to read the offsets, was deleted")
            yield LensesConnectorOffsets.read(change.body)


def _text(found: LensesConnectorOffsets) -> str:
    status = found.status
    try:
        text = text_of(status.offsets_json, status.offsets_json_compressed)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise CannotError(f"status.offsetsJsonCompressed cannot be read: {error}") from None
    if text is None:
        raise CannotError(
            "the operator keeps no offsets to the letter: they are too many for a resource's status, or it or its CRDs "
            "are older than this program; `lenses-operator offsets export` reads them from Lenses"
        )
    return text
