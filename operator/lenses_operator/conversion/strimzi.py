"""Strimzi's KafkaConnector, kafka.strimzi.io/v1beta2 and v1, and the same resource under another vendor's group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lenses_operator.conversion.migrating import (
    SERVER_MADE,
    Notes,
    Origin,
    boolean,
    integer,
    kept_texts,
    left_out,
    texts,
    word,
)
from lenses_operator.conversion.yaml_source import Lined, Unreadable

KIND = "KafkaConnector"


class Dialect(NamedTuple):
    """Whose resource it is. `prefix`: of its labels and annotations."""

    group: str
    prefix: str


STRIMZI = Dialect("kafka.strimzi.io/", "strimzi.io/")
DIALECTS = (STRIMZI, Dialect("eventstreams.ibm.com/", "eventstreams.ibm.com/"))
PREFIXES = tuple(dialect.prefix for dialect in DIALECTS)
CLUSTER = "cluster"
PAUSE = "pause-reconciliation"
STATES = ("running", "paused", "stopped")
OFFSETS = {
    "listOffsets": "a LensesConnectorOffsets with action Observe shows offsets",
    "alterOffsets": "a LensesConnectorOffsets with action Alter sets offsets",
}
_ANNOTATIONS = {
    "restart": "annotate the LensesConnector with connect.lenses.io/restart instead",
    "restart-task": "annotate the LensesConnector with connect.lenses.io/restart instead",
    "connector-offsets": "a LensesConnectorOffsets works on offsets",
}
_KNOWN = frozenset({"class", "tasksMax", "config", "pause", "state", "autoRestart", "version", *OFFSETS})


def is_strimzi(body: Lined) -> bool:
    version = str(body.get("apiVersion", ""))
    return version.startswith(tuple(dialect.group for dialect in DIALECTS)) and body.get("kind") == KIND


def origin_of(body: Lined, notes: Notes) -> Origin:
    """Raises Unreadable."""
    metadata, spec = body.mapping("metadata"), body.mapping("spec")
    name = word(metadata, "name", "metadata.name")
    if name is None:
        raise Unreadable("metadata.name is missing", body.line)
    labels, annotations = metadata.mapping("labels"), metadata.mapping("annotations")
    config = spec.mapping("config")
    left_out(metadata, "metadata", {"name", "namespace", "labels", "annotations", *SERVER_MADE}, notes)
    left_out(spec, "spec", _KNOWN, notes)
    _tell_labels(labels, notes)
    _tell_offsets(spec, notes)
    found = Origin(
        connector=name,
        name=name,
        line=body.line,
        namespace=word(metadata, "namespace", "metadata.namespace"),
        labels=kept_texts(labels, "metadata.labels", PREFIXES, notes),
        annotations=kept_texts(annotations, "metadata.annotations", PREFIXES, notes),
        cluster=_cluster(labels),
        class_name=word(spec, "class", "spec.class"),
        tasks_max=integer(spec, "tasksMax", "spec.tasksMax"),
        config=texts(config, "spec.config", notes),
        lines=config.lines,
        state=_state(spec, notes),
        suspend=_annotations(annotations, notes),
        auto_restart=_auto_restart(spec, notes),
    )
    version = word(spec, "version", "spec.version")
    if version is not None:
        notes.say(spec.line_of("version"), "spec.version becomes connector.plugin.version, as Strimzi sends it")
        found.config["connector.plugin.version"] = version
    return found


def _state(spec: Lined, notes: Notes) -> str | None:
    """`state` counts before the older `pause`."""
    paused = boolean(spec, "pause", "spec.pause", False)
    state = word(spec, "state", "spec.state")
    if state is None:
        return "paused" if paused else None
    if state not in STATES:
        raise Unreadable(f"spec.state is none of {', '.join(STATES)}", spec.line_of("state"))
    if "pause" in spec and paused != (state == "paused"):
        notes.say(spec.line_of("pause"), "spec.pause is left out: spec.state says otherwise, and counts")
    return state


def _auto_restart(spec: Lined, notes: Notes) -> Mapping[str, bool | int] | None:
    if spec.get("autoRestart") is None:
        return None
    given = spec.mapping("autoRestart")
    left_out(given, "spec.autoRestart", frozenset({"enabled", "maxRestarts"}), notes)
    enabled = boolean(given, "enabled", "spec.autoRestart.enabled", True)
    most = integer(given, "maxRestarts", "spec.autoRestart.maxRestarts")
    if enabled and most is None:
        line = spec.line_of("autoRestart")
        notes.say(line, "spec.autoRestart without maxRestarts never ends in Strimzi; here it ends after 10 restarts")
    return {"enabled": enabled} if most is None else {"enabled": enabled, "maxRestarts": most}


def _own(key: str) -> str | None:
    """What follows the prefix in a label or annotation of the other operator."""
    return next((key.removeprefix(prefix) for prefix in PREFIXES if key.startswith(prefix)), None)


def _cluster(labels: Lined) -> str | None:
    """Raises Unreadable."""
    named = [key for key in labels if _own(key) == CLUSTER]
    return word(labels, named[0], f"label {named[0]}") if named else None


def _tell_labels(labels: Lined, notes: Notes) -> None:
    for key in labels:
        if _own(key) not in (None, CLUSTER):
            notes.say(labels.line_of(key), f"label {key} is left out")


def _annotations(annotations: Lined, notes: Notes) -> bool:
    """Tells of each; whether reconciliation is paused."""
    paused = False
    for key, value in annotations.items():
        own = _own(key)
        if own == PAUSE and value in ("true", True):
            notes.say(annotations.line_of(key), f"annotation {key} becomes spec.suspend")
            paused = True
        elif own is not None:
            instead = _ANNOTATIONS.get(own, "it has no equivalent")
            notes.say(annotations.line_of(key), f"annotation {key} is left out: {instead}")
    return paused


def _tell_offsets(spec: Lined, notes: Notes) -> None:
    for key, instead in OFFSETS.items():
        if key in spec:
            notes.say(spec.line_of(key), f"spec.{key} is left out: {instead}")
