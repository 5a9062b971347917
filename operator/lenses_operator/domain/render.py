"""From a spec to the exact string map that reaches Lenses, or the reason why there is none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from lenses_operator.resources.connector import ConnectorSpec

RESERVED = {"name": "metadata.name or spec.name", "connector.class": "spec.class", "tasks.max": "spec.tasksMax"}
INT64 = range(-(2**63), 2**63)


class ConfigInvalid(ValueError):  # noqa: N818 - the name is the condition's reason
    """The spec cannot become a configuration; the message names the field and what to do."""


@dataclass(frozen=True)
class Rendered:
    """The configuration as it is sent, `connector.class` and `tasks.max` included."""

    config: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Rendered({len(self.config)} keys)"

    @property
    def hash(self) -> str:
        """Over every key and value, order apart."""
        text = json.dumps(dict(self.config), sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def render(spec: ConnectorSpec) -> Rendered:
    """Strings to the letter, integers in plain decimal, booleans true/false. Raises ConfigInvalid."""
    for key, owner in RESERVED.items():
        if key in spec.config:
            raise ConfigInvalid(f"spec.config has the reserved key {key!r}: remove it there and use {owner} instead.")
    config = {key: _text(key, value) for key, value in spec.config.items() if value is not None}
    config["connector.class"] = spec.class_name
    if spec.tasks_max is not None:
        config["tasks.max"] = str(spec.tasks_max)
    return Rendered(config)


def _text(key: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value in INT64:
        return str(value)
    raise ConfigInvalid(
        f"spec.config[{key!r}] is neither a string, nor a 64-bit integer, nor true or false: "
        "write it as a string, in quotes."
    )
