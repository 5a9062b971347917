"""The cast of a storm: which resources there are at its beginning, and how their parts may be edited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FILE = "org.apache.kafka.connect.file.FileStreamSourceConnector"
MIRROR = "org.apache.kafka.connect.mirror.MirrorSourceConnector"
SINK = "io.lenses.streamreactor.connect.aws.s3.sink.S3SinkConnector"
CLASSES = (FILE, MIRROR, SINK)
CONFIGS: dict[str, dict[str, Any]] = {
    FILE: {"file": "/dev/null", "topic": "lines"},
    MIRROR: {"source.cluster.alias": "here", "topics": "orders"},
    SINK: {"connect.s3.kcql": "insert into lake select * from orders", "topics": "orders"},
}
BREAKS: dict[str, tuple[str, str | None]] = {
    FILE: ("batch.size", "many"),
    MIRROR: ("source.cluster.alias", None),
    SINK: ("connect.s3.kcql", None),
}
"""By class: an edit of `config` that validation refuses."""
ENVIRONMENTS = ("red", "blue")
CLUSTER = "connect"
NAMESPACES = 3
SECRET = "credentials"
PASSWORD_KEY = "connection.password"
EDITED = "storm.edit"
"""The configuration key that edits change."""
OURS = "connect.lenses.io/v1alpha1"

Object = dict[str, Any]
Key = tuple[str, str, str]
"""Environment, cluster and name of a connector."""


@dataclass(frozen=True)
class Role:
    """What is special about the resource of this number; it stays so for the whole storm."""

    index: int

    @property
    def name(self) -> str:
        return f"c{self.index:04}"

    @property
    def namespace(self) -> int:
        return self.index % NAMESPACES

    @property
    def connector(self) -> str:
        """A rival wants another resource's connector, as an older or a younger one."""
        return Role(self.index - 2).name if self.is_rival else self.name

    @property
    def key(self) -> Key:
        return (ENVIRONMENTS[self.index % 2], CLUSTER, self.connector)

    @property
    def class_name(self) -> str:
        return CLASSES[self.index // 2 % 3]

    @property
    def is_rival(self) -> bool:
        return self.index % 20 == 9

    @property
    def is_stranger(self) -> bool:
        """Its connector was there before, is different, and must not be touched whatever happens."""
        return self.index % 20 == 7

    @property
    def found(self) -> dict[str, Any] | None:
        """The configuration of a connector that was there before."""
        if self.is_stranger or self.index % 20 == 17:
            return {**self.config, EDITED: "by hand"}
        return self.config if self.index % 20 == 13 else None

    @property
    def has_password(self) -> bool:
        return self.index % 3 == 0 and self.found is None

    @property
    def leaks(self) -> bool:
        """A Secret's value stands where a number belongs, and Connect's complaint repeats it."""
        return self.class_name == FILE and self.index % 24 == 12

    @property
    def config(self) -> dict[str, Any]:
        return dict(CONFIGS[self.class_name])

    def manifest(self, namespaces: list[str]) -> Object:
        spec: Object = {
            "environment": self.key[0],
            "cluster": CLUSTER,
            "class": self.class_name,
            "tasksMax": 1 + self.index % 2,
            "config": self.config,
            "deletionPolicy": ("DeleteWithOffsets", "Retain", "Delete", "Delete", "Delete")[self.index % 5],
            "adoptionPolicy": "Always" if self.index % 20 == 17 else "IfIdentical",
            "updateStrategy": "InPlace" if self.index % 10 == 3 else "Recreate",
        }
        if self.is_rival:
            spec["name"] = self.connector
        key = "batch.size" if self.leaks else PASSWORD_KEY if self.has_password else None
        if key:
            spec["configFrom"] = [{"key": key, "secretKeyRef": {"name": SECRET, "key": "password"}}]
        return {
            "apiVersion": OURS,
            "kind": "LensesConnector",
            "metadata": {"name": self.name, "namespace": namespaces[self.namespace]},
            "spec": spec,
        }

    def offsets(self, mark: int) -> list[Object]:
        """Entries of an Alter that nobody else asks for."""
        if self.class_name == FILE:
            return [{"partition": {"filename": "/dev/null"}, "offset": {"position": mark}}]
        if self.class_name == MIRROR:
            return [{"partition": {"cluster": "here", "topic": "orders", "partition": 0}, "offset": {"offset": mark}}]
        return [{"partition": {"kafka_topic": "orders", "kafka_partition": 0}, "offset": {"kafka_offset": mark}}]


def mark_of(entries: list[Object]) -> int | None:
    """The number that `offsets` put there."""
    for entry in entries:
        for value in (entry.get("offset") or {}).values():
            return int(value)
    return None


def wanted_config(spec: Object, secret: str) -> dict[str, str]:
    """What Lenses has to hold for this spec, by the contract's rules of rendering, as far as the cast uses them."""
    rendered = {entry["key"]: secret for entry in spec.get("configFrom", []) if entry["secretKeyRef"]["name"] == SECRET}
    rendered |= {key: str(value) for key, value in (spec.get("config") or {}).items()}
    rendered["connector.class"] = spec["class"]
    if "tasksMax" in spec:
        rendered["tasks.max"] = str(spec["tasksMax"])
    return rendered


def is_refused(spec: Object) -> bool:
    """Whether validation has something against it."""
    key, value = BREAKS[spec["class"]]
    config = spec.get("config") or {}
    leaks = any(entry["key"] == "batch.size" for entry in spec.get("configFrom", [])) and "batch.size" not in config
    return leaks or (key not in config if value is None else config.get(key) == value)
