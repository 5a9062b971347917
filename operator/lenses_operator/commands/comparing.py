"""What the operator would do for resources, by the code of `plan`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lenses_operator.commands.access import LensesAccess
from lenses_operator.commands.output import Format, complain, print_document
from lenses_operator.commands.plan_text import print_plan
from lenses_operator.commands.terminal import progress
from lenses_operator.kube.access import Access
from lenses_operator.kube.session import Session, session
from lenses_operator.lenses.client import LensesClient
from lenses_operator.manifests.documents import of_objects
from lenses_operator.planning.kubernetes import KubeCluster
from lenses_operator.planning.lenses_view import LensesView
from lenses_operator.planning.planner import Options, Planner
from lenses_operator.planning.result import ERRORS, Result
from lenses_operator.resources.base import API_VERSION
from lenses_operator.resources.connector import KIND, PLURAL

SUSPENDED = "It is suspended: nothing of this is done before spec.suspend is false."


async def diff_of(access: Access, lenses: LensesAccess, names: tuple[str, ...], selector: str, output: Format) -> int:
    """The exit code. Raises KubeError."""
    async with session(access) as cluster, lenses.client() as client:
        bodies, missing = await _bodies(cluster, names, selector)
        with progress("comparing", len(bodies)) as step:
            result = await planned(cluster, client, map(_unsuspended, bodies), step)
    suspended = {_key(body["metadata"]) for body in bodies if body["spec"].get("suspend")}
    for item in result.items:
        if (item.namespace, item.name) in suspended:
            item.notes.append(SUSPENDED)
    for name in missing:
        complain(f"there is no LensesConnector {name} in namespace {cluster.home}")
    if output == "table":
        print_plan(result)
    else:
        print_document(result.data(), output)
    return ERRORS if missing else result.exit_code


def _key(metadata: Mapping[str, Any]) -> tuple[str, str]:
    return metadata["namespace"], metadata["name"]


def _unsuspended(body: Mapping[str, Any]) -> dict[str, Any]:
    """A plan does nothing for what is suspended; what differs is worth knowing all the same."""
    return {**body, "spec": {**body["spec"], "suspend": False}}


async def _bodies(cluster: Session, names: tuple[str, ...], selector: str) -> tuple[list[dict[str, Any]], list[str]]:
    """And the names of which there is none."""
    if not names:
        return await cluster.list(PLURAL, cluster.home, selector), []
    names = tuple(dict.fromkeys(names))
    found = await asyncio.gather(*(cluster.get(PLURAL, cluster.home, name) for name in names))
    missing = [name for name, body in zip(names, found, strict=True) if body is None]
    return [body for body in found if body is not None], missing


async def planned(
    cluster: Session,
    client: LensesClient,
    bodies: Iterable[Mapping[str, Any]],
    step: Callable[[], None] = lambda: None,
) -> Result:
    """Of objects with their namespaces; a list's items do not say what they are."""
    whole = [{"apiVersion": API_VERSION, "kind": KIND, **body} for body in bodies]
    planner = Planner(LensesView(client), KubeCluster(cluster.api), Options(), step)
    return (await planner.plan(of_objects(whole))).without_places()
