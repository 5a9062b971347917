"""Every reason a condition of ours can carry; the words are part of the contract with users."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    PROGRESSING = "Progressing"
    RUNNING = "Running"
    PAUSED = "Paused"
    STOPPED = "Stopped"
    NO_TASKS = "NoTasks"
    TASK_FAILED = "TaskFailed"
    CONNECTOR_FAILED = "ConnectorFailed"
    STATE_UNKNOWN = "StateUnknown"
    CONFIG_INVALID = "ConfigInvalid"
    PLUGIN_NOT_FOUND = "PluginNotFound"
    LENSES_UNAVAILABLE = "LensesUnavailable"
    AGENT_NOT_CONNECTED = "AgentNotConnected"
    CONNECT_REBALANCING = "ConnectRebalancing"
    UNAUTHORIZED = "Unauthorized"
    FORBIDDEN = "Forbidden"
    LICENSE_REQUIRED = "LicenseRequired"
    ENVIRONMENT_NOT_FOUND = "EnvironmentNotFound"
    CLUSTER_NOT_FOUND = "ClusterNotFound"
    REFERENCE_NOT_FOUND = "ReferenceNotFound"
    NOT_ALLOWED = "NotAllowed"
    NOT_SUPPORTED = "NotSupported"
    UPDATE_NOT_SUPPORTED = "UpdateNotSupported"
    UPDATE_NOT_APPLIED = "UpdateNotApplied"
    SUSPENDED = "Suspended"
    OFFSETS_OPERATION = "OffsetsOperation"
    CONFLICT = "Conflict"
    NOT_ADOPTED = "NotAdopted"
    DELETING = "Deleting"
    DELETION_BLOCKED = "DeletionBlocked"


class OffsetsReason(StrEnum):
    """Beside these a LensesConnectorOffsets carries the reasons above for what Lenses answers."""

    OBSERVED = "Observed"
    PENDING = "Pending"
    CONNECTOR_NOT_FOUND = "ConnectorNotFound"
    CONNECTOR_NOT_READY = "ConnectorNotReady"
    STOPPING = "Stopping"
    APPLYING = "Applying"
    APPLIED = "Applied"
    OFFSETS_INVALID = "OffsetsInvalid"
    OFFSETS_REJECTED = "OffsetsRejected"
    STOP_TIMEOUT = "StopTimeout"
    OUTCOME_UNKNOWN = "OutcomeUnknown"
    NOT_SUPPORTED = "NotSupported"
