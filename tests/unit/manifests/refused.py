"""Specs that the API server takes or refuses, with words that say why; over a good one."""

from __future__ import annotations

from typing import Any

SOURCE = {"secretRef": {"name": "s"}}
CONFIG = {"file": "/dev/null", "topic": "lines"}


def manifest(**spec: Any) -> dict[str, Any]:
    """`class_name` is the field `class`; a field of None is taken out."""
    if "class_name" in spec:
        spec["class"] = spec.pop("class_name")
    wanted = {"environment": "prod", "cluster": "connect", "class": "org.example.Source", "config": CONFIG, **spec}
    return {
        "apiVersion": "connect.lenses.io/v1alpha1",
        "kind": "LensesConnector",
        "metadata": {"name": "orders"},
        "spec": {key: value for key, value in wanted.items() if value is not None},
    }


REFUSED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "fraction": ({"config": {**CONFIG, "rate": 0.8}}, ("spec.config.rate",)),
    "map": ({"config": {**CONFIG, "map": {"a": "b"}}}, ("spec.config.map",)),
    "list": ({"config": {**CONFIG, "list": ["a"]}}, ("spec.config.list",)),
    "empty-map": ({"config": {**CONFIG, "ssl": {}}}, ("spec.config.ssl",)),
    "empty-list": ({"config": {**CONFIG, "ssl": []}}, ("spec.config.ssl",)),
    "beyond-64-bit": ({"config": {**CONFIG, "big": 2**70}}, ("spec.config.big",)),
    "too-long-a-value": ({"config": {**CONFIG, "sql": "x" * 32769}}, ("spec.config.sql", "32768")),
    "tasks-0": ({"tasksMax": 0}, ("spec.tasksMax", "at least 1")),
    "tasks-text": ({"tasksMax": "3"}, ("spec.tasksMax",)),
    "tasks-too-many": ({"tasksMax": 2**31}, ("spec.tasksMax",)),
    "class-missing": ({"class_name": None}, ("spec.class is missing",)),
    "class-newline": ({"class_name": "org.example.Sink\n"}, ("spec.class",)),
    "class-space": ({"class_name": "org.example Sink"}, ("spec.class",)),
    "class-empty": ({"class_name": ""}, ("spec.class",)),
    "environment-missing": ({"environment": None}, ("spec.environment is missing",)),
    "state": ({"state": "RUNNING"}, ("spec.state must be one of running",)),
    "deletion-policy": ({"deletionPolicy": "Orphan"}, ("spec.deletionPolicy", "Retain")),
    "unknown-field": ({"connectorClass": "x"}, ("spec.connectorClass is no field",)),
    "unknown-field-inside": ({"tokenSecretRef": {"name": "a", "key": "b", "c": 1}}, ("spec.tokenSecretRef.c",)),
    "two-sources": ({"configFrom": [{**SOURCE, "configMapRef": {"name": "c"}}]}, ("exactly one of",)),
    "key-with-a-map": ({"configFrom": [{**SOURCE, "key": "a"}]}, ("set key",)),
    "key-missing": ({"configFrom": [{"secretKeyRef": {"name": "s", "key": "k"}}]}, ("set key",)),
    "too-many-sources": ({"configFrom": [SOURCE] * 65}, ("spec.configFrom",)),
}
BAD_NAMES = (
    *("", " a", "a ", "a\n", "\ta", ".", "..", "a/b", "a\\b", "a%b", "a?b", "a#b", "a{b}", "a\x07b", "a\tb"),
    "x" * 254,
)
GOOD: list[dict[str, Any]] = [
    {},
    {"name": "a->b"},
    {"name": "inner space"},
    {"name": "ünïcode"},
    {"name": "x" * 249},
    {"config": {"a": 2**63 - 1, "b": -(2**63), "c": True, "d": "", "e": "x" * 32768, "f": 3.0}},
    {"config": {}},
    {"tasksMax": 2**31 - 1},
    {"configFrom": [SOURCE, {"key": "a", "secretKeyRef": {"name": "s", "key": "k", "optional": True}}]},
    {"configFrom": []},
    {"autoRestart": {"enabled": True, "maxRestarts": 1}, "suspend": False, "updateStrategy": "InPlace"},
    {"tokenSecretRef": {"name": "t", "key": "k"}},
]

ENTRY = {"partition": {"kafka_topic": "t"}, "offset": {"kafka_offset": 1}}
OFFSETS: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"action": "Alter", "offsets": [ENTRY]}, ""),
    ({"action": "Alter", "offsets": [{"partition": {"a": 1}, "drop": True}]}, ""),
    ({"action": "Observe", "refreshInterval": "1m30s"}, ""),
    ({"action": "Alter"}, "exactly one of offsets and offsetsJson"),
    ({"action": "Alter", "offsets": []}, "must not be empty"),
    ({"action": "Alter", "offsets": [ENTRY], "offsetsJson": "[]"}, "exactly one of offsets and offsetsJson"),
    ({"action": "Reset", "offsets": [ENTRY]}, "belong to action Alter only"),
    ({"action": "Alter", "offsets": [{**ENTRY, "drop": True}]}, "exactly one of offset and drop"),
    ({"action": "Alter", "offsets": [{"partition": {"a": 1}, "drop": False}]}, "must be one of"),
    ({"refreshInterval": "9s"}, "at least 10s"),
    ({"refreshInterval": "soon"}, "spec.refreshInterval"),
    ({"action": "alter"}, "must be one of Observe, Alter, Reset"),
    ({"connectorRef": {}}, "spec.connectorRef.name is missing"),
]
"""Specs, and what is said against them."""


def offsets(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "connect.lenses.io/v1alpha1",
        "kind": "LensesConnectorOffsets",
        "metadata": {"name": "back"},
        "spec": {"connectorRef": {"name": "orders"}, **spec},
    }
