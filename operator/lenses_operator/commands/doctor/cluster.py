"""Asks Kubernetes: the kinds, the operator's rights, the resources, the lease."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from lenses_operator.diagnosis import kubernetes as judge
from lenses_operator.diagnosis import rights
from lenses_operator.diagnosis.census import Census
from lenses_operator.diagnosis.results import Result, skipped
from lenses_operator.diagnosis.rights import Account, Lease
from lenses_operator.kube.access import Access, as_pod
from lenses_operator.kube.errors import KubeError
from lenses_operator.kube.inspection import Inspector, OnResponse, inspector
from lenses_operator.resources.base import Resource

LEASE = "lenses-operator"
"""Part of the lease's name, whatever the release is called."""


@dataclass(frozen=True)
class Scope:
    """`namespaces`: those the operator watches, none for all."""

    namespaces: tuple[str, ...]
    selector: str
    account: Account | None
    election: Lease | None
    access: Access
    watching: bool
    """Secrets and ConfigMaps. Both as the operator's settings say, where they are at hand."""


async def look(scope: Scope, census: Census, say: OnResponse | None) -> list[Result]:
    """What was found; the resources are added to the census."""
    try:
        async with inspector(scope.access, say) as cluster:
            return await _look(cluster, scope, census)
    except KubeError as error:
        return [judge.unreachable(str(error))]


async def _look(cluster: Inspector, scope: Scope, census: Census) -> list[Result]:
    results: list[Result] = []
    readable = True
    for kind in judge.KINDS:
        try:
            await _count(cluster, scope, kind, census)
        except KubeError as error:
            if error.status in (0, 401):
                raise
            results.append(judge.kind_problem(kind.plural, error.status, str(error)))
            readable = False
            continue
        results.append(await _definition(cluster, kind))
    line, lease = await _operator(cluster, scope, datetime.now(UTC))
    results.append(line)
    results += await _rights(cluster, scope, sorted(census.namespaces), lease)
    if readable:
        results += census.results()
    return results


async def _count(cluster: Inspector, scope: Scope, kind: type[judge.AnyResource], census: Census) -> None:
    async for page in cluster.pages(kind.plural, scope.namespaces, scope.selector):
        for body in page.bodies:
            try:
                census.add(kind.parse(body))
            except ValidationError:
                metadata = body["metadata"]
                census.add_unreadable(f"{kind.kind_name} {metadata.get('namespace')}/{metadata['name']}")


async def _definition(cluster: Inspector, kind: type[Resource]) -> Result:
    try:
        return judge.definition(kind, await cluster.definition(kind.plural))
    except KubeError as error:
        if error.status == 403:
            return judge.definition_hidden(kind)
        return judge.kind_problem(kind.plural, error.status, str(error))


async def _operator(cluster: Inspector, scope: Scope, now: datetime) -> tuple[Result, Lease | None]:
    """Whether one works, and the lease its account needs rights on. The account may read its own lease alone."""
    election, account = scope.election, scope.account
    try:
        if account is None and as_pod(scope.access):
            if election is None:
                return judge.no_election(), None
            found = await cluster.lease(election.namespace, election.name)
            return judge.operator([found] if found else [], now), election
        leases = [one for one in await cluster.leases(account.namespace if account else "") if _ours(one, account)]
    except KubeError as error:
        return judge.leases_hidden(str(error)), election or _usual(account)
    first = Lease(leases[0]["metadata"]["namespace"], leases[0]["metadata"]["name"]) if leases else None
    return judge.operator(leases, now), first or _usual(account)


def _ours(lease: dict[str, Any], account: Account | None) -> bool:
    name = lease["metadata"]["name"]
    return LEASE in name or (account is not None and name == account.name)


def _usual(account: Account | None) -> Lease | None:
    """The chart names the lease like the account."""
    return Lease(account.namespace, account.name) if account else None


async def _rights(cluster: Inspector, scope: Scope, used: Sequence[str], lease: Lease | None) -> list[Result]:
    account = scope.account
    if account is None and not as_pod(scope.access):
        why = "whose? From outside the pod the operator's ServiceAccount has to be named"
        return [skipped(rights.GROUP, "all", why, "Give --service-account NAMESPACE/NAME.")]
    wanted = rights.needed(scope.namespaces, used, lease, watching=scope.watching)
    answers: dict[rights.Right, bool] = {}
    try:
        for right in wanted:
            answers[right] = await cluster.may(
                right.verb,
                right.resource,
                namespace=right.namespace,
                group=right.group,
                subresource=right.subresource,
                name=right.name,
                user=account.user if account else "",
                groups=account.groups if account else (),
            )
    except KubeError as error:
        return [rights.unknown(wanted[0], account, str(error))]
    return rights.judge(answers, account.user if account else "this pod's account", account)
