"""An environment, its agent, its Connect clusters, and what the token may do there."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from lenses_operator.diagnosis.failures import failure, seen
from lenses_operator.diagnosis.results import Result, failed, ok, skipped, some, warning
from lenses_operator.domain import plugins as classes
from lenses_operator.lenses import errors
from lenses_operator.lenses.models import ClusterInfo, ConnectorDetails, ConnectorName, EnvironmentInfo, Plugin

STOP_SINCE = (3, 5)
OFFSETS_SINCE = (3, 6)
WRITES = (
    "create connector",
    "delete connector",
    "set state (pause, resume, stop, restart)",
    "restart task",
    "alter offsets",
    "reset offsets",
)
"""The operations that nothing harmless can try."""
PERMISSIONS = {
    "list connectors": "kafka-connect:ListConnectors",
    "get connector": "kafka-connect:GetConnectorDetails",
    "cluster info": "kafka-connect:GetClusterDetails",
}
"""What Lenses calls the right to an operation, where its name says so."""
CONFIGURATION = "kafka-connect:GetConnectorConfiguration"
ROLE = "docs/security.md has a role to copy."


def group(environment: str) -> str:
    return f"Environment {environment}"


def environment(name: str, info: EnvironmentInfo) -> Result:
    connected = info.status.agent_connected if info.status else None
    if connected is False:
        return failed(
            group(name),
            "agent",
            "Lenses knows the environment; its agent is not connected",
            "Look at the agent's log: it dials out to Lenses, so its address, key and egress matter.",
        )
    return ok(group(name), "agent", "connected" if connected else "the environment exists")


def environment_failed(name: str, error: errors.LensesError) -> Result:
    """The environment's own endpoint is outside the Kafka Connect API, so only some failures say anything."""
    match error:
        case errors.UnusableAnswer() | errors.MissingAgentCapability():
            return warning(
                group(name),
                "agent",
                f"Lenses does not tell whether it is connected: {error.message}",
                "The checks below ask the agent itself; the operator does not need this answer.",
                seen(error),
            )
        case _:
            return failure(group(name), "agent", error)


def clusters(
    name: str, listed: Collection[str], with_plugins: Collection[str], wanted: Collection[str]
) -> tuple[list[str], list[Result]]:
    """All that anybody names, and a line for those that only resources name."""
    known = {*listed, *with_plugins}
    results = []
    if known:
        results.append(ok(group(name), "clusters", some(sorted(known), 10)))
    elif not wanted:
        results.append(
            warning(
                group(name),
                "clusters",
                "none is to be seen: no connectors, no plugins, no resources that name one",
                "Add the Connect cluster to the environment in Lenses, or give the token a role that shows it.",
            )
        )
    return sorted(known | {*wanted}), results


def version(name: str, cluster: str, info: ClusterInfo) -> list[Result]:
    """Stopping and offsets came to Kafka Connect one after the other."""
    check = f"{cluster}: Kafka Connect"
    number = release(info.version)
    if number is None:
        return [
            warning(
                group(name),
                check,
                f"answers, with a version that is none: {info.version!r}",
                "state: stopped and reading offsets need 3.5, changing offsets 3.6; see the cluster's own GET /.",
            )
        ]
    if number < STOP_SINCE:
        message = f"{info.version}: state: stopped, offsets and DeleteWithOffsets do not work there"
    elif number < OFFSETS_SINCE:
        message = f"{info.version}: DeleteWithOffsets, and of LensesConnectorOffsets Alter and Reset, do not work there"
    else:
        return [ok(group(name), check, info.version)]
    return [warning(group(name), check, message, "Upgrade the workers to Kafka Connect 3.6 or later.")]


def release(text: str) -> tuple[int, int] | None:
    """Major and minor; distributions put their own words behind (`7.6.0-ccs` is Confluent's, which is not Kafka's)."""
    found = re.match(r"v?(\d+)\.(\d+)", text)
    if not found:
        return None
    major, minor = int(found[1]), int(found[2])
    if "-ccs" in text or "-ce" in text:  # Confluent 7.x is Kafka 3.x, 8.x is 4.x
        major -= 4
    return major, minor


@dataclass(frozen=True)
class Wanted:
    """What the resources ask of one cluster. `classes`: each with the resources that ask for it. `connectors`: how
    many; `odd`: their names that Lenses is not known to take."""

    classes: Mapping[str, Sequence[str]]
    connectors: int = 0
    odd: Collection[str] = ()
    in_place: Sequence[str] = ()
    """The resources with updateStrategy InPlace."""


