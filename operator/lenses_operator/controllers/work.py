"""What one pass carries along, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass

from lenses_operator.controllers.memory import Memory
from lenses_operator.domain.render import Rendered
from lenses_operator.resources.connector import AppliedConfig, ConnectorKey, LensesConnector


@dataclass
class Work:
    """One resource under one pass. `resource` is replaced as our own writes go through."""

    resource: LensesConnector
    wanted: Rendered
    memory: Memory

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
