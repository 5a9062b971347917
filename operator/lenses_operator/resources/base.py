"""What all our resources share: API group, metadata, the base model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, NamedTuple, Self, cast

from pydantic import BaseModel, ConfigDict, PlainSerializer, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from lenses_operator.interning import Shared, intern_fields
from lenses_operator.resources.schema_mismatch import SchemaMismatch, describe, field_of, readable

GROUP = "connect.lenses.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
FINALIZER = f"{GROUP}/connector"
RESTART = f"{GROUP}/restart"
RECONCILE = f"{GROUP}/reconcile"
WATCH_LABEL = f"{GROUP}/watch"
PARTS = ("metadata", "spec", "status")


class Model(BaseModel):
    """Camel case on the wire, snake case here; fields this version does not know are ignored."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


def rfc3339(moment: datetime) -> str:
    """Kubernetes' own notation: UTC, whole seconds, `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Timestamp = Annotated[datetime, PlainSerializer(rfc3339, return_type=str)]


class ObjectKey(NamedTuple):
    """Names one resource of ours in a cluster; `kind` is a field so that both kinds share a queue."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Metadata(Model):
    """The part of ObjectMeta that decisions need."""

    name: str
    namespace: Shared
    uid: str
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: Timestamp
    deletion_timestamp: Timestamp | None = None
    finalizers: tuple[Shared, ...] = ()
    labels: dict[Shared, Shared] = {}
    annotations: dict[str, str] = {}

    @field_validator("annotations", mode="before")
    @classmethod
    def _ours(cls, annotations: Any) -> Any:
        """Others' are not kept: kubectl puts the whole object into one of its own."""
        if not isinstance(annotations, Mapping):
            return annotations
        return {key: value for key, value in annotations.items() if str(key).startswith(f"{GROUP}/")}

    @property
    def deleting(self) -> bool:
        return self.deletion_timestamp is not None

    @property
    def restart(self) -> str | None:
        """The value of the restart annotation."""
        return self.annotations.get(RESTART)

    @property
    def reconcile(self) -> str | None:
        """The value of the reconcile annotation."""
        return self.annotations.get(RECONCILE)

    @property
    def has_finalizer(self) -> bool:
        """Whether our own finalizer is on the object; other people's do not count."""
        return FINALIZER in self.finalizers

    @property
    def released(self) -> bool:
        """Whether we have nothing left to do for it, though a finalizer of another controller may keep it."""
        return self.deleting and not self.has_finalizer


class Resource(Model):
    """One object of ours."""

    kind_name: ClassVar[str]
    plural: ClassVar[str]
    stand_ins: ClassVar[Mapping[str, Any]]
    """For the fields of spec that must be there, where they cannot be read."""
    essential: ClassVar[frozenset[str]]
    """The fields of status that nothing else can tell: without them nothing may be done."""
    said: ClassVar[tuple[str, ...]] = ("observedGeneration", "conditions")
    """The fields of status that are written of an object that does not fit."""

    metadata: Metadata
    schema_mismatch: SchemaMismatch | None = None
    """Not of the object itself: what of it could not be read. Then nothing may be done for it in Lenses."""

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """From a Kubernetes object. Raises pydantic's ValidationError where the object does not fit the CRD."""
        return intern_fields(cls.model_validate({part: body[part] for part in PARTS if part in body}))

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """The same for an object that may not fit: what can be read of it, and `schema_mismatch` for what cannot.

        Trouble in status that costs nothing but what is seen again anyway is skipped. Raises ValidationError where
        not even the metadata can be read, which the API server itself looks after.
        """
        try:
            return cls.parse(body)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
        if any(problem["loc"][0] == "metadata" for problem in problems):
            return cls.parse(body)
        bad = frozenset(field_of(problem["loc"]) for problem in problems)
        parts: dict[str, Any] = {"metadata": body["metadata"]}
        for part, stand_ins in (("spec", cls.stand_ins), ("status", {})):
            model = cast("type[BaseModel]", cls.model_fields[part].annotation)
            names = frozenset(name.removeprefix(f"{part}.") for name in bad)
            parts[part] = readable(body.get(part), model, names, stand_ins)
        found = cls.model_validate(parts)
        serious = [problem for problem in problems if cls._is_serious(field_of(problem["loc"]))]
        if not serious:
            return found
        status = body.get("status")
        kept = dict(status) if isinstance(status, Mapping) else {}
        fields = frozenset(field_of(problem["loc"]) for problem in serious)
        return found.with_misfit(SchemaMismatch(fields=fields, words=describe(serious), status=kept))

    @classmethod
    def _is_serious(cls, field: str) -> bool:
        part, _, name = field.partition(".")
        return part != "status" or not name or name in cls.essential

    def with_misfit(self, schema_mismatch: SchemaMismatch) -> Self:
        """The same, with what could not be read of it noted."""
        return self.model_copy(update={"schema_mismatch": schema_mismatch})

    def stored(self, wire: Mapping[str, Any]) -> dict[str, Any]:
        """The status to write; of an object that does not fit, what is not understood stays as it is."""
        if self.schema_mismatch is None:
            return dict(wire)
        return dict(self.schema_mismatch.status) | {field: wire[field] for field in self.said if field in wire}

    @property
    def pinned(self) -> Mapping[str, Any]:
        """Fields of the status that nobody may have changed since this was read, if the next one is to be written."""
        return {}

    @property
    def key(self) -> ObjectKey:
        return ObjectKey(self.kind_name, self.metadata.namespace, self.metadata.name)

    @property
    def version(self) -> int:
        """Kubernetes promises comparable integers since 1.35, and etcd has always given them."""
        text = self.metadata.resource_version
        return int(text) if text.isdigit() else 0

    @property
    def age_order(self) -> tuple[str, str]:
        """Sorts the oldest first, by uid where two were made in the same second."""
        return (self.metadata.creation_timestamp.isoformat(), self.metadata.uid)
