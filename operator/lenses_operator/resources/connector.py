"""LensesConnector: spec and status, field by field as in `crds/lensesconnectors.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple, Self

from pydantic import Field

from lenses_operator.resources.base import Metadata, Model, ObjectKey, Timestamp
from lenses_operator.resources.conditions import Condition

KIND = "LensesConnector"
PLURAL = "lensesconnectors"


class WantedState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class DeletionPolicy(StrEnum):
    DELETE = "Delete"
    RETAIN = "Retain"


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


class ConnectorSpec(Model):
    environment: str
    cluster: str
    name: str | None = None
    class_name: str = Field(alias="class")
    tasks_max: int | None = None
    config: Mapping[str, Any] = {}
    state: WantedState = WantedState.RUNNING
    deletion_policy: DeletionPolicy = DeletionPolicy.DELETE


class Ownership(Model):
    state: OwnershipState = OwnershipState.NONE
    since: Timestamp | None = None


class AppliedConfig(Model):
    """What was written last. `hash` is over the configuration; no value is ever kept here.

    `not_compared`: keys Lenses shows otherwise than they were written. `added`: keys the server added at our own write.
    """

    hash: str
    time: Timestamp
    not_compared: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


class TaskStatus(Model):
    id: int
    state: str
    worker_id: str | None = None
    error: str | None = None


class ConnectorStatus(Model):
    observed_generation: int = -1
    conditions: tuple[Condition, ...] = ()
    state: str | None = None
    type: str | None = None
    version: str | None = None
    worker_id: str | None = None
    lrn: str | None = None
    tasks: tuple[TaskStatus, ...] = ()
    tasks_summary: str | None = None
    topics: tuple[str, ...] | None = None
    ownership: Ownership = Ownership()
    applied_config: AppliedConfig | None = None

    @property
    def ready(self) -> Condition | None:
        return next((condition for condition in self.conditions if condition.type == "Ready"), None)

    def to_wire(self) -> dict[str, Any]:
        """The status as it is written: camel case, without what is empty or not known."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)


class ConnectorKey(NamedTuple):
    """The connector itself: two resources with the same key are about the same connector."""

    environment: str
    cluster: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} on cluster {self.cluster} of environment {self.environment}"


class LensesConnector(Model):
    metadata: Metadata
    spec: ConnectorSpec
    status: ConnectorStatus = ConnectorStatus()

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """From a Kubernetes object. Raises pydantic's ValidationError where the object does not fit the CRD."""
        return cls.model_validate(body)

    @property
    def key(self) -> ObjectKey:
        return ObjectKey(KIND, self.metadata.namespace, self.metadata.name)

    @property
    def connector(self) -> ConnectorKey:
        return ConnectorKey(
            environment=self.spec.environment,
            cluster=self.spec.cluster,
            name=self.spec.name or self.metadata.name,
        )

    @property
    def age_order(self) -> tuple[str, str]:
        """Sorts the owner first: the oldest, by uid where two were made in the same second."""
        return (self.metadata.creation_timestamp.isoformat(), self.metadata.uid)
