"""How a request to Lenses can fail, and whether it is carried out all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from doubles.lenses import refusal
from harness.lenses.hostile import REBALANCE
from lenses_operator.lenses import errors

Carried = Literal["no", "yes", "late"]
HANGS = 30.0
"""Seconds after which a request that hangs is given up."""


@dataclass(frozen=True)
class Fault:
    kind: str
    carried: Carried = "no"

    def raised(self, operation: str, words: str) -> Exception:
        return FAULTS[self.kind](operation, words)

    @property
    def seconds(self) -> float:
        """Until it shows."""
        return HANGS if self.kind == "hang" else 0.0

    @property
    def may_be_carried_out(self) -> bool:
        return self.kind in AMBIGUOUS


def no_answer(operation: str) -> errors.LensesError:
    return errors.LensesUnreachable(operation, "no answer", reason="timeout")


FAULTS: dict[str, Callable[[str, str], Exception]] = {
    "hang": lambda op, _: no_answer(op),
    "timeout": lambda op, _: errors.LensesUnreachable(op, "timed out", reason="timeout"),
    "unsent": lambda op, _: errors.LensesUnreachable(op, "no connection", maybe_done=False, reason="connect_error"),
    "500": lambda _, words: refusal(500, words),
    "503": lambda _, words: refusal(503, words),
    "409": lambda _, words: refusal(409, f"{REBALANCE}: {words}"),
    "429": lambda _, words: refusal(429, words, retry_after=2.0),
    "400": lambda _, words: refusal(400, words),
    "401": lambda _, words: refusal(401, words),
    "402": lambda _, words: refusal(402, words),
    "403": lambda _, words: refusal(403, words),
    "404-environment": lambda *_: refusal(404, "no such environment", "not_found"),
    "404-cluster": lambda *_: refusal(404, "no such cluster"),
    "404-html": lambda *_: refusal(404, "Not found", "page"),
    "no-agent": lambda *_: refusal(503, "no agent", "agent_not_connected"),
    "rpc-error": lambda _, words: refusal(400, words, "agent_rpc_error"),
}
AMBIGUOUS = {"hang", "timeout", "500", "503", "no-agent", "rpc-error"}
DOWN = ("hang", "timeout", "503", "401", "403", "404-environment", "404-cluster", "404-html", "no-agent")