def installed(name: str, cluster: str, plugins: Sequence[Plugin], wanted: Wanted) -> list[Result]:
    check = f"{cluster}: plugins"
    here = [plugin for plugin in plugins if plugin.cluster == cluster]
    connectors = [plugin for plugin in here if plugin.type in (None, "source", "sink")]
    if not connectors:
        remedy = (
            "Install the connectors' plugins on the workers (plugin.path), or give the token a role that shows them."
        )
        return [warning(group(name), check, "no connector class is installed, or shown to this token", remedy)]
    missing = [
        failed(
            group(name),
            check,
            f"{class_name}, which {some(users, 3)} ask{'s' if len(users) == 1 else ''} for, is not installed",
            _near(class_name, here),
        )
        for class_name, users in sorted(wanted.classes.items())
        if not classes.installed(class_name, here)
    ]
    return missing or [ok(group(name), check, f"{len(connectors)} connector classes")]


def _near(class_name: str, plugins: Sequence[Plugin]) -> str:
    near = classes.nearest(class_name, plugins)
    hint = f" Nearest installed: {', '.join(near)}." if near else ""
    return f"Correct spec.class, or install the plugin on the cluster's workers.{hint}"


def listed(name: str, connectors: Collection[ConnectorName], wanted: Mapping[str, Wanted]) -> Result:
    """Lenses leaves out what a token may not see, so a right that is missing looks like an empty list."""
    asked = sum(one.connectors for one in wanted.values())
    if asked and not connectors:
        return warning(
            group(name),
            "list connectors",
            f"allowed, but none is shown, though resources name {asked} here",
            "Before their first create this is as it should be. Else the token may not see them: Lenses leaves out "
            f"what a role does not show ({PERMISSIONS['list connectors']}). {ROLE}",
        )
    return allowed(name, "list connectors", note=f"allowed, {len(connectors)} to be seen")


def allowed(name: str, operation: str, cluster: str = "", note: str = "") -> Result:
    return ok(group(name), _check(operation, cluster), note or "allowed")


def not_allowed(
    name: str, operation: str, error: errors.LensesError, cluster: str = "", version: str | None = None
) -> Result:
    """`version` of the cluster where it is known: offsets of an old one are no matter of rights."""
    number = release(version) if version else None
    if operation == "get offsets" and number and number < STOP_SINCE and isinstance(error, errors.LensesRefused):
        return skipped(group(name), _check(operation, cluster), "Kafka Connect before 3.5 has no offsets to read")
    result = failure(group(name), _check(operation, cluster), error)
    permission = PERMISSIONS.get(operation)
    if isinstance(error, errors.Forbidden) and permission:
        return replace(result, remedy=f"{result.remedy} By its name the permission is {permission}. {ROLE}")
    return result


def shown(name: str, cluster: str, details: ConnectorDetails) -> Result:
    """Whether the configuration comes along: without it drift cannot be seen."""
    hidden = (
        "the configuration" if details.config_hidden or not details.config else some(sorted(details.hidden_in_config))
    )
    if hidden:
        return warning(
            group(name),
            _check("get connector", cluster),
            f"allowed, but {hidden} of {details.name} is hidden from this token",
            f"Give the token's role {CONFIGURATION}: what is hidden is not compared, and not repaired. {ROLE}",
        )
    return allowed(name, "get connector", cluster)


def no_connector(name: str, cluster: str) -> list[Result]:
    why = "there is no connector to try it on"
    return [
        skipped(group(name), _check(operation, cluster), why, "Run this again once there is one.")
        for operation in ("get connector", "get topics", "get offsets")
    ]


def no_plugin(name: str, cluster: str) -> Result:
    return skipped(group(name), _check("validate", cluster), "there is no connector class to try it with")


def validated(name: str, cluster: str, class_name: str) -> Result:
    return allowed(name, "validate", cluster, f"allowed (tried with {class_name.rsplit('.', 1)[-1]}, nothing else set)")


def validation_failed(name: str, cluster: str, class_name: str, error: errors.LensesError) -> Result:
    """400 and 500 are what some plugins say to a configuration of one key; the token was let through."""
    if isinstance(error, errors.BadRequest | errors.ServerError) and error.speaker == "agent":
        return warning(
            group(name),
            _check("validate", cluster),
            f"let through; {class_name} refuses an empty configuration with an error instead of a verdict",
            "Some plugins do. If resources with a full configuration stay in Progressing, report the status and the "
            "error text.",
            seen(error),
        )
    return failure(group(name), _check("validate", cluster), error)


def writes(name: str) -> list[Result]:
    remedy = (
        "Watch the first resource: its Events say what was done; Ready=False with reason Forbidden, and the operation "
        f"in its message, says what the token may not do. {ROLE}"
    )
    return [skipped(group(name), operation, "it would change something", remedy) for operation in WRITES]


def _check(operation: str, cluster: str) -> str:
    return f"{cluster}: {operation}" if cluster else operation
