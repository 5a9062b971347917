"""LensesConnectorOffsets: spec and status, field by field as in `crds/lensesconnectoroffsets.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field, JsonValue, field_validator

from lenses_operator.resources.base import Model, Resource, Timestamp
from lenses_operator.resources.conditions import Status
from lenses_operator.resources.json_depth import is_deeper

KIND = "LensesConnectorOffsets"
PLURAL = "lensesconnectoroffsets"
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
DEEPEST = 100
"""Levels of a partition or an offset."""
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Action(StrEnum):
    OBSERVE = "Observe"
    ALTER = "Alter"
    RESET = "Reset"


class OperationPhase(StrEnum):
    """For people and printer columns; conditions are the truth."""

    PENDING = "Pending"
    STOPPING = "Stopping"
    APPLYING = "Applying"
    APPLIED = "Applied"
    FAILED = "Failed"


class ConnectorRef(Model):
    """A LensesConnector of the same namespace."""

    name: str


class OffsetEntrySpec(Model):
    """Exactly one of `offset` and `drop`."""

    partition: dict[str, Any]
    offset: dict[str, Any] | None = None
    drop: bool = False

    @field_validator("partition", "offset", mode="before")
    @classmethod
    def _not_too_deep(cls, value: Any) -> Any:
        """What lies deeper may have been cut on its way in, and is not what was asked for."""
        if is_deeper(value, DEEPEST):
            raise ValueError(f"nested more than {DEEPEST} levels deep; Kafka Connect takes no more than a few")
        return value


class OffsetsSpec(Model):
    connector_ref: ConnectorRef
    action: Action = Action.OBSERVE
    offsets: tuple[OffsetEntrySpec, ...] = ()
    offsets_json: str | None = None
    refresh_interval: str = "60s"

    @property
    def refresh_seconds(self) -> float:
        """At least 10; the CRD admits only Go's durations."""
        return max(10.0, sum(float(number) * SECONDS[unit] for number, unit in DURATION.findall(self.refresh_interval)))


class OffsetsStatus(Status):
    """`offsets_json`: exact JSON text of all offsets, as Observe read them last. `before`: the same, read while stopped
    just before the action of `before_generation`."""

    applied_generation: int | None = None
    before_generation: int | None = None
    phase: OperationPhase | None = None
    partitions: int | None = None
    offsets: tuple[JsonValue, ...] | None = None
    truncated: bool | None = None
    offsets_json: str | None = Field(default=None, repr=False)
    offsets_json_compressed: str | None = Field(default=None, repr=False)
    before: str | None = Field(default=None, repr=False)
    before_compressed: str | None = Field(default=None, repr=False)
    message: str | None = None
    applied_time: Timestamp | None = None


class LensesConnectorOffsets(Resource):
    kind_name = KIND
    plural = PLURAL
    stand_ins: ClassVar[Mapping[str, Any]] = {"connectorRef": {"name": ""}}
    # Whether it has been carried out, which must never happen twice, and the way back.
    essential: ClassVar[frozenset[str]] = frozenset(
        {"observedGeneration", "appliedGeneration", "beforeGeneration", "phase", "before", "beforeCompressed"}
    )
    said: ClassVar[tuple[str, ...]] = ("observedGeneration", "conditions", "phase")

    spec: OffsetsSpec
    status: OffsetsStatus = OffsetsStatus()

    @property
    def pinned(self) -> Mapping[str, Any]:
        """What was kept and carried out: a second operator, there by mistake, must not write over it unread."""
        status = self.status
        if (
            self.schema_mismatch is not None or status.observed_generation == -1
        ):  # it has no status yet whose fields to test
            return {}
        return {"beforeGeneration": status.before_generation, "appliedGeneration": status.applied_generation}

    @property
    def operates(self) -> bool:
        return self.spec.action is not Action.OBSERVE

    @property
    def finished(self) -> bool:
        """This generation's operation was carried out, or has failed for good; one that cannot be read is none."""
        return self.applied or self.failed or self.schema_mismatch is not None

    @property
    def applied(self) -> bool:
        return self.status.applied_generation == self.metadata.generation

    @property
    def failed(self) -> bool:
        status = self.status
        return status.phase is OperationPhase.FAILED and status.observed_generation == self.metadata.generation

    @property
    def under_way(self) -> bool:
        """It has begun to touch the connector, so that it must be finished even if the connector is suspended now."""
        status = self.status
        begun = status.phase in (OperationPhase.STOPPING, OperationPhase.APPLYING)
        return begun and status.observed_generation == self.metadata.generation
