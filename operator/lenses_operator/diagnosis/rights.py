"""What the operator's account must be allowed in Kubernetes, and what its rights mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lenses_operator.diagnosis.results import Result, failed, ok, skipped, some, warning
from lenses_operator.resources.base import GROUP as API_GROUP
from lenses_operator.resources.connector import PLURAL as CONNECTORS
from lenses_operator.resources.connector_offsets import PLURAL as OFFSETS

GROUP = "Kubernetes rights"


@dataclass(frozen=True)
class Right:
    """One verb on one resource; `namespace` empty: in all of them. `need`: empty if it always is."""

    verb: str
    resource: str
    namespace: str = ""
    group: str = ""
    subresource: str = ""
    name: str = ""
    need: str = ""

    @property
    def target(self) -> str:
        name = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{name}/{self.subresource}" if self.subresource else name


@dataclass(frozen=True)
class Lease:
    """Leader election's; the chart gives rights on this one name."""

    namespace: str
    name: str


@dataclass(frozen=True)
class Account:
    """A ServiceAccount."""

    namespace: str
    name: str

    @property
    def user(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.name}"

    @property
    def groups(self) -> list[str]:
        return ["system:serviceaccounts", f"system:serviceaccounts:{self.namespace}", "system:authenticated"]


def needed(watched: Sequence[str], used: Sequence[str], lease: Lease | None, *, watching: bool = False) -> list[Right]:
    """`watched`: namespaces the operator is told to watch, none for all. `used`: those that have resources.

    `watching`: whether changes of Secrets and ConfigMaps are watched for.
    """
    rights = []
    for namespace in [*watched] or [""]:
        for plural in (CONNECTORS, OFFSETS):
            rights += [Right(verb, plural, namespace, API_GROUP) for verb in ("get", "list", "watch", "patch")]
            rights.append(Right("patch", plural, namespace, API_GROUP, "status"))
    reading = ("get", "list", "watch") if watching else ("get",)
    for namespace in [*watched] or [*used] or [""]:
        for kind in ("secrets", "configmaps"):
            # Watching is for all namespaces where none are named; reading happens where resources are.
            places = {verb: namespace if verb == "get" or watched else "" for verb in reading}
            rights += [Right(verb, kind, place, need="configFrom, tokenSecretRef") for verb, place in places.items()]
        rights += [Right(verb, "events", namespace, need="Events") for verb in ("create", "patch")]
    if lease:
        group, need = "coordination.k8s.io", "leader election"
        rights.append(Right("create", "leases", lease.namespace, group, need=need))
        rights += [
            Right(verb, "leases", lease.namespace, group, name=lease.name, need=need) for verb in ("get", "update")
        ]
    return rights


def unknown(first: Right, account: Account | None, why: str) -> Result:
    """The one who asks may not ask."""
    remedy = (
        f"Ask somebody who may create subjectaccessreviews, or try the rights one by one: {_command(first, account)}"
    )
    return skipped(GROUP, "all", f"cannot be looked up: {why}", remedy)


def judge(answers: Mapping[Right, bool], who: str, account: Account | None) -> list[Result]:
    """A line for each resource, or one for an account that may nothing at all."""
    if not any(answers.values()):
        remedy = "Is this its name (kubectl get serviceaccounts), and is it bound to the chart's roles?"
        return [failed(GROUP, "all", f"{who} may do nothing of what an operator needs", remedy)]
    targets: dict[str, list[Right]] = {}
    for right in answers:
        targets.setdefault(right.target, []).append(right)
    return [_judge(target, rights, answers, who, account) for target, rights in targets.items()]


def _judge(
    target: str, rights: Sequence[Right], answers: Mapping[Right, bool], who: str, account: Account | None
) -> Result:
    missing = [right for right in rights if not answers[right]]
    if not missing:
        return ok(GROUP, target, ", ".join(dict.fromkeys(right.verb for right in rights)))
    verbs = ", ".join(dict.fromkeys(right.verb for right in missing))
    places = sorted({right.namespace for right in missing})
    where = "in all namespaces" if places == [""] else f"in {some(places)}"
    need = missing[0].need
    first = missing[0]
    message = f"{who} may not {verbs} {target} {where}" + (f" (needed for {need})" if need else "")
    kind = "ClusterRole" if first.namespace == "" or first.group == API_GROUP else "Role"
    remedy = f"Give it a {kind} with these verbs; the chart's has them. Check: {_command(first, account)}"
    make = warning if need in ("Events", "leader election") else failed
    return make(GROUP, target, message, remedy)


def _command(right: Right, account: Account | None) -> str:
    target = f"{right.resource}.{right.group}" if right.group else right.resource
    target += f"/{right.name}" if right.name else ""
    words = ["kubectl auth can-i", right.verb, target]
    if right.subresource:
        words.append(f"--subresource={right.subresource}")
    words.append(f"-n {right.namespace}" if right.namespace else "-A")
    if account:
        words.append(f"--as={account.user}")
    return " ".join(words)
