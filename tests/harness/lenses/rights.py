"""Rights in Lenses' own names, for tokens that are given `permissions`.

Lenses' documents list the names; which operation needs which is told nowhere, so the table is a guess throughout,
except that a missing `GetConnectorConfiguration` hides the configuration in the details.
"""

from __future__ import annotations

from collections.abc import Iterable

ACCESS = "environments:AccessEnvironment"
_CONNECT = (
    "ListConnectors",
    "GetConnectorDetails",
    "GetConnectorConfiguration",
    "CreateConnector",
    "UpdateConnectorConfiguration",
    "DeployConnector",
    "StartConnector",
    "StopConnector",
    "ListConnectorDependants",
    "ListClusters",
    "GetClusterDetails",
    "DeleteConnector",  # a guess: the documents name no right to delete
)
PERMISSIONS = (ACCESS, *(f"kafka-connect:{name}" for name in _CONNECT))
CONFIGURATION = "kafka-connect:GetConnectorConfiguration"
_NEEDED = {
    "ListConnectors": "ListConnectors",
    "ListPlugins": "ListClusters",
    "GetClusterInfo": "GetClusterDetails",
    "GetConnector": "GetConnectorDetails",
    "GetConnectorOffsets": "GetConnectorDetails",
    "GetConnectorTopics": "ListConnectorDependants",
    "CreateConnector": "CreateConnector",
    "ValidateConnector": "CreateConnector",
    "DeleteConnector": "DeleteConnector",
    "ConnectorTaskRestart": "StartConnector",
    "AlterConnectorOffsets": "UpdateConnectorConfiguration",
    "ResetConnectorOffsets": "UpdateConnectorConfiguration",
    "GetResource": "GetConnectorConfiguration",
    "PutResource": "DeployConnector",
}


def needed(operation: str, action: str = "") -> str | None:
    """The right an operation needs; `action` is that of a ConnectorState. A restart counts as a start."""
    if operation == "ConnectorState":
        return f"kafka-connect:{'StopConnector' if action in ('stop', 'pause') else 'StartConnector'}"
    name = _NEEDED.get(operation)
    return f"kafka-connect:{name}" if name else None


def checked(given: Iterable[str]) -> tuple[str, ...]:
    """The rights as given; a name that is none is a mistake of the test, whose token would lack more than it says."""
    found = tuple(given)
    unknown = set(found) - set(PERMISSIONS)
    if unknown:
        raise ValueError(f"unknown permissions: {', '.join(sorted(unknown))}")
    return found
