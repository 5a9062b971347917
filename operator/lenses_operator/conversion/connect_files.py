"""Kafka Connect's own files: properties for a standalone worker, JSON as its REST API takes and gives it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from lenses_operator.conversion import properties
from lenses_operator.conversion.lenses_files import is_lenses
from lenses_operator.conversion.migrating import Notes, Origin
from lenses_operator.conversion.yaml_source import Unreadable, documents

STATES = {"RUNNING": "running", "PAUSED": "paused", "STOPPED": "stopped"}
_CLUSTER = "clusterName"
"""Beside name and config where lenses-cli has written the file."""
_TOLD_BY_CONNECT = frozenset({"tasks", "type"})
"""What a GET gives beside name and config; it is not a part of the connector."""


def from_properties(raw: bytes, notes: Notes) -> Origin:
    """Raises Unreadable."""
    text, ambiguous = properties.decode(raw)
    if ambiguous:
        notes.say(None, "it is taken as UTF-8; Kafka Connect reads such files as ISO-8859-1, so compare what runs")
    config: dict[str, str] = {}
    lines: dict[str, int] = {}
    for key, value, line, dropped in properties.parse(text):
        if dropped:
            notes.say(
                line, f"{key}: a backslash before {dropped} is dropped, as Kafka Connect drops it: \\\\ stands for one"
            )
        if key in config:
            notes.say(line, f"{key} is given twice: the last one counts, as in Kafka Connect")
        config[key], lines[key] = value, line
    return _origin(None, config, lines, notes)


def from_json(raw: bytes, notes: Notes) -> list[Origin]:
    """One connector, or each of a list or of all that a worker has. Raises Unreadable."""
    found = _parsed(raw)
    if _is_expanded(found):
        return [_expanded(one, notes) for one in found.values()]
    return [_from_object(one, notes) for one in (found if isinstance(found, list) else [found])]


def _is_expanded(found: Any) -> bool:
    """The answer of `GET /connectors?expand=info`, with or without `expand=status`."""
    values = list(found.values()) if isinstance(found, dict) else []
    return bool(values) and all(isinstance(one, dict) and isinstance(one.get("info"), dict) for one in values)


def _expanded(found: Mapping[str, Any], notes: Notes) -> Origin:
    origin = _from_object(found["info"], notes)
    status = found.get("status")
    connector = status.get("connector") if isinstance(status, dict) else None
    origin.state = STATES.get(str(connector.get("state"))) if isinstance(connector, dict) else None
    return origin


def _parsed(raw: bytes) -> Any:
    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(found)
        if len(values) < len(found):
            twice = next(key for key, count in Counter(key for key, _ in found).items() if count > 1)
            raise Unreadable(f"{twice} is given twice")
        return values

    try:
        return json.loads(
            raw.decode("utf-8-sig"), parse_int=_Number, parse_float=_Number, parse_constant=_no, object_pairs_hook=pairs
        )
    except json.JSONDecodeError as error:
        hint = "; YAML of Lenses is read by migrate lenses" if _is_yaml_of_lenses(raw) else ""
        raise Unreadable(f"not JSON: {error.msg}{hint}", error.lineno) from None
    except (UnicodeDecodeError, RecursionError):
        raise Unreadable("not JSON in UTF-8") from None


def _is_yaml_of_lenses(raw: bytes) -> bool:
    try:
        return any(is_lenses(body) for body in documents(raw.decode("utf-8", "replace")))
    except Unreadable:
        return False


class _Number(str):
    """A number as it is written, which is what Connect makes a text of."""

    __slots__ = ()


def _no(word: str) -> Any:
    raise Unreadable(f"{word} is not JSON")


def _from_object(found: Any, notes: Notes) -> Origin:
    if not isinstance(found, dict):
        raise Unreadable("neither a connector nor a configuration")
    if "apiVersion" in found and "kind" in found:
        raise Unreadable("a resource: migrate strimzi, confluent or lenses may read it")
    if not isinstance(found.get("config"), dict):
        return _origin(None, dict(_texts(found, notes)), {}, notes)
    for key in found:
        if key not in {"name", "config", "initial_state", _CLUSTER, *_TOLD_BY_CONNECT}:
            notes.say(None, f"{key} has no equivalent and is left out")
    origin = _origin(found.get("name"), dict(_texts(found["config"], notes)), {}, notes)
    cluster = found.get(_CLUSTER)
    if cluster is not None and not isinstance(cluster, str):
        raise Unreadable(f"{_CLUSTER} is not a text")
    origin.cluster = cluster or None
    initial = found.get("initial_state")
    if initial is not None:
        if initial not in STATES:
            raise Unreadable(f"initial_state is none of {', '.join(STATES)}")
        origin.state = STATES[initial]
    return origin


def _texts(config: Mapping[str, Any], notes: Notes) -> Iterator[tuple[str, str]]:
    for key, value in config.items():
        match value:
            case None:
                notes.say(None, f"{key} is null and left out")
            case bool():
                yield key, "true" if value else "false"
            case str():
                yield key, str(value)
            case _:
                raise Unreadable(f"{key} is neither a text nor a number nor a boolean, so Connect cannot take it")


def _origin(name: object, config: dict[str, str], lines: Mapping[str, int], notes: Notes) -> Origin:
    """The name beside the configuration, in it, or the file's own."""
    found = name or config.get("name")
    if not isinstance(found, str):
        found = PurePath(notes.file).stem
        notes.say(None, f"it has no name: taken from the file's, {found}")
    return Origin(connector=found, config=config, lines=lines)
