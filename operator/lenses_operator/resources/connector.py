"""LensesConnector: spec and status, field by field as in `crds/lensesconnectors.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple, Self

from pydantic import Field, model_validator

from lenses_operator.interning import Shared
from lenses_operator.resources.base import Model, Resource, Timestamp
from lenses_operator.resources.conditions import Status
from lenses_operator.resources.schema_mismatch import SchemaMismatch

KIND = "LensesConnector"
PLURAL = "lensesconnectors"
NAMES_CONNECTOR = frozenset({"spec", "spec.environment", "spec.cluster", "spec.name"})
TELLS_OWNERSHIP = frozenset({"status", "status.ownership"})
NEEDED_TO_DELETE = NAMES_CONNECTOR | TELLS_OWNERSHIP | {"spec.deletionPolicy", "spec.tokenSecretRef"}
UNREADABLE = "Unreadable"
"""Written as the ownership where a status was none at all: `None` would let the connector go without proof."""


class WantedState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class DeletionPolicy(StrEnum):
    DELETE = "Delete"
    DELETE_WITH_OFFSETS = "DeleteWithOffsets"
    RETAIN = "Retain"


class AdoptionPolicy(StrEnum):
    IF_IDENTICAL = "IfIdentical"
    ALWAYS = "Always"
    NEVER = "Never"


class UpdateStrategy(StrEnum):
    RECREATE = "Recreate"
    IN_PLACE = "InPlace"
    AUTO = "Auto"
    """In place in an environment that offers it, else as RECREATE."""


class OwnershipState(StrEnum):
    """Whether deleting the resource may touch the connector: Claiming and Owned only."""

    NONE = "None"
    CLAIMING = "Claiming"
    OWNED = "Owned"
    CONFLICT = "Conflict"
    NOT_ADOPTED = "NotAdopted"

    @property
    def ours(self) -> bool:
        return self in (OwnershipState.CLAIMING, OwnershipState.OWNED)


class MapRef(Model):
    """A whole Secret or ConfigMap of the same namespace."""

    name: str
    optional: bool = False


class KeyRef(Model):
    """One key of a Secret or ConfigMap of the same namespace."""

    name: str
    key: str
    optional: bool = False


class ConfigSource(Model):
    """One entry of `configFrom`: exactly one of the references; `key` with the two that take one key."""

    key: str | None = None
    config_map_ref: MapRef | None = None
    secret_ref: MapRef | None = None
    config_map_key_ref: KeyRef | None = None
    secret_key_ref: KeyRef | None = None

    @model_validator(mode="after")
    def _one_reference(self) -> Self:
        """The CRD asks for it, and an object may be older than the CRD."""
        references = (self.config_map_ref, self.secret_ref, self.config_map_key_ref, self.secret_key_ref)
        if sum(reference is not None for reference in references) != 1:
            raise ValueError("exactly one reference is needed")
        return self


class TokenRef(Model):
    name: str
    key: str


class AutoRestartSpec(Model):
    enabled: bool = False
    max_restarts: int = 10


class ConnectorSpec(Model):
    environment: Shared
    cluster: Shared
    name: str | None = None
    class_name: Shared = Field(alias="class")
    tasks_max: int | None = None
    config: Mapping[Shared, Any] = {}
    config_from: tuple[ConfigSource, ...] = ()
    state: WantedState = WantedState.RUNNING
    allow_no_tasks: bool = False
    auto_restart: AutoRestartSpec = AutoRestartSpec()
    deletion_policy: DeletionPolicy = DeletionPolicy.DELETE
    adoption_policy: AdoptionPolicy = AdoptionPolicy.IF_IDENTICAL
    update_strategy: UpdateStrategy = UpdateStrategy.RECREATE
    suspend: bool = False
    token_secret_ref: TokenRef | None = None


class Ownership(Model):
    state: OwnershipState = OwnershipState.NONE
    since: Timestamp | None = None


class SecretVersion(Model):
    """Which state of a Secret's key was written: after a restart a newer one tells that a masked value may be old."""

    name: str
    key: str
    resource_version: str


