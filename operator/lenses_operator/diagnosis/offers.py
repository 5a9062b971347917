"""What the way to an environment lets through, and what its Lenses has beside the Kafka Connect API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lenses_operator.diagnosis.environment_findings import group
from lenses_operator.diagnosis.failures import seen
from lenses_operator.diagnosis.results import Result, failed, ok, skipped, some, warning
from lenses_operator.lenses import errors

NAMES = "connector names"
RESOURCE = "resource as code"
PLAIN = "doctor-probe"
SPECIAL = {"doctor probe": "a space", "doctor->probe": "'->'"}
"""Names that no connector has, with what is special about each."""


def plain_name_unanswered(environment: str, error: errors.LensesError | None) -> Result:
    """Without the agent's 404 for a plain name, an answer to another one proves nothing."""
    why = "a connector of that name exists" if error is None else f"a plain name is answered with {error.message}"
    remedy = "Run this again once a connector that does not exist is answered with the agent's own 404."
    return skipped(group(environment), NAMES, f"cannot be tried: {why}", remedy)


def name_answered(environment: str, name: str, error: errors.LensesError | None) -> Result:
    """`error`: the answer to a name with something special, where one without got the agent's 404."""
    what = SPECIAL[name]
    match error:
        case None | errors.ConnectorOrClusterNotFound():
            return ok(group(environment), f"{NAMES} with {what}", "reach the agent")
        case errors.LensesUnreachable() | errors.ServerError() | errors.AgentNotConnected() | errors.RateLimited():
            return skipped(
                group(environment), f"{NAMES} with {what}", f"cannot be tried: {error.message}", "Run this again."
            )
        case _:
            return warning(
                group(environment),
                f"{NAMES} with {what}",
                f"connectors with {what} in their name cannot be reached: {error.message}, where the agent answers a "
                "plain name",
                "Something between here and the agent decodes or refuses the percent-encoded path: let the ingress or "
                "proxy pass it on as it comes (nginx: proxy_pass without a path). Other names work.",
                seen(error),
            )


def resource_offered(environment: str, users: Sequence[str]) -> Result:
    used = f"; {some(users, 3)} may use it" if users else ""
    return ok(group(environment), RESOURCE, f"offered: updateStrategy InPlace can be used{used}")


def resource_not_offered(environment: str, error: errors.LensesError, users: Sequence[str]) -> Result:
    """A document was asked for of a connector that the list shows."""
    match error:
        case errors.MissingAgentCapability() if users:
            return failed(
                group(environment),
                RESOURCE,
                f"not offered, {error.message}, though {some(users, 3)} ask for updateStrategy InPlace",
                "Their next change is UpdateNotSupported: set updateStrategy: Recreate.",
                seen(error),
            )
        case errors.MissingAgentCapability():
            return ok(group(environment), RESOURCE, f"not offered, {error.message}: only updateStrategy Recreate works")
        case _:
            return resource_unknown(environment, error.message, seen(error))


def resource_unknown(environment: str, why: str, answer: str = "") -> Result:
    remedy = "Only updateStrategy InPlace needs it; run this again once there is a connector that this token may read."
    return replace(skipped(group(environment), RESOURCE, f"cannot be told: {why}", remedy), seen=answer)
