"""Connector of Confluent for Kubernetes, platform.confluent.io/v1beta1."""

from __future__ import annotations

from collections.abc import Mapping

from lenses_operator.conversion.migrating import SERVER_MADE, Notes, Origin, integer, kept_texts, left_out, texts, word
from lenses_operator.conversion.yaml_source import Lined, Unreadable

GROUP = "platform.confluent.io/"
KIND = "Connector"
PREFIX = "platform.confluent.io/"
BLOCK = "platform.confluent.io/block-reconcile"
RESTARTS = 10
"""How often a failed task is restarted where restartPolicy does not say."""
_ANNOTATIONS = {
    "restart": "annotate the LensesConnector with connect.lenses.io/restart instead",
    "pause": "set spec.state to paused instead, if the connector is to stay so",
    "resume": "set spec.state instead",
    "force-reconcile": "annotate the LensesConnector with connect.lenses.io/reconcile instead",
}
_KNOWN = frozenset({"name", "class", "taskMax", "configs", "connectClusterRef", "connectRest", "restartPolicy"})


def is_confluent(body: Lined) -> bool:
    return str(body.get("apiVersion", "")).startswith(GROUP) and body.get("kind") == KIND


def origin_of(body: Lined, notes: Notes) -> Origin:
    """Raises Unreadable."""
    metadata, spec = body.mapping("metadata"), body.mapping("spec")
    name = word(metadata, "name", "metadata.name")
    if name is None:
        raise Unreadable("metadata.name is missing", body.line)
    annotations, configs = metadata.mapping("annotations"), spec.mapping("configs")
    namespace = word(metadata, "namespace", "metadata.namespace")
    left_out(metadata, "metadata", {"name", "namespace", "labels", "annotations", *SERVER_MADE}, notes)
    left_out(spec, "spec", _KNOWN, notes)
    if "connectRest" in spec:
        line = spec.line_of("connectRest")
        notes.say(line, "spec.connectRest is left out: Lenses reaches the Connect cluster, and knows how")
    return Origin(
        connector=word(spec, "name", "spec.name") or name,
        name=name,
        line=body.line,
        namespace=namespace,
        labels=kept_texts(metadata.mapping("labels"), "metadata.labels", (PREFIX,), notes),
        annotations=kept_texts(annotations, "metadata.annotations", (PREFIX,), notes),
        cluster=_cluster(spec, namespace, notes),
        class_name=word(spec, "class", "spec.class"),
        tasks_max=integer(spec, "taskMax", "spec.taskMax"),
        config=texts(configs, "spec.configs", notes),
        lines=configs.lines,
        suspend=_annotations(annotations, notes),
        auto_restart=_auto_restart(spec, notes),
    )


def _cluster(spec: Lined, namespace: str | None, notes: Notes) -> str | None:
    reference = spec.mapping("connectClusterRef")
    left_out(reference, "spec.connectClusterRef", frozenset({"name", "namespace"}), notes)
    if reference.get("namespace") not in (None, namespace):
        line = reference.line_of("namespace")
        notes.say(line, "spec.connectClusterRef.namespace is left out: check that the cluster has this name in Lenses")
    return word(reference, "name", "spec.connectClusterRef.name")


def _auto_restart(spec: Lined, notes: Notes) -> Mapping[str, bool | int] | None:
    """Confluent's operator restarts failed tasks unless configured otherwise."""
    policy = spec.mapping("restartPolicy")
    left_out(policy, "spec.restartPolicy", frozenset({"type", "maxRetry"}), notes)
    kind = word(policy, "type", "spec.restartPolicy.type")
    if kind not in (None, "OnFailure", "Never"):
        raise Unreadable("spec.restartPolicy.type is neither OnFailure nor Never", policy.line_of("type"))
    if kind == "Never":
        return None
    if policy.get("maxRetry") == 0 and policy.get("maxRetry") is not False:
        line = policy.line_of("maxRetry")
        notes.say(line, "spec.restartPolicy.maxRetry is 0, which is no restart at all: autoRestart is left out")
        return None
    most = integer(policy, "maxRetry", "spec.restartPolicy.maxRetry")
    if kind is None:
        line = spec.line_of("restartPolicy")
        notes.say(line, "without a restartPolicy.type Confluent's operator restarts failed tasks: autoRestart does so")
    return {"enabled": True, "maxRestarts": most or RESTARTS}


def _annotations(annotations: Lined, notes: Notes) -> bool:
    """Tells of each; whether reconciliation is blocked."""
    for key, value in annotations.items():
        if not key.startswith(PREFIX):
            continue
        if key == BLOCK and value in ("true", True):
            notes.say(annotations.line_of(key), f"annotation {key} becomes spec.suspend")
            continue
        rest = key.removeprefix(PREFIX)
        instead = next((text for start, text in _ANNOTATIONS.items() if rest.startswith(start)), "it has no equivalent")
        notes.say(annotations.line_of(key), f"annotation {key} is left out: {instead}")
    return annotations.get(BLOCK) in ("true", True)
