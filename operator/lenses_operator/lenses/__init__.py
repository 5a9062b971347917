"""Client for the Lenses 6.2 Kafka Connect API; knows nothing of Kubernetes.

`LensesClient` has a method per operation, `errors` the one tree of what they raise, `models` what goes in and out.
"""

from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.errors import LensesError, LensesRefused, LensesUnreachable, UnusableAnswer
from lenses_operator.lenses.models import (
    ClusterInfo,
    ConnectorDetails,
    ConnectorListItem,
    ConnectorRequest,
    ConnectorState,
    OffsetEntry,
    OffsetsText,
    Plugin,
    StateAction,
    Task,
    ValidationField,
    ValidationResult,
    parse_offsets,
)
from lenses_operator.lenses.tokens import StaticToken, TokenFile, TokenSource
from lenses_operator.lenses.transport import LensesTransport, OnResponse

__all__ = [
    "ClusterInfo",
    "ConnectorDetails",
    "ConnectorListItem",
    "ConnectorRequest",
    "ConnectorState",
    "LensesClient",
    "LensesError",
    "LensesRefused",
    "LensesTransport",
    "LensesUnreachable",
    "OffsetEntry",
    "OffsetsText",
    "OnResponse",
    "Plugin",
    "StateAction",
    "StaticToken",
    "Task",
    "TokenFile",
    "TokenSource",
    "UnusableAnswer",
    "ValidationField",
    "ValidationResult",
    "parse_offsets",
]
