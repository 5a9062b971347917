"""Asks Kubernetes: the kinds, the operator's rights, the resources, the lease."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import ValidationError

from lenses_operator.diagnosis import kubernetes as judge
from lenses_operator.diagnosis import rights
from lenses_operator.diagnosis.results import Result, skipped
from lenses_operator.diagnosis.rights import Account
from lenses_operator.kube.api import KubeError
from lenses_operator.kube.inspection import Inspector, Observer, in_pod, inspector
from lenses_operator.resources.base import Resource
from lenses_operator.resources.connector import LensesConnector

LEASE = "lenses-operator"
"""Part of the lease's name, whatever the release is called."""


@dataclass(frozen=True)
class Scope:
    """`namespaces`: those the operator watches, none for all."""

    namespaces: tuple[str, ...]
    account: Account | None


async def look(scope: Scope, say: Observer | None) -> tuple[list[Result], list[LensesConnector]]:
    """What was found, and the connectors that are there."""
    try:
        async with inspector(say) as cluster:
            return await _look(cluster, scope)
    except KubeError as error:
        return [judge.unreachable(str(error))], []


async def _look(cluster: Inspector, scope: Scope) -> tuple[list[Result], list[LensesConnector]]:
    results: list[Result] = []
    resources: list[judge.AnyResource] = []
    unreadable: list[str] = []
    for kind in judge.KINDS:
        try:
            bodies = await cluster.list_all(kind.plural, scope.namespaces)
        except KubeError as error:
            if not error.status:
                raise
            results.append(judge.kind_problem(kind.plural, error.status, str(error)))
            continue
        results.append(await _definition(cluster, kind))
        for body in bodies:
            try:
                resources.append(kind.parse(body))
            except ValidationError:
                unreadable.append(f"{kind.kind_name} {body['metadata'].get('namespace')}/{body['metadata']['name']}")
    now = datetime.now(UTC)
    if resources or unreadable or len(results) == len(judge.KINDS):
        results += judge.resources(resources, unreadable, now)
    results.append(await _operator(cluster, scope, now))
    results += await _rights(cluster, scope, sorted({one.metadata.namespace for one in resources}))
    return results, [one for one in resources if isinstance(one, LensesConnector)]


async def _definition(cluster: Inspector, kind: type[Resource]) -> Result:
    try:
        return judge.definition(kind, await cluster.definition(kind.plural))
    except KubeError as error:
        if error.status == 403:
            return judge.definition_hidden(kind)
        return judge.kind_problem(kind.plural, error.status, str(error))


async def _operator(cluster: Inspector, scope: Scope, now: datetime) -> Result:
    namespace = scope.account.namespace if scope.account else ""
    try:
        leases = await cluster.leases(namespace)
    except KubeError as error:
        return judge.leases_hidden(str(error))
    return judge.operator([one for one in leases if LEASE in one["metadata"]["name"]], now)


async def _rights(cluster: Inspector, scope: Scope, used: Sequence[str]) -> list[Result]:
    account = scope.account
    if account is None and not in_pod():
        why = "whose? From outside the pod the operator's ServiceAccount has to be named"
        return [skipped(rights.GROUP, "all", why, "Give --service-account NAMESPACE/NAME.")]
    wanted = rights.needed(scope.namespaces, used, account.namespace if account else "")
    answers: dict[rights.Right, bool] = {}
    try:
        for right in wanted:
            answers[right] = await cluster.may(
                right.verb,
                right.resource,
                namespace=right.namespace,
                group=right.group,
                subresource=right.subresource,
                user=account.user if account else "",
                groups=account.groups if account else (),
            )
    except KubeError as error:
        return [rights.unknown(wanted[0], account, str(error))]
    return rights.judge(answers, account.user if account else "this pod's account", account)
