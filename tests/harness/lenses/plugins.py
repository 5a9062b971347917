"""Connector classes of a simulated Connect: how they are found, validated and spread over tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MISSING = 'Missing required configuration "{}" which has no default value.'
NOT_INT = "Invalid value {} for configuration {}: Not a number of type INT"
TOO_SMALL = "Invalid value {} for configuration {}: Value must be at least {}"


@dataclass(frozen=True, slots=True)
class Plugin:
    """A connector class; `partition_keys` and `offset_keys` (name to JSON type): what a source's offsets must hold.
    `passwords`: keys of type PASSWORD, whose values validate hides."""

    name: str
    type: str
    version: str = "4.3.1"
    required: tuple[str, ...] = ()
    ints: tuple[str, ...] = ()
    passwords: tuple[str, ...] = ()
    max_tasks: int = 1000
    task_trace: str | None = None
    partition_keys: dict[str, str] | None = None
    offset_keys: dict[str, str] | None = None
    alters_offsets: bool = False
    errors: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, value: str | dict[str, Any]) -> Plugin:
        """A class name alone, or an object with `class` and any of this class' fields."""
        given: dict[str, Any] = {"class": value} if isinstance(value, str) else dict(value)
        name = given.pop("class")
        kind = given.pop("type", "sink" if "Sink" in name.rsplit(".", 1)[-1] else "source")
        for key in ("required", "ints", "passwords"):
            given[key] = tuple(given.get(key, ()))
        return cls(name=name, type=kind, **given)

    def called(self, word: str) -> bool:
        """Connect knows a class by its full name, its simple name, and that without `Connector`."""
        simple = self.name.rsplit(".", 1)[-1]
        return word in (self.name, simple, simple.removesuffix("Connector"))

    def task_count(self, config: dict[str, str]) -> int:
        try:
            wanted = int(config.get("tasks.max", "1").strip())
        except ValueError:
            wanted = 1
        return min(max(wanted, 1), self.max_tasks)

    def validate(self, config: dict[str, str]) -> list[dict[str, Any]]:
        """The fields of a validation answer: the common ones, the class' own, with the errors Connect words so."""
        names = ["name", "connector.class", "tasks.max", *self.required, *self.ints, *self.passwords, *self.errors]
        return [self._field(key, order, config) for order, key in enumerate(dict.fromkeys(names), start=1)]

    def _field(self, key: str, order: int, config: dict[str, str]) -> dict[str, Any]:
        required = key in ("name", "connector.class") or key in self.required
        out: dict[str, Any] = {
            "name": key,
            "required": required,
            "order": order,
            "documentation": f"The {key} of this connector.",
            "errors": self._errors(key, required, config.get(key)),
            "visible": True,
        }
        value = config.get(key, "1" if key == "tasks.max" else None)
        if value is not None:
            out["value"] = "[hidden]" if key in self.passwords else value
        if key == "tasks.max":
            out["defaultValue"] = "1"
        return out

    def _errors(self, key: str, required: bool, value: str | None) -> list[str]:
        if value is None:
            return [MISSING.format(key)] if required and key != "name" else []
        found = list(self.errors.get(key, ()))
        if key == "tasks.max" or key in self.ints:
            try:
                number = int(value.strip())
            except ValueError:
                return [*found, NOT_INT.format(value, key)]
            if key == "tasks.max" and number < 1:
                found.append(TOO_SMALL.format(value, key, 1))
        return found


FILE_PARTITION = {"filename": "string"}
MIRROR_PARTITION = {"cluster": "string", "topic": "string", "partition": "integer"}
DEFAULT_PLUGINS: tuple[Plugin, ...] = (
    Plugin("org.apache.kafka.connect.file.FileStreamSinkConnector", "sink"),
    Plugin(
        "org.apache.kafka.connect.file.FileStreamSourceConnector",
        "source",
        required=("topic",),
        ints=("batch.size",),
        max_tasks=1,
        partition_keys=FILE_PARTITION,
        offset_keys={"position": "integer"},
        alters_offsets=True,
    ),
    Plugin(
        "org.apache.kafka.connect.mirror.MirrorSourceConnector",
        "source",
        required=("source.cluster.alias",),
        partition_keys=MIRROR_PARTITION,
        offset_keys={"offset": "integer"},
        alters_offsets=True,
    ),
    Plugin(
        "io.lenses.streamreactor.connect.aws.s3.sink.S3SinkConnector",
        "sink",
        version="9.0.2",
        required=("connect.s3.kcql",),
    ),
    Plugin(
        "io.debezium.connector.postgresql.PostgresConnector",
        "source",
        version="3.2.0.Final",
        required=("database.hostname", "topic.prefix"),
        ints=("database.port",),
        max_tasks=1,
    ),
)


def find_plugin(plugins: list[Plugin], word: str) -> Plugin | None:
    return next((plugin for plugin in plugins if plugin.called(word)), None)


def unknown_class(plugins: list[Plugin], word: str) -> str:
    """Connect's own words for a class that is not installed."""
    listed = ", ".join(
        f"PluginDesc{{klass=class {p.name}, name='{p.name}', version='{p.version}', encodedVersion={p.version}, "
        f"type={p.type}, typeName='{p.type}', location='classpath'}}"
        for p in plugins
    )
    found = f"Failed to find any class that implements Connector and which name matches {word}"
    return f"{found}, available connectors are: {listed}"
