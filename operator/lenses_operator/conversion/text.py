"""Manifests as YAML for people: fields in the order of the documentation, related keys side by side."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from lenses_operator.conversion.manifest import Manifest, Source, Values
from lenses_operator.conversion.scalars import config_entry, entry, text
from lenses_operator.resources.base import API_VERSION
from lenses_operator.resources.connector import KIND

_GROUPS = (
    re.compile(r"topics?(\.regex)?$"),
    re.compile(
        r"(?!(transforms|predicates|topic\.creation|(key|value|header)\.converter|errors|(producer|consumer|admin)\.override)\b)"
    ),
    re.compile(r"(transforms|predicates)\b"),
    re.compile(r"topic\.creation\b"),
    re.compile(r"(key|value|header)\.converter\b"),
    re.compile(r"errors\b"),
    re.compile(r""),
)
"""The order of keys: topics, the connector's own, transforms, converters, errors, overrides; by name within each."""


SEPARATOR = "---\n"


def key_order(key: str) -> tuple[int, str]:
    return next(index for index, group in enumerate(_GROUPS) if group.match(key)), key


def connector_text(manifest: Manifest) -> str:
    """One document, without the `---` before it."""
    lines = [f"apiVersion: {API_VERSION}", f"kind: {KIND}", *_metadata(manifest), "spec:"]
    lines += [f"  environment: {text(manifest.environment)}", f"  cluster: {text(manifest.cluster)}"]
    if manifest.connector != manifest.name:
        lines.append(f"  name: {text(manifest.connector)}")
    lines.append(f"  class: {text(manifest.class_name)}")
    if manifest.tasks_max is not None:
        lines.append(f"  tasksMax: {manifest.tasks_max}")
    if manifest.config:
        lines.append("  config:")
        for key in sorted(manifest.config, key=key_order):
            lines += config_entry(key, manifest.config[key], 4)
    if manifest.config_from:
        lines.append("  configFrom:")
        for source in sorted(manifest.config_from, key=lambda one: key_order(one.key)):
            lines += _source(source)
    if manifest.state is not None:
        lines.append(f"  state: {manifest.state}")
    if manifest.auto_restart is not None:
        inner = ", ".join(f"{key}: {str(value).lower()}" for key, value in manifest.auto_restart.items())
        lines.append(f"  autoRestart: {{{inner}}}")
    if manifest.suspend:
        lines.append("  suspend: true")
    return "\n".join([*lines, ""])


def values_text(values: Values) -> str:
    """A Secret or ConfigMap; a comment above each placeholder says what to do."""
    head = {"name": values.name} | ({"namespace": values.namespace} if values.namespace else {})
    lines = ["apiVersion: v1", f"kind: {values.kind}", "metadata:"]
    lines += [f"  {key}: {text(value)}" for key, value in head.items()]
    lines.append("stringData:" if values.kind == "Secret" else "data:")
    for key in sorted(values.data):
        if key in values.unknown:
            lines.append("  # Lenses does not show this value: fill it in before this is applied.")
        lines += entry(key, values.data[key], 2)
    return "\n".join([*lines, ""])


def connector_documents(manifest: Manifest, config_maps: Iterable[Values]) -> str:
    """The connector, after what it refers to."""
    return SEPARATOR.join([*map(values_text, config_maps), connector_text(manifest)])


def _metadata(manifest: Manifest) -> list[str]:
    lines = ["metadata:", f"  name: {text(manifest.name)}"]
    if manifest.namespace:
        lines.append(f"  namespace: {text(manifest.namespace)}")
    return lines + _texts("labels", manifest.labels) + _texts("annotations", manifest.annotations)


def _texts(field: str, values: Mapping[str, str]) -> list[str]:
    lines = [f"  {field}:"] if values else []
    for key in sorted(values):
        lines += entry(key, values[key], 4)
    return lines


def _source(source: Source) -> list[str]:
    field = "secretKeyRef" if source.kind == "Secret" else "configMapKeyRef"
    return [
        f"    - key: {text(source.key)}",
        f"      {field}: {{name: {text(source.name)}, key: {text(source.data_key)}}}",
    ]
