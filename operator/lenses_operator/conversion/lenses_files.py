"""Lenses' own files: what lenses-cli exports (`name`, `clusterName`, `config`), and resources of lenses.io."""

from __future__ import annotations

from lenses_operator.conversion.migrating import Notes, Origin, left_out, texts, word
from lenses_operator.conversion.yaml_source import Lined, Unreadable

GROUP = "lenses.io/"
KIND = "KafkaConnector"
STATES = ("running", "paused", "stopped")
_CLUSTER = ("clusterName", "cluster")
_CLI = frozenset({"name", "config", *_CLUSTER})
_SPEC = frozenset({"name", "cluster", "state", "config"})
_RESOURCE = frozenset({"apiVersion", "kind", "metadata", "spec"})


def is_lenses(body: Lined) -> bool:
    return is_resource(body) or is_cli_export(body)


def is_resource(body: Lined) -> bool:
    return str(body.get("apiVersion", "")).startswith(GROUP) and body.get("kind") == KIND


def is_cli_export(body: Lined) -> bool:
    """It says neither kind nor version."""
    return (
        "kind" not in body and isinstance(body.get("config"), Lined) and any(key in body for key in ("name", *_CLUSTER))
    )


def origin_of(body: Lined, notes: Notes) -> Origin:
    """Raises Unreadable."""
    if not is_resource(body):
        return _origin(body, "", _CLI, notes)
    left_out(body, "the resource", _RESOURCE, notes)
    spec = body.mapping("spec")
    found = _origin(spec, "spec.", _SPEC, notes)
    found.state = _state(spec)
    return found


def _origin(fields: Lined, where: str, known: frozenset[str], notes: Notes) -> Origin:
    for key in fields:
        if key not in known:
            notes.say(fields.line_of(key), f"{where}{key} has no equivalent and is left out")
    config = fields.mapping("config")
    found = texts(config, f"{where}config", notes)
    name = word(fields, "name", f"{where}name") or found.get("name")
    if not name:
        raise Unreadable(f"{where}name is missing", fields.line)
    clusters = [word(fields, key, f"{where}{key}") for key in _CLUSTER]
    return Origin(
        connector=name,
        line=fields.line,
        cluster=next(filter(None, clusters), None),
        config=found,
        lines=config.lines,
    )


def _state(spec: Lined) -> str | None:
    """Lenses writes it in either case."""
    state = (word(spec, "state", "spec.state") or "running").lower()
    if state not in STATES:
        raise Unreadable(f"spec.state is none of {', '.join(STATES)}", spec.line_of("state"))
    return state
