"""What one pass carries along, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from lenses_operator.controllers.memory import Memory
from lenses_operator.domain.render import Rendered
from lenses_operator.resources.connector import AppliedConfig, ConnectorKey, LensesConnector


@dataclass
class Work:
    """One resource under one pass. `resource` is replaced as our own writes go through."""

    resource: LensesConnector
    wanted: Rendered
    memory: Memory
    generation: int = field(init=False)
    """Of the spec that `wanted` comes from; `resource` may be ahead of it."""

    def __post_init__(self) -> None:
        self.generation = self.resource.metadata.generation

    @property
    def connector(self) -> ConnectorKey:
        return self.resource.connector

    @property
    def applied(self) -> AppliedConfig | None:
        return self.memory.applied or self.resource.status.applied_config


@dataclass(frozen=True)
class Outcome:
    """`again`: look again at once, in the same pass. Else `delay` seconds; None: something else will wake the key."""

    delay: float | None = None
    again: bool = False


AGAIN = Outcome(again=True)
GONE = Outcome()
"""The object is no more; its watch event does the rest."""
