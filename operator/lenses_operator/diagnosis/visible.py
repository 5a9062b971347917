"""Which environments a token sees, and whether they are the ones that are asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from lenses_operator.diagnosis.connection import GROUP
from lenses_operator.diagnosis.environment_findings import ROLE, Wanted, group
from lenses_operator.diagnosis.failures import failure, seen
from lenses_operator.diagnosis.results import Result, Verdict, failed, ok, skipped, some, warning
from lenses_operator.domain import lenses_names
from lenses_operator.lenses import errors
from lenses_operator.lenses.models import ConnectorName, EnvironmentInfo

CHECK = "environments"
ACCESS = "environments:AccessEnvironment"


def visible(infos: Sequence[EnvironmentInfo], asked: Mapping[str, Sequence[str]]) -> list[Result]:
    """`asked`: each environment with those that name it."""
    names = {one.name for one in infos if one.name}
    missing = [_missing(name, users, infos) for name, users in sorted(asked.items()) if name not in names]
    if names:
        return [ok(GROUP, CHECK, f"the token sees {some(sorted(map(_words, infos)), 20)}"), *missing]
    return missing or [
        warning(GROUP, CHECK, "the token sees none", f"Give the token's role {ACCESS} for the environments. {ROLE}")
    ]


def _words(info: EnvironmentInfo) -> str:
    away = info.status is not None and info.status.agent_connected is False
    return f"{info.name or 'one without a name'}{' (its agent is not connected)' if away else ''}"


def _missing(name: str, users: Sequence[str], infos: Sequence[EnvironmentInfo]) -> Result:
    real = next((one.name for one in infos if one.name and one.display_name == name), None)
    if real:
        remedy = f"{name!r} is the display name of environment {real}: resources have to name {real}."
    else:
        remedy = (
            "Compare it with the environment's name in Lenses (not its display name), or give the token's role "
            f"{ACCESS} for it. {ROLE}"
        )
    message = f"the token does not see {name!r}, which {some(users, 3)} name{'s' if len(users) == 1 else ''}"
    return failed(GROUP, CHECK, message, remedy)


def not_listed(error: errors.LensesError) -> Result:
    """The list is outside the Kafka Connect API, and the operator does without it."""
    match error:
        case errors.Unauthorized():
            return failure(GROUP, CHECK, error)
        case errors.MissingAgentCapability() | errors.UnusableAnswer() | errors.Forbidden():
            message = f"this Lenses does not list them for this token ({error.message})"
            remedy = "The operator does not need the list; each environment is checked below."
            return replace(skipped(GROUP, CHECK, message, remedy), seen=seen(error))
        case _:
            return replace(failure(GROUP, CHECK, error), verdict=Verdict.WARNING)


def odd_names(
    environment: str, clusters: Collection[str], connectors: Collection[ConnectorName], wanted: Mapping[str, Wanted]
) -> list[Result]:
    """Names that Lenses or its permissions are not known to take; no line where there are none."""
    found = [("name", lenses_names.odd_environment(environment))]
    found += [(f"{one}: name", lenses_names.odd_cluster(one)) for one in sorted(clusters)]
    for cluster in sorted(clusters):
        there = (one.name for one in connectors if one.cluster == cluster)
        asked = wanted[cluster].odd if cluster in wanted else ()
        odd = sorted({name for name in chain(there, asked) if lenses_names.odd_connector(name)})
        if odd:
            words = lenses_names.odd_connector(odd[0])
            more = f" (and {len(odd) - 1} more)" if len(odd) > 1 else ""
            found.append((f"{cluster}: connector names", f"{words}{more}"))
    remedy = "The operator tries such a name all the same: where Lenses takes it, all is well."
    return [warning(group(environment), check, words, remedy) for check, words in found if words]
