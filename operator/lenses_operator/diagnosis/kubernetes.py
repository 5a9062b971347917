"""The cluster's side: the kinds, and the operator that should run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from lenses_operator.diagnosis.results import Result, failed, ok, skipped, some
from lenses_operator.diagnosis.schema import has_status, missing_fields, served_schema
from lenses_operator.resources.base import GROUP as API_GROUP
from lenses_operator.resources.base import VERSION, Resource
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets

GROUP = "Kubernetes"
AnyResource = LensesConnector | LensesConnectorOffsets
KINDS: tuple[type[AnyResource], ...] = (LensesConnector, LensesConnectorOffsets)
LEASE_LATE = timedelta(seconds=60)
"""Several times the lease's duration, since the clocks may differ."""
_PODS = "Look at its pod: kubectl get pods -A -l app.kubernetes.io/name=lenses-operator"
APPLY = "Apply the CRD files of the operator's version: kubectl apply --server-side -f crds/ (helm never updates CRDs)."


def unreachable(why: str) -> Result:
    return failed(
        GROUP,
        "API server",
        why,
        "Check KUBECONFIG and its current context, or leave Kubernetes out with --skip-kubernetes.",
    )


def kind_problem(plural: str, status: int, why: str) -> Result:
    """The list of a kind failed: 404 means that the kind is not there."""
    if status == 404:
        return failed(GROUP, plural, "the kind is not installed", APPLY)
    if status == 403:
        return failed(
            GROUP, plural, f"this account may not list it: {why}", "Use an account that may read it, or -n NAMESPACE."
        )
    return failed(GROUP, plural, why, "See the API server.")


def definition(kind: type[Resource], found: Mapping[str, Any] | None) -> Result:
    """`found`: the CustomResourceDefinition."""
    if found is None:
        return failed(GROUP, kind.plural, "the kind is not installed", APPLY)
    schema = served_schema(found, VERSION)
    if schema is None:
        return failed(GROUP, kind.plural, f"version {VERSION} is not served", APPLY)
    conditions = {one["type"]: one["status"] for one in (found.get("status") or {}).get("conditions") or []}
    if conditions.get("Established") != "True":
        return failed(GROUP, kind.plural, "the CRD is not established", f"See kubectl describe crd {_name(kind)}.")
    if not has_status(found, VERSION):
        return failed(GROUP, kind.plural, "the CRD has no status subresource: it is not the operator's", APPLY)
    lacking = [
        path
        for part in ("spec", "status")
        for path in missing_fields(
            _part(kind, part), (schema.get("properties") or {}).get(part) or {}, prefix=f"{part}."
        )
    ]
    if lacking:
        message = f"the CRD is older than this operator, it lacks {some(lacking)}"
        return failed(GROUP, kind.plural, message, APPLY)
    return ok(GROUP, kind.plural, f"{API_GROUP}/{VERSION} is served and has every field")


def definition_hidden(kind: type[Resource]) -> Result:
    return skipped(
        GROUP,
        kind.plural,
        "served, but this account may not read the CRD, so its fields are not compared",
        f"Run this with an account that may get customresourcedefinitions, or kubectl get crd {_name(kind)}.",
    )


def _name(kind: type[Resource]) -> str:
    return f"{kind.plural}.{API_GROUP}"


def _part(kind: type[Resource], name: str) -> Any:
    return kind.model_fields[name].annotation


def operator(leases: Sequence[Mapping[str, Any]], now: datetime) -> Result:
    """By the leases of leader election; `leases` are those that bear the operator's name."""
    if not leases:
        return skipped(GROUP, "operator", "no lease, so leader election is off or no operator has ever run", _PODS)
    lines = [_leading(lease, now) for lease in leases]
    late = [line for alive, line in lines if not alive]
    if len(late) == len(lines):
        return failed(GROUP, "operator", "; ".join(late), f"No operator works. {_PODS}")
    return ok(GROUP, "operator", "; ".join(line for alive, line in lines if alive))


def leases_hidden(why: str) -> Result:
    return skipped(GROUP, "operator", f"its lease is not to be seen: {why}", _PODS)


def no_election() -> Result:
    return skipped(GROUP, "operator", "leader election is off here, so there is no lease to look at", _PODS)


def _leading(lease: Mapping[str, Any], now: datetime) -> tuple[bool, str]:
    metadata, spec = lease["metadata"], lease.get("spec") or {}
    name, holder = f"lease {metadata['namespace']}/{metadata['name']}", spec.get("holderIdentity") or ""
    renewed = _moment(spec.get("renewTime"))
    if not holder or renewed is None:
        return False, f"nobody holds {name}"
    age = now - renewed
    if age > LEASE_LATE:
        return False, f"{holder} has not renewed {name} for {age.total_seconds():.0f} s"
    return True, f"{holder} holds {name}"


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
