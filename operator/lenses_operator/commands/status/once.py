"""`status` without --watch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lenses_operator.commands.output import Format, complain, print_document
from lenses_operator.commands.status.overview import Overview, overview
from lenses_operator.commands.status.text import lines
from lenses_operator.commands.terminal import console
from lenses_operator.kube.access import Access
from lenses_operator.kube.session import Session, session
from lenses_operator.resources.connector import PLURAL as CONNECTORS
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import PLURAL as OFFSETS
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets


async def show(
    access: Access, names: tuple[str, ...], selector: str, output: Format, *, failing: bool, everywhere: bool
) -> int:
    """The exit code. Raises KubeError."""
    async with session(access) as cluster:
        namespace = None if everywhere else cluster.home
        bodies = await _connectors(cluster, namespace, names, selector)
        operations = await cluster.list(OFFSETS, namespace)
    missing = [name for name in names if name not in {body["metadata"]["name"] for body in bodies}]
    found = overview(map(LensesConnector.read, bodies), map(LensesConnectorOffsets.read, operations))
    if names or selector:
        found.strays = []
    if output != "table":
        print_document(found.data(failing=failing), output)
    elif found.rows or found.strays:
        _print(found, failing=failing, namespaces=everywhere)
    elif not missing:
        where = "any namespace" if namespace is None else f"namespace {namespace}"
        complain(f"there is no LensesConnector in {where}" + (f" with {selector}" if selector else ""))
    for name in missing:
        complain(f"there is no LensesConnector {name} in namespace {namespace}")
    return 0 if found.all_ready and not missing else 1


async def _connectors(
    cluster: Session, namespace: str | None, names: tuple[str, ...], selector: str
) -> list[dict[str, Any]]:
    if not names:
        return await cluster.list(CONNECTORS, namespace, selector)
    assert namespace is not None
    found = [await cluster.get(CONNECTORS, namespace, name) for name in dict.fromkeys(names)]
    return [body for body in found if body is not None]


def _print(found: Overview, *, failing: bool, namespaces: bool) -> None:
    """The counts are those of all of them."""
    out = console()
    width = out.width if out.is_terminal else None
    for line in lines(found, datetime.now(UTC), width, namespaces=namespaces, failing=failing):
        out.print(line.text, style=line.style)
