"""Asks one environment everything that can be asked without changing anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar

from lenses_operator.commands.doctor import offers
from lenses_operator.diagnosis import environment_findings as judge
from lenses_operator.diagnosis.environment_findings import Wanted
from lenses_operator.diagnosis.results import Result
from lenses_operator.diagnosis.visible import not_listed, odd_names, visible
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.errors import LensesError
from lenses_operator.lenses.models import ConnectorName, ConnectorRequest, Plugin

T = TypeVar("T")
NAME = "lenses-operator-doctor"
"""Of the connector that is validated and never created."""


async def examine(client: LensesClient, name: str, wanted: Mapping[str, Wanted]) -> list[Result]:
    """`wanted`: what the resources ask of each cluster."""
    results = [await _agent(client, name)]
    listed = await _attempt(client.name_connectors(name))
    plugins = await _attempt(client.list_plugins(name))
    if isinstance(listed, LensesError):
        results.append(judge.not_allowed(name, "list connectors", listed))
    else:
        results.append(judge.listed(name, listed, wanted))
    if isinstance(plugins, LensesError):
        results.append(judge.not_allowed(name, "list plugins", plugins))
    else:
        results.append(judge.allowed(name, "list plugins", note=f"allowed, {len(plugins)} to be seen"))
    if isinstance(listed, LensesError) and isinstance(plugins, LensesError):
        return results  # the same again for everything else
    connectors = () if isinstance(listed, LensesError) else listed
    classes = None if isinstance(plugins, LensesError) else plugins
    clusters, lines = judge.clusters(
        name, {one.cluster for one in connectors}, {one.cluster for one in classes or ()}, wanted
    )
    found = await asyncio.gather(
        *(_cluster(client, name, cluster, connectors, classes, wanted.get(cluster, Wanted({}))) for cluster in clusters)
    )
    users = [user for one in wanted.values() for user in one.in_place]
    return [
        *results,
        *lines,
        *(result for part in found for result in part),
        *await offers.names(client, name, clusters),
        await offers.resource(client, name, connectors, users),
        *odd_names(name, clusters, connectors, wanted),
        *judge.writes(name),
    ]


async def sees(client: LensesClient, asked: Mapping[str, Sequence[str]]) -> list[Result]:
    """`asked`: each environment with those that name it."""
    try:
        return visible(await client.list_environments(), asked)
    except LensesError as error:
        return [not_listed(error)]


async def _agent(client: LensesClient, name: str) -> Result:
    try:
        return judge.environment(name, await client.get_environment(name))
    except LensesError as error:
        return judge.environment_failed(name, error)


async def _cluster(
    client: LensesClient,
    name: str,
    cluster: str,
    connectors: Sequence[ConnectorName],
    plugins: Sequence[Plugin] | None,
    wanted: Wanted,
) -> list[Result]:
    info = await _attempt(client.get_cluster_info(name, cluster))
    if isinstance(info, LensesError):
        return [judge.not_allowed(name, "cluster info", info, cluster)]
    results = judge.version(name, cluster, info)
    if plugins is not None:
        results += judge.installed(name, cluster, plugins, wanted)
        results.append(await _validate(client, name, cluster, plugins))
    connector = next((one.name for one in connectors if one.cluster == cluster), None)
    if connector is None:
        return results + judge.no_connector(name, cluster)
    details = await _attempt(client.get_connector(name, cluster, connector))
    if isinstance(details, LensesError):
        results.append(judge.not_allowed(name, "get connector", details, cluster))
    else:
        results.append(judge.shown(name, cluster, details))
    reads: dict[str, Awaitable[object]] = {
        "get topics": client.get_topics(name, cluster, connector),
        "get offsets": client.get_offsets(name, cluster, connector),
    }
    for operation, read in reads.items():
        answer = await _attempt(read)
        if isinstance(answer, LensesError):
            results.append(judge.not_allowed(name, operation, answer, cluster, info.version))
        else:
            results.append(judge.allowed(name, operation, cluster))
    return results


async def _validate(client: LensesClient, name: str, cluster: str, plugins: Sequence[Plugin]) -> Result:
    """A configuration of one key reaches no outside system; whatever the verdict, the operation may be used."""
    here = sorted(one.class_name for one in plugins if one.cluster == cluster and one.type in (None, "source", "sink"))
    if not here:
        return judge.no_plugin(name, cluster)
    request = ConnectorRequest(name=NAME, cluster=cluster, configuration={"connector.class": here[0]})
    try:
        await client.validate(name, request)
    except LensesError as error:
        return judge.validation_failed(name, cluster, here[0], error)
    return judge.validated(name, cluster, here[0])


async def _attempt(answer: Awaitable[T]) -> T | LensesError:
    try:
        return await answer
    except LensesError as error:
        return error
