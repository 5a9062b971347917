"""How a request to Lenses can fail, and whether it is carried out all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lenses_operator.lenses import errors

Carried = Literal["no", "yes", "late"]
HANGS = 30.0
"""Seconds after which a request that hangs is given up."""


@dataclass(frozen=True)
class Fault:
    kind: str
    carried: Carried = "no"

    def error(self, operation: str, words: str) -> errors.LensesError:
        return FAULTS[self.kind](operation, words)

    @property
    def seconds(self) -> float:
        """Until it shows."""
        return HANGS if self.kind == "hang" else 0.0

    @property
    def may_be_carried_out(self) -> bool:
        return self.kind in AMBIGUOUS


FAULTS: dict[str, Callable[[str, str], errors.LensesError]] = {
    "hang": lambda op, _: errors.LensesUnreachable(op, "no answer", reason="timeout"),
    "timeout": lambda op, _: errors.LensesUnreachable(op, "timed out", reason="timeout"),
    "unsent": lambda op, _: errors.LensesUnreachable(op, "no connection", maybe_done=False, reason="connect_error"),
    "500": lambda op, words: errors.ServerError(op, detail=words),
    "503": lambda op, words: errors.ServerError(op, status=503, detail=words),
    "409": lambda op, words: errors.Conflict(op, detail=f"rebalance: {words}"),
    "429": lambda op, _: errors.RateLimited(op, retry_after=2.0),
    "400": lambda op, words: errors.BadRequest(op, detail=words),
    "401": lambda op, words: errors.Unauthorized(op, detail=words),
    "402": lambda op, words: errors.LicenceRequired(op, detail=words),
    "403": lambda op, words: errors.Forbidden(op, detail=words),
    "404-environment": lambda op, _: errors.EnvironmentNotFound(op, detail="no such environment"),
    "404-cluster": lambda op, _: errors.ConnectorOrClusterNotFound(op, detail="no such cluster"),
    "404-html": lambda op, _: errors.UnusableAnswer(op, status=404, detail="<html>Not found</html>"),
    "no-agent": lambda op, _: errors.AgentNotConnected(op, detail="no agent"),
}
AMBIGUOUS = {"hang", "timeout", "500", "503", "no-agent"}
DOWN = ("hang", "timeout", "503", "401", "403", "404-environment", "404-cluster", "404-html", "no-agent")
