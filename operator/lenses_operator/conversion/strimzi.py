"""Strimzi's KafkaConnector, kafka.strimzi.io/v1beta2 and v1."""

from __future__ import annotations

from collections.abc import Mapping

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

GROUP = "kafka.strimzi.io/"
KIND = "KafkaConnector"
PREFIX = "strimzi.io/"
CLUSTER = "strimzi.io/cluster"
PAUSE = "strimzi.io/pause-reconciliation"
STATES = ("running", "paused", "stopped")
OFFSETS = {
    "listOffsets": "a LensesConnectorOffsets with action Observe shows offsets",
    "alterOffsets": "a LensesConnectorOffsets with action Alter sets offsets",
}
_ANNOTATIONS = {
    "strimzi.io/restart": "annotate the LensesConnector with connect.lenses.io/restart instead",
    "strimzi.io/restart-task": "annotate the LensesConnector with connect.lenses.io/restart instead",
    "strimzi.io/connector-offsets": "a LensesConnectorOffsets works on offsets",
}
_KNOWN = frozenset({"class", "tasksMax", "config", "pause", "state", "autoRestart", "version", *OFFSETS})


def is_strimzi(body: Lined) -> bool:
    return str(body.get("apiVersion", "")).startswith(GROUP) and body.get("kind") == KIND


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
        labels=kept_texts(labels, "metadata.labels", PREFIX),
        annotations=kept_texts(annotations, "metadata.annotations", PREFIX),
        cluster=word(labels, CLUSTER, f"label {CLUSTER}"),
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


def _tell_labels(labels: Lined, notes: Notes) -> None:
    for key in labels:
        if key.startswith(PREFIX) and key != CLUSTER:
            notes.say(labels.line_of(key), f"label {key} is left out")


def _annotations(annotations: Lined, notes: Notes) -> bool:
    """Tells of each; whether reconciliation is paused."""
    for key, value in annotations.items():
        if key == PAUSE and value in ("true", True):
            notes.say(annotations.line_of(key), f"annotation {key} becomes spec.suspend")
        elif key.startswith(PREFIX):
            instead = _ANNOTATIONS.get(key, "it has no equivalent")
            notes.say(annotations.line_of(key), f"annotation {key} is left out: {instead}")
    return annotations.get(PAUSE) in ("true", True)


def _tell_offsets(spec: Lined, notes: Notes) -> None:
    for key, instead in OFFSETS.items():
        if key in spec:
            notes.say(spec.line_of(key), f"spec.{key} is left out: {instead}")
