"""From the client's errors to what a condition says of them: whether to wait, or who has to do what."""

from __future__ import annotations

from collections.abc import Callable

from lenses_operator.domain.reasons import Reason
from lenses_operator.lenses import errors
from lenses_operator.resources.conditions import ConditionStatus, Phase, Verdict
from lenses_operator.resources.connector import ConnectorKey

_ABOUT_THE_CLUSTER = frozenset({"get_cluster_info", "list_connectors", "list_plugins"})
_TAKES = {
    "set_state": "stopping a connector takes Kafka Connect 3.5 or later, changing its offsets 3.6",
    "get_offsets": "reading offsets takes Kafka Connect 3.5 or later",
    "alter_offsets": "changing offsets takes Kafka Connect 3.6 or later",
    "reset_offsets": "changing offsets takes Kafka Connect 3.6 or later",
}
"""What came to Kafka Connect late: pausing and resuming have always been there."""
_ABOUT_THE_CONFIGURATION = frozenset({"validate", "create_connector", "put_resource"})


def problem_of(
    error: errors.LensesError,
    connector: ConnectorKey,
    redact: Callable[[str], str],
    token: str | None = None,
    *,
    version: str | None = None,
    listed: bool = False,
    holder: str = "",
) -> Verdict:
    """Passing trouble is Unknown and Reconciling; what a person must fix is False and Stalled.

    `token`: where the token comes from if it is not the operator's own. `version`: of the cluster's Kafka Connect, as
    far as it is known. `listed`: the cluster has shown its connectors lately.
    `holder`: whose spec names the environment and the cluster, if it is not this resource's own.
    """
    words = error.explain(redact).rstrip(".")
    env, cluster = connector.environment, connector.cluster
    if isinstance(error, errors.MissingAgentCapability) and error.operation in _TAKES:
        return _not_supported(error.operation, connector, words, version)
    match error:
        case errors.Unauthorized():
            return _unauthorized(words, token)
        case errors.Forbidden():
            whose = "operator's token" if token is None else f"token of {token}"
            return _stalled(
                Reason.FORBIDDEN,
                f"The {whose} may not do this in environment {env} ({words}). "
                f"Grant its Lenses account the permissions for Kafka Connect cluster {cluster}.",
            )
        case errors.LicenceRequired():
            return _stalled(Reason.LICENSE_REQUIRED, f"The Lenses licence does not allow this ({words}).")
        case errors.EnvironmentNotFound():
            return _stalled(
                Reason.ENVIRONMENT_NOT_FOUND,
                f"Lenses knows no environment {env!r}, or the token may not see it ({words}). Grant its "
                f"Lenses account the permission; or, if {_field('environment', holder)} names none, which cannot be "
                f"changed, make a new {_kind(holder)} with the environment's name in Lenses.",
            )
        case errors.ConnectorOrClusterNotFound() if error.operation not in _ABOUT_THE_CLUSTER:
            return _waiting(
                Reason.LENSES_UNAVAILABLE,
                f"Lenses does not find the connector or its plugin ({words}), though cluster {cluster} answers. "
                "The operator checks again.",
            )
        case errors.ConnectorOrClusterNotFound():
            return _cluster_not_found(connector, words, holder, listed=listed)
        case errors.AgentNotConnected():
            return _waiting(
                Reason.AGENT_NOT_CONNECTED,
                f"The Lenses agent of environment {env} is not connected ({words}). "
                "Nothing can be seen or done until it is.",
            )
        case errors.AlreadyExists():
            return _waiting(
                Reason.LENSES_UNAVAILABLE,
                f"Lenses says that connector {connector} exists already ({words}), but does not show it. It may be on "
                "its way out, or the token may have lost the right to see it. The operator checks again.",
            )
        case errors.Conflict():
            return _waiting(
                Reason.CONNECT_REBALANCING,
                f"Connect cluster {cluster} is rebalancing ({words}). Nothing can be done until it has ended.",
            )
        case errors.LensesRefused() if error.operation in _ABOUT_THE_CONFIGURATION and error.status in (400, 500):
            return _waiting(
                Reason.LENSES_UNAVAILABLE,
                f"Lenses did not take the configuration ({words}). One such answer may be due to a rebalance, so it is "
                "tried again; it counts as a refusal when it has been the same for a minute.",
            )
        case _:
            return _waiting(
                Reason.LENSES_UNAVAILABLE,
                f"No usable answer about environment {env}, cluster {cluster} ({words}). What was seen last is "
                "still shown.",
            )


def _unauthorized(words: str, token: str | None) -> Verdict:
    if token is None:
        whose, remedy = "the operator's token", "Put a valid token into the operator's token file"
    else:
        whose, remedy = f"the token of {token}", "Put a valid token into that Secret"
    return _stalled(
        Reason.UNAUTHORIZED, f"Lenses does not accept {whose} ({words}). {remedy}; it is read again automatically."
    )


def _cluster_not_found(connector: ConnectorKey, words: str, holder: str, *, listed: bool) -> Verdict:
    what = f"Kafka Connect cluster {connector.cluster!r}"
    if listed:
        return _waiting(
            Reason.LENSES_UNAVAILABLE,
            f"Lenses does not find {what} in environment {connector.environment} ({words}), though it has shown its "
            "connectors lately: its workers may be starting again. The operator checks again.",
        )
    return _stalled(
        Reason.CLUSTER_NOT_FOUND,
        f"Lenses knows no {what} in environment {connector.environment} ({words}). Add the cluster to Lenses; or, if "
        f"{_field('cluster', holder)} names none, which cannot be changed, make a new {_kind(holder)} with the "
        "cluster's name in Lenses.",
    )


def _field(name: str, holder: str) -> str:
    return f"spec.{name} of LensesConnector {holder}" if holder else f"spec.{name}"


def _kind(holder: str) -> str:
    return "LensesConnector" if holder else "resource"


def _not_supported(operation: str, connector: ConnectorKey, words: str, version: str | None) -> Verdict:
    says = f"; the cluster says that it is {version}" if version else ""
    return _stalled(
        Reason.NOT_SUPPORTED,
        f"Connect cluster {connector.cluster} does not know how to do this ({words}{says}): {_TAKES[operation]}, and a "
        "Lenses agent that offers it. The connector is not changed.",
    )


def reason_of(error: errors.LensesError) -> str:
    """The reason alone, where the message is not needed."""
    return problem_of(error, ConnectorKey("", "", ""), lambda _: "").reason


def _waiting(reason: Reason, message: str) -> Verdict:
    return _verdict("Unknown", reason, message, Phase.RECONCILING)


def _stalled(reason: Reason, message: str) -> Verdict:
    return _verdict("False", reason, message, Phase.STALLED)


def _verdict(ready: ConditionStatus, reason: Reason, message: str, phase: Phase) -> Verdict:
    return Verdict(ready=ready, reason=reason, message=message, phase=phase)
