"""One operation under one pass, and what the process remembers of it between passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from lenses_operator.domain.offsets_tries import Tries
from lenses_operator.lenses_state.sessions import Session
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets


@dataclass
class Run:
    """One operation under one pass. `text`: the JSON array to send; None for Reset and Observe. `ready`: whether its
    connector is still its resource's own, and nothing else is in the way."""

    operation: LensesConnectorOffsets
    connector: LensesConnector
    session: Session
    redact: Callable[[str], str] = field(repr=False)
    text: str | None = field(repr=False)
    ready: Callable[[], bool]
    listed: bool = False
    """Its cluster has shown its connectors lately."""

    @property
    def generation(self) -> int:
        return self.operation.metadata.generation


@dataclass
class Progress:
    """What the process remembers of one generation's operation; losing it costs a few reads."""

    uid: str
    generation: int
    stopping_since: float | None = None
    tries: Tries | None = None
    unsent: bool = False
    """This process kept `before`, and nothing that may have been carried out was asked for since."""
    answer: str | None = None
    """What the API said when it had carried out the request, which is then never sent again."""
    answered_at: float = -inf
    refusal: str = ""
    """Its words of the last refusal, redacted."""
    looks: int = 0

    @property
    def about(self) -> tuple[str, int]:
        """What a request is to bring about, for its pace."""
        return self.uid, self.generation

    def covers(self, operation: LensesConnectorOffsets) -> bool:
        """Another object may have the name of one that is done, and its generation."""
        return self.about == (operation.metadata.uid, operation.metadata.generation)
