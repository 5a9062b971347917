"""A connector as Connect has it, and how this server shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from doubles.lenses import Connector
from unit.controllers.virtualtime import now


@dataclass(frozen=True)
class Habits:
    """How this server shows a connector, and how long it takes."""

    password: Literal["shown", "masked", "hidden"] = "shown"
    rewrites: bool = False
    adds: bool = False
    takes: float = 0.0
    """Seconds until a state change or a deletion has happened."""
    lag: float = 0.0
    """Seconds the list is behind."""
    in_place: bool = True

    def shown(self, config: dict[str, str]) -> dict[str, str]:
        seen = dict(config)
        if "password" in seen and self.password == "masked":
            seen["password"] = "********"
        if "password" in seen and self.password == "hidden":
            del seen["password"]
        if "size" in seen and self.rewrites:
            seen["size"] += ".0"
        return seen | {"name": "whatever"}

    @property
    def unreadable(self) -> set[str]:
        return ({"password"} if self.password != "shown" else set()) | ({"size"} if self.rewrites else set())


@dataclass(kw_only=True)
class Incarnation(Connector):
    """One life of a connector, from a create to a delete. `runs`: told whenever it begins to run."""

    runs: Callable[[], None]
    born: float
    ours: bool
    """Created by the operator, or owned by a resource at some time."""
    state_since: float = 0.0
    idle: bool = False
    """A delete was accepted and came to nothing."""
    offsets: bool = True
    contested_in: int | None = None
    """The operator process whose create on its claim was told that it is somebody else's. Where that process ends
    before it has given the claim back, the next one cannot know."""
    touched: float = 0.0
    """When somebody else has last changed its configuration."""
    let_go: bool = False
    """A resource has let it go: retained, or its finalizer stripped by hand."""
    foreign: set[str] = field(default_factory=set)
    """Keys that somebody else has set since our last write."""
    written_at: float = float("-inf")
    """When the operator has last written its configuration."""
    written_by: int | None = None
    """The operator process whose answered write made the configuration what it is, nobody having touched it since."""

    def move(self, state: str) -> None:
        self.state, self.state_since = state, now()
        if state == "RUNNING":
            self.runs()

    @property
    def going(self) -> bool:
        return self.gone_from is not None
