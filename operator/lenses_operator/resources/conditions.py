"""Conditions as kstatus, Flux, `kubectl wait` and Argo CD read them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from lenses_operator.interning import Shared
from lenses_operator.resources.base import Model, Timestamp
from lenses_operator.resources.text import plain

ConditionStatus = Literal["True", "False", "Unknown"]
MESSAGE_LIMIT = 2000
_REQUEST_ID = re.compile(r" \(request id [A-Za-z0-9_.:-]{1,128}\)")
"""As errors of Lenses end: each try has another one."""


class Phase(StrEnum):
    """The condition in addition to Ready while something is left to do."""

    SETTLED = ""
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


class Condition(Model):
    """One metav1.Condition."""

    type: Shared
    status: ConditionStatus
    observed_generation: int
    last_transition_time: Timestamp
    reason: Shared
    message: Shared


class Status(Model):
    """What both kinds' status has in common."""

    observed_generation: int = -1
    conditions: tuple[Condition, ...] = ()

    @property
    def ready(self) -> Condition | None:
        return next((condition for condition in self.conditions if condition.type == "Ready"), None)

    @property
    def verdict(self) -> Verdict | None:
        """What was said last."""
        ready, kinds = self.ready, {condition.type for condition in self.conditions}
        phase = next((phase for phase in (Phase.RECONCILING, Phase.STALLED) if phase in kinds), Phase.SETTLED)
        if ready is None:
            return None
        return Verdict(ready=ready.status, reason=ready.reason, message=ready.message, phase=phase)

    def to_wire(self) -> dict[str, Any]:
        """The status as it is written: camel case, without what is empty or not known."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)


class Verdict(Model):
    """What a pass has to say: Ready's status, reason and message, and whether work or a person is needed."""

    ready: ConditionStatus
    reason: str
    message: str
    phase: Phase = Phase.SETTLED

    def repeats(self, other: Verdict | None) -> bool:
        """Whether it says what the other one said, request ids aside."""
        return (
            other is not None and self.model_copy(update={"message": said_before(self.message, other.message)}) == other
        )

    def conditions(self, generation: int, now: datetime, previous: Iterable[Condition]) -> tuple[Condition, ...]:
        """Ready always; Reconciling or Stalled only while True. A transition time moves only when `status` moves.

        A message that differs from the last one in a request id alone is the last one: it is written once, not with
        every try.
        """
        before = {condition.type: condition for condition in previous}

        def condition(kind: str, status: ConditionStatus) -> Condition:
            old = before.get(kind)
            since = old.last_transition_time if old and old.status == status else now
            return Condition(
                type=kind,
                status=status,
                observed_generation=generation,
                last_transition_time=since,
                reason=self.reason,
                message=said_before(shorten(self.message), old.message if old else ""),
            )

        found = [condition("Ready", self.ready)]
        if self.phase is not Phase.SETTLED:
            found.append(condition(self.phase.value, "True"))
        return tuple(found)


def said_before(message: str, before: str) -> str:
    """`before` where it says the same with another request id; else the message."""
    return before if _REQUEST_ID.sub("", message) == _REQUEST_ID.sub("", before) else message


def shorten(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """At most `limit` characters; a condition is read by people, often at a terminal, and stored in etcd."""
    text = plain(text)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
