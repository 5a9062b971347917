"""Asks an environment which names get through to its agent, and whether it has the resource-as-code endpoint."""

from __future__ import annotations

from collections.abc import Sequence

from lenses_operator.diagnosis import offers as judge
from lenses_operator.diagnosis.results import Result
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.errors import ConnectorOrClusterNotFound, LensesError
from lenses_operator.lenses.models import ConnectorName

CLUSTERS = 3
"""Asked for one that answers as Lenses does."""


async def names(client: LensesClient, environment: str, clusters: Sequence[str]) -> list[Result]:
    """Only a name whose twin without anything special is answered by the agent tells something of the way."""
    error: LensesError | None = None
    for cluster in clusters[:CLUSTERS]:
        error = await _refusal(client, environment, cluster, judge.PLAIN)
        if isinstance(error, ConnectorOrClusterNotFound):
            return [
                judge.name_answered(environment, name, await _refusal(client, environment, cluster, name))
                for name in judge.SPECIAL
            ]
    return [judge.plain_name_unanswered(environment, error)] if clusters else []


async def _refusal(client: LensesClient, environment: str, cluster: str, name: str) -> LensesError | None:
    try:
        await client.get_connector(environment, cluster, name)
    except LensesError as error:
        return error
    return None


async def resource(
    client: LensesClient, environment: str, connectors: Sequence[ConnectorName], users: Sequence[str]
) -> Result:
    """`users`: the resources that want to be updated in place."""
    if not connectors:
        return judge.resource_unknown(environment, "there is no connector to try it on")
    one = connectors[0]
    try:
        await client.get_resource(environment, one.cluster, one.name)
    except LensesError as error:
        return judge.resource_not_offered(environment, error, users)
    return judge.resource_offered(environment, users)