class AppliedConfig(Model):
    """What was written last. `hash` is over the configuration without any Secret's value; no value is kept here.

    `time`: None with the claim, which says what is about to be created: whether it was, a new process has to find out.
    `not_compared`: keys Lenses shows otherwise than they were written. `added`: keys the server added at our own write.
    `secrets_digest`: tells whether the data of `secrets` is still the same where their resourceVersion is not.
    `former_traces`: Lenses has shown a trace ever since, which may quote what the connector had before.
    """

    hash: str
    time: Timestamp | None = None
    secrets: tuple[SecretVersion, ...] = ()
    not_compared: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    former_traces: bool | None = None
    secrets_digest: str | None = None


class RefusedConfig(Model):
    """What create refused although it had validated, and that was rolled back. `hash` is over the configuration and
    which state of which Secret's key is in it; `digest` over the configuration and the data of these."""

    generation: int
    hash: str
    digest: str | None = None


class TaskStatus(Model):
    id: int
    state: Shared
    worker_id: Shared | None = None
    error: str | None = None


class AutoRestartStatus(Model):
    """`count` restarts of our own within this `generation` of the spec."""

    count: int = 0
    generation: int = 0
    last_restart_time: Timestamp | None = None
    next_restart_time: Timestamp | None = None


class ConnectorStatus(Status):
    state: Shared | None = None
    type: Shared | None = None
    version: Shared | None = None
    worker_id: Shared | None = None
    lrn: str | None = None
    tasks: tuple[TaskStatus, ...] = ()
    tasks_summary: Shared | None = None
    topics: tuple[str, ...] | None = None
    ownership: Ownership = Ownership()
    applied_config: AppliedConfig | None = None
    auto_restart: AutoRestartStatus | None = None
    refused_config: RefusedConfig | None = None
    last_handled_restart: str | None = None
    last_handled_reconcile: str | None = None

    def to_wire(self) -> dict[str, Any]:
        wire = super().to_wire()
        if "ownership" in wire:
            wire["ownership"]["state"] = self.ownership.state.value  # None is a word here, and worth saying
        return wire


class ConnectorKey(NamedTuple):
    """The connector itself: two resources with the same key are about the same connector."""

    environment: str
    cluster: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} on cluster {self.cluster} of environment {self.environment}"


class LensesConnector(Resource):
    kind_name = KIND
    plural = PLURAL
    stand_ins: ClassVar[Mapping[str, Any]] = {"environment": "", "cluster": "", "class": ""}
    essential: ClassVar[frozenset[str]] = frozenset({"ownership"})

    spec: ConnectorSpec
    status: ConnectorStatus = ConnectorStatus()

    @property
    def cannot_be_deleted(self) -> bool:
        """What cannot be read of it is what deleting its connector takes."""
        return self.schema_mismatch is not None and self.schema_mismatch.concerns(NEEDED_TO_DELETE)

    def remembering(self, before: LensesConnector) -> LensesConnector:
        """With what cannot be read of it as it was before: others are not to take its connector meanwhile."""
        if self.schema_mismatch is None or self.metadata.uid != before.metadata.uid:
            return self
        spec, status = self.spec, self.status
        if self.schema_mismatch.concerns(NAMES_CONNECTOR):
            names = {name: getattr(before.spec, name) for name in ("environment", "cluster", "name")}
            spec = spec.model_copy(update=names)
        if self.schema_mismatch.concerns(TELLS_OWNERSHIP):
            status = status.model_copy(update={"ownership": before.status.ownership})
        return self.model_copy(update={"spec": spec, "status": status})

    def with_misfit(self, schema_mismatch: SchemaMismatch) -> Self:
        """The substitutes are such that nothing is claimed, adopted or released because of them."""
        spec, status = self.spec, self.status
        if schema_mismatch.concerns(
            NAMES_CONNECTOR
        ):  # half a name is none, and metadata.name is not what stands for it
            spec = spec.model_copy(update={"environment": ""})
        if schema_mismatch.concerns(TELLS_OWNERSHIP) and self.metadata.has_finalizer:
            # It has begun something: whatever it has is not for others, nor to be released without proof.
            status = status.model_copy(update={"ownership": Ownership(state=OwnershipState.CLAIMING)})
            if "status" in schema_mismatch.fields:
                schema_mismatch = schema_mismatch.model_copy(update={"status": {"ownership": {"state": UNREADABLE}}})
        return super().with_misfit(schema_mismatch).model_copy(update={"spec": spec, "status": status})

    @property
    def connector(self) -> ConnectorKey:
        return ConnectorKey(
            environment=self.spec.environment,
            cluster=self.spec.cluster,
            name=self.spec.name or self.metadata.name,
        )
