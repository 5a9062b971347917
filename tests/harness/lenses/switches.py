"""The switches of the persona `hostile`; `control_kinds.HostileSwitches` documents them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from harness.lenses.access import glob_match
from harness.lenses.operations import checked_operations

Globs = tuple[str, ...]
ALL: Globs = ("*",)
CHOICES: dict[str, tuple[Any, ...]] = {
    "base": ("connect", "observed"),
    "conflict_as": (None, 400, 500, 502, 503),
    "lists": (None, "fail", "huge", "hang", "miss"),
    "hide_config": (None, "missing", "null"),
    "jetty_as": ("worker", "agent"),
    "agent_rpc_done": (False, True, "alternate"),
}
MEANT: dict[str, Any] = {
    "hide_config": "missing",
    "reworded": "Request 7 came to nothing",
    "unknown_type": "unclassified_outcome",
    "jetty": ALL,
    "blind_clusters": ALL,
}
"""What True stands for."""


@dataclass(frozen=True, slots=True)
class Switches:
    """All off."""

    base: str = "connect"
    conflict_as: int | None = None
    cached_reads: float = 0.0
    lists: str | None = None
    lists_status: int | None = None
    lists_seconds: float = 60.0
    lists_clusters: Globs = ALL
    blind: bool = False
    blind_clusters: Globs = ()
    blind_tokens: Globs = ALL
    blind_connectors: Globs = ALL
    hide_config: str | None = None
    reworded: str | None = None
    unknown_type: str | None = None
    unknown_type_statuses: tuple[int, ...] = (400, 409, 500)
    agent_rpc_error: Globs = ()
    agent_rpc_status: int = 400
    agent_rpc_done: bool | str = False
    agent_rpc_times: int | None = None
    rebalance: float = 0.0
    jetty: Globs = ()
    jetty_as: str = "worker"

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is one of {', '.join(map(str, allowed))}")
        checked_operations(list(self.agent_rpc_error))

    @classmethod
    def parse(cls, given: dict[str, Any]) -> Switches:
        """From JSON: True stands for a switch's usual value, false and null for off, a list for a tuple."""
        names = {field.name for field in fields(cls)}
        unknown = set(given) - names
        if unknown:
            raise ValueError(f"unknown switches: {', '.join(sorted(unknown))}")
        on = {name: value for name, value in given.items() if value is not None and value is not False}
        return cls(**{name: _value(name, value) for name, value in on.items()})

    def as_json(self) -> dict[str, Any]:
        """What differs from all off."""
        off = asdict(Switches())
        return {name: value for name, value in asdict(self).items() if value != off[name]}


def _value(name: str, value: Any) -> Any:
    if value is True:
        return MEANT.get(name, True)
    return tuple(value) if isinstance(value, list) else value


def among(globs: Globs, value: str) -> bool:
    return any(glob_match(glob, value) for glob in globs)
