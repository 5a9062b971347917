"""Offsets of a simulated Connect: where they are kept and what is refused, in Connect's words."""

from __future__ import annotations

from typing import Any

from harness.lenses import exactjson
from harness.lenses.answers import refuse
from harness.lenses.plugins import Plugin

ALTERED = "The offsets for this connector have been {} successfully"
FRAMEWORK = (
    "The Connect framework-managed offsets for this connector have been {} successfully. However, if this connector "
    "manages offsets externally, they will need to be manually {} in the system that the connector uses."
)
NOT_STOPPED = (
    "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified "
    "connector by issuing a 'PUT' request to the '/connectors/{}/stop' endpoint"
)
ZOMBIES = (
    "Failed to {} consumer group offsets for connector {} either because its tasks haven't stopped completely yet or "
    "the connector was resumed before the request to {} its offsets could be successfully completed. If the connector "
    "is in a stopped state, this operation can be safely retried. If it doesn't eventually succeed, the Connect "
    "cluster may need to be restarted to get rid of the zombie sink tasks."
)
NONE_GIVEN = "Partitions / offsets need to be provided for an alter offsets request"
LONG = range(-(2**63), 2**63)
KINDS = {"integer": "Long", "string": "String"}


def key_of(partition: Any) -> str:
    """Partitions are one and the same if their JSON is."""
    return exactjson.dumps(partition, sort_keys=True)


class OffsetStore:
    """Offsets by connector name. They outlive the connector, as Connect's do."""

    def __init__(self) -> None:
        self._by_name: dict[str, dict[str, dict[str, Any]]] = {}

    def read(self, name: str) -> list[dict[str, Any]]:
        return list(self._by_name.get(name, {}).values())

    def write(self, name: str, entries: list[dict[str, Any]]) -> None:
        """Replace all of them."""
        self._by_name[name] = {key_of(entry["partition"]): entry for entry in entries}

    def merge(self, name: str, entries: list[dict[str, Any]]) -> None:
        """Change the partitions named; a null offset forgets one."""
        kept = self._by_name.setdefault(name, {})
        for entry in entries:
            if entry.get("offset") is None:
                kept.pop(key_of(entry["partition"]), None)
            else:
                kept[key_of(entry["partition"])] = {"partition": entry["partition"], "offset": entry["offset"]}

    def clear(self, name: str) -> None:
        self._by_name.pop(name, None)


def message(plugin: Plugin | None, done: str) -> dict[str, Any]:
    if plugin is not None and plugin.alters_offsets:
        return {"message": ALTERED.format(done)}
    return {"message": FRAMEWORK.format(done, done)}


def checked(plugin: Plugin | None, entries: Any, topics: set[str] | None) -> list[dict[str, Any]]:
    """The entries as Connect would store them, or a refusal: 400 from the worker, 500 from the connector or Kafka."""
    if not entries:
        raise refuse(400, NONE_GIVEN)
    if plugin is not None and plugin.type == "sink":
        return [_sink_entry(entry, topics) for entry in entries]
    for entry in entries:
        _check_source(plugin, entry)
    return list(entries)


def _integer(value: Any, what: str) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise refuse(
            400,
            f"Failed to parse the following Kafka {what} value in the provided offsets: '{value}'. {what.capitalize()} "
            "values for sink connectors need to be integers.",
        ) from None


def _sink_entry(entry: dict[str, Any], topics: set[str] | None) -> dict[str, Any]:
    partition, offset = entry.get("partition"), entry.get("offset")
    if partition is None:
        raise refuse(400, "The partition for a sink connector offset cannot be null or missing")
    if "kafka_topic" not in partition or "kafka_partition" not in partition:
        raise refuse(
            400, "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'"
        )
    number = _integer(partition["kafka_partition"], "partition")
    stored = {"kafka_topic": str(partition["kafka_topic"]), "kafka_partition": number}
    if offset is None:
        return {"partition": stored, "offset": None}
    if "kafka_offset" not in offset:
        raise refuse(400, "The offset for a sink connector should either be null or contain the key 'kafka_offset'")
    wanted = _integer(offset["kafka_offset"], "offset")
    if topics is not None and stored["kafka_topic"] not in topics:
        raise refuse(500, "This server does not host this topic-partition.")
    if wanted < 0:
        raise refuse(500, "Requested offset is negative")
    return {"partition": stored, "offset": {"kafka_offset": wanted}}


def _fits(value: Any, kind: str) -> bool:
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str) if kind == "string" else True


def _check_source(plugin: Plugin | None, entry: dict[str, Any]) -> None:
    """What the connector's own code says, so the status is 500; as the file source does, offsets first."""
    if plugin is None:
        return
    offset = entry.get("offset")
    if offset is not None:
        _check_offset(plugin, offset)
    partition = entry.get("partition")
    for key, kind in (plugin.partition_keys or {}).items():
        if not isinstance(partition, dict) or key not in partition:
            raise refuse(500, f"Partition objects should contain the key '{key}'")
        if not _fits(partition[key], kind):
            shown = exactjson.dumps(partition)
            wrong = f"has an invalid value {partition[key]} for the '{key}' key, which must be an {kind}"
            raise refuse(500, f"Source partition {shown} {wrong}")


def _check_offset(plugin: Plugin, offset: Any) -> None:
    """Integers beyond 64 bits pass where a class declares no keys: some connector may take them."""
    for key, kind in (plugin.offset_keys or {}).items():
        if not isinstance(offset, dict) or key not in offset:
            raise refuse(500, f"Offset objects should either be null or contain the key '{key}'")
        if kind == "integer" and isinstance(offset[key], int) and offset[key] not in LONG:
            beyond = f"but field {key} contains class java.math.BigInteger"
            raise refuse(500, f"Offsets may only contain primitive types as values, {beyond}")
        if not _fits(offset[key], kind):
            raise refuse(500, f"The value for the '{key}' key in the offset is expected to be a {KINDS[kind]} value")
