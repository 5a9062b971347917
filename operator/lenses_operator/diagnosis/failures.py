"""A request to Lenses that did not succeed: what it means for the person who set this up."""

from __future__ import annotations

from lenses_operator.diagnosis.results import Result, Verdict
from lenses_operator.lenses import errors

_SHOWN = 240
"""Characters of the server's words; enough to search for in its log."""


def failure(group: str, check: str, error: errors.LensesError) -> Result:
    verdict, message, remedy = _judge(error)
    return Result(group, check, verdict, message, remedy, seen(error))


def seen(error: errors.LensesError) -> str:
    """Status and shape of the answer, and the beginning of its words; empty where none came."""
    match error:
        case errors.LensesUnreachable():
            return ""
        case errors.UnusableAnswer():
            told = f"status {error.status}, neither the agent's nor HQ's shape"
        case errors.LensesRefused():
            shape = f"{error.speaker}'s shape" if error.speaker else "neither the agent's nor HQ's shape"
            told = f"status {error.status}, {shape}" + (f", {error.error_type}" if error.error_type else "")
        case _:
            told = ""
    words = errors.one_line(error.words, _SHOWN)
    return f"{told}: {words}" if words else told


def _judge(error: errors.LensesError) -> tuple[Verdict, str, str]:
    match error:
        case errors.LensesUnreachable():
            return (
                Verdict.FAILED,
                error.message,
                "See the checks of the connection; a proxy or firewall may be between.",
            )
        case errors.UnusableAnswer():
            return _unusable(error)
        case errors.LensesRefused():
            return _refused(error)
        case _:
            return Verdict.FAILED, str(error), "Please report this with the output of --verbose."


def _unusable(error: errors.UnusableAnswer) -> tuple[Verdict, str, str]:
    if error.status == 404 or error.status >= 300 or not error.message.partition(": ")[2]:
        remedy = (
            "Something else than Lenses answers: an ingress, a login page, or a Connect worker that is just starting. "
            "Check the URL, and what is in front of Lenses; an API path must not be sent to a login."
        )
    else:
        remedy = "This Lenses does not answer as its API description says. Please report status and shape."
    return Verdict.FAILED, error.message, remedy


def _refused(error: errors.LensesRefused) -> tuple[Verdict, str, str]:
    says = error.message
    match error:
        case errors.Unauthorized():
            return Verdict.FAILED, f"the token is not accepted: {says}", UNAUTHORIZED
        case errors.LicenceRequired():
            return Verdict.FAILED, f"the licence does not cover this: {says}", "Check the licence in Lenses' settings."
        case errors.Forbidden():
            return (
                Verdict.FAILED,
                f"the token is known, but may not do this: {says}",
                "Give the token's service account in Lenses a role that allows it for this environment and cluster.",
            )
        case errors.EnvironmentNotFound():
            return (
                Verdict.FAILED,
                f"no such environment, or none that this token may see: {says}",
                "Compare spec.environment with the environment's name in Lenses (not its display name).",
            )
        case errors.ConnectorOrClusterNotFound():
            return (
                Verdict.FAILED,
                f"the agent does not know this cluster or connector: {says}",
                "Compare spec.cluster with the Connect cluster's name in Lenses.",
            )
        case errors.AgentNotConnected():
            return (
                Verdict.FAILED,
                f"the agent of this environment is not connected to Lenses: {says}",
                "Look at the agent's log: it dials out to Lenses, so its address, key and egress matter.",
            )
        case errors.MissingAgentCapability():
            return (
                Verdict.FAILED,
                f"this Lenses, its agent or Kafka Connect does not know the operation: {says}",
                "Upgrade the agent of this environment (and Lenses, if it is older), or the Connect workers.",
            )
        case errors.RateLimited():
            return Verdict.WARNING, says, "Too many requests: another client uses the same Lenses; try again later."
        case errors.Conflict():
            return Verdict.WARNING, f"Connect is rebalancing: {says}", "Try again in a minute."
        case errors.ServerError():
            return (
                Verdict.FAILED,
                says,
                "Lenses, its agent, Connect or an ingress between them is in trouble; look at their logs.",
            )
        case _:
            return Verdict.FAILED, says, "Please report this with the output of --verbose."


UNAUTHORIZED = (
    "Check the token file: the token may be expired, revoked, cut short, or from another Lenses. "
    "It is sent as Authorization: Bearer."
)
