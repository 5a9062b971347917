"""The ways in which Lenses may mislead whoever relies on it: each on for a time, alone or together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from doubles.faults import Fault, no_answer
from doubles.lenses import CACHED, CHANGING, REBALANCING, refusal
from harness.lenses.answers import Answer, Refused, agent_error, words_of
from harness.lenses.hostile import REBALANCE, huge, reclassified, reworded
from unit.controllers.virtualtime import now

T = TypeVar("T")
SWITCHES: dict[str, tuple[Any, ...]] = {
    "conflict": (400, 500),
    "reworded": (True,),
    "unknown type": (True,),
    "rpc": ("lost", "done", "in turn"),
    "rebalance": (3.0, 20.0),
    "cached": (20.0, 40.0),
    "lists": ("fail", "hang", "huge", "miss"),
    "blind": ("reads", "all"),
    "hidden": (True,),
    "put": ("ignored", "late"),
}
"""Each with what it may be on for:

- conflict: the status that Connect's 409 is told as
- reworded, unknown type: an error's words say nothing; what the agent says has a type of HQ's that nobody knows
- rpc: HQ loses the agent over what changes something, which is carried out all the same or not
- rebalance: seconds after each create, delete or write in place
- cached: seconds for which a read is answered as it was before, a 404 too
- lists: they fail while everything else works, or leave the cluster out
- blind: a lost right shows as absence; creating may still be allowed
- hidden: nobody may read a configuration
- put: taken and ignored, or carried out later
"""
SEEING = frozenset({"get_connector", "get_offsets", "get_resource"})
"""Reads of one connector."""
CREATING = frozenset({"create_connector", "put_resource"})
LATE = 20.0
"""Seconds until a write in place that was taken is carried out."""


class Hostile:
    """`deceives`: what it shows may not be so, and no error tells."""

    def __init__(self) -> None:
        self._on: dict[str, tuple[Any, float, float]] = {}
        """Its value, since when, and until when."""
        self._reads: dict[tuple[str, str], tuple[float, Callable[[], Any]]] = {}
        self._rebalancing_until = float("-inf")
        self._lost = 0

    def switch(self, name: str, value: Any, seconds: float) -> None:
        fresh = self.on(name) is None
        self._on[name] = value, now() if fresh else self._on[name][1], now() + seconds
        if fresh and name == "cached":
            self._reads.clear()

    def heal(self) -> None:
        self._on = {name: (value, since, min(until, now())) for name, (value, since, until) in self._on.items()}
        self._rebalancing_until = float("-inf")

    def sleep(self, seconds: float) -> None:
        """Nobody is misled meanwhile; whoever was a moment ago, still is."""
        self._on = {
            name: (value, since, until + seconds if self.lately(name) else until)
            for name, (value, since, until) in self._on.items()
        }

    def on(self, name: str) -> Any:
        """What it is on for; None: it is off."""
        value, _, until = self._on.get(name, (None, 0.0, 0.0))
        return value if now() < until else None

    def lately(self, name: str, seconds: float = 10.0) -> bool:
        """Whether it is on, or was a moment ago."""
        return name in self._on and now() < self._on[name][2] + seconds

    def throughout(self, name: str, seconds: float) -> bool:
        """Whether it has been on for so long."""
        return self.on(name) is not None and self._on[name][1] <= now() - seconds

    @property
    def deceives(self) -> bool:
        return any(self.lately(name) for name in ("cached", "blind", "put"))

    # In place of the real answer.

    def instead(self, operation: str, name: str, words: str) -> tuple[Fault | None, Exception | None, bool]:
        """The list's own trouble as a fault; else what is answered, and whether the request is carried out."""
        if operation == "list_connectors" and self.on("lists") is not None:
            return self._list()
        if name and self._unseen(operation):
            return None, refusal(404, f"Connector {name} not found"), False
        changes = operation in CHANGING
        if (changes or operation == "validate") and now() < self._rebalancing_until:
            return None, refusal(409, f"{REBALANCE}: {words}"), False
        if operation == "get_resource" and self.on("hidden"):
            return None, refusal(403, "Not permitted to read this configuration"), False
        if changes and (how := self.on("rpc")) is not None:
            self._lost += 1
            done = how == "done" or (how == "in turn" and self._lost % 2 == 0)
            return None, refusal(400, words, "agent_rpc_error"), done
        return None, None, True

    def _list(self) -> tuple[Fault | None, Exception | None, bool]:
        match self.on("lists"):
            case "fail":
                return None, refusal(500, "The connectors could not be listed"), False
            case "huge":
                return None, Refused(huge(502)), False
            case "hang":
                return Fault("hang"), no_answer("list_connectors"), False
        return None, None, True

    def _unseen(self, operation: str) -> bool:
        if self.on("blind") is None:
            return False
        if operation in CREATING:
            return bool(self.on("blind") == "all")
        return operation in CHANGING | SEEING

    @property
    def lists_nothing(self) -> bool:
        return self.on("blind") is not None or self.on("lists") == "miss"

    def remembered(self, operation: str, name: str, read: Callable[[], T]) -> Callable[[], T]:
        """The answer of before, while that is fresh enough."""
        ttl = self.on("cached")
        if ttl is None or operation not in CACHED:
            return read
        known = self._reads.get((operation, name))
        if known is not None and now() < known[0] + ttl:
            return known[1]
        return lambda: self._keep(operation, name, read)

    def _keep(self, operation: str, name: str, read: Callable[[], T]) -> T:
        begun = now()
        try:
            found = read()
        except Refused as refused:
            again = refused.answer  # a name that outlives the clause
            if again.status == 404:
                self._reads[operation, name] = begun, lambda: _raise(again)
            raise
        self._reads[operation, name] = begun, lambda: found
        return found

    # What becomes of the real answer.

    def carried_out(self, operation: str) -> None:
        if operation in REBALANCING and (seconds := self.on("rebalance")) is not None:
            self._rebalancing_until = now() + seconds

    def told(self, answer: Answer) -> Answer:
        """Told otherwise, and in words that mean nothing; what is quoted goes on being quoted."""
        words = words_of(answer)
        if answer.status == 409 and self.on("conflict") is not None:
            answer = agent_error(self.on("conflict"), words)
        if answer.status in {400, 409, 500} and self.on("unknown type"):
            answer = reclassified(answer, "unclassified_outcome")
        if self.on("reworded"):
            answer = reworded(answer, "Request 7 came to nothing" + words.partition(" with ")[2])
        return answer


def _raise(answer: Answer) -> Any:
    raise Refused(answer)
