"""Each kind of error, and how a condition says it."""

from __future__ import annotations

from lenses_operator.lenses import errors
from lenses_operator.resources.conditions import Phase

WAITING = ("Unknown", Phase.RECONCILING)
STALLED = ("False", Phase.STALLED)
TABLE: dict[type[errors.LensesError], tuple[str, tuple[str, Phase]]] = {
    errors.LensesUnreachable: ("LensesUnavailable", WAITING),
    errors.UnusableAnswer: ("LensesUnavailable", WAITING),
    errors.BadRequest: ("LensesUnavailable", WAITING),
    errors.Unauthorized: ("Unauthorized", STALLED),
    errors.LicenceRequired: ("LicenseRequired", STALLED),
    errors.Forbidden: ("Forbidden", STALLED),
    errors.NotFound: ("LensesUnavailable", WAITING),
    errors.ConnectorOrClusterNotFound: ("LensesUnavailable", WAITING),
    errors.EnvironmentNotFound: ("EnvironmentNotFound", STALLED),
    errors.Conflict: ("ConnectRebalancing", WAITING),
    errors.AlreadyExists: ("LensesUnavailable", WAITING),
    errors.AgentCallFailed: ("LensesUnavailable", WAITING),
    errors.RateLimited: ("LensesUnavailable", WAITING),
    errors.AgentNotConnected: ("AgentNotConnected", WAITING),
    errors.MissingAgentCapability: ("LensesUnavailable", WAITING),
    errors.ServerError: ("LensesUnavailable", WAITING),
    errors.UnexpectedStatus: ("LensesUnavailable", WAITING),
}


def error(kind: type[errors.LensesError], detail: str = "the server's words.") -> errors.LensesError:
    if kind is errors.UnusableAnswer:
        return errors.UnusableAnswer("get_connector", "no answer", status=200, detail=detail)
    return kind("get_connector", "in short", detail=detail)
