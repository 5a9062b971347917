"""Personas: the different Lenses that this server can be, for all of it or for one environment.

- `connect`, the default: Connect's own codes and words passed through in the agent's shape, the file's fields alone
- `documented`, `observed`, `hostile`: see the modules of these names

A persona acts at one place, around `dispatch`: it may answer in its place, and changes the answer afterwards. Faults
are the test's own word and stay as they are, except that HQ's errors get their request_id.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from harness.lenses.answers import PROBLEM, Answer, Refused, parsed_error
from harness.lenses.call import Call
from harness.lenses.documented import to_the_letter
from harness.lenses.hostile import Hostile
from harness.lenses.observed import as_seen, wrong_media_type
from harness.lenses.switches import Switches

NAMES = ("connect", "documented", "observed", "hostile")


@dataclass(frozen=True, slots=True)
class Persona:
    """`hostile` holds the switches and the memory of the persona of that name."""

    name: str = "connect"
    hostile: Hostile | None = None

    @classmethod
    def parse(cls, given: str | dict[str, Any]) -> Persona:
        """A name, or an object with `name` and the switches of `hostile`."""
        switches = dict(given) if isinstance(given, dict) else {"name": given}
        name = switches.pop("name", None)
        if name not in NAMES:
            raise ValueError(f"unknown persona {name!r}: it is one of {', '.join(NAMES)}")
        if switches and name != "hostile":
            raise ValueError(f"the persona {name} has no switches")
        return cls(name, Hostile(Switches.parse(switches)) if name == "hostile" else None)

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name} | (self.hostile.switches.as_json() if self.hostile else {})

    @property
    def base(self) -> str:
        """The one whose manners it has; those of `hostile` are a switch."""
        return self.hostile.switches.base if self.hostile else self.name

    async def serve(self, call: Call, dispatch: Callable[[], Awaitable[Answer]], *, admitted: bool) -> Answer:
        """The answer to a request; `admitted`: the token is known and sees the environment, which exists."""
        if self.base == "observed" and (refusal := wrong_media_type(call)) is not None:
            return refusal

        async def real() -> Answer:
            call.reached = True
            try:
                return await dispatch()
            except Refused as refused:
                return refused.answer

        hostile = self.hostile
        if hostile is None or not admitted:
            return self._mannered(call, await real())

        async def met() -> Answer:
            return hostile.retold(self._mannered(call, await hostile.meet(call, real)))

        return await hostile.remembered(call, met)

    def _mannered(self, call: Call, answer: Answer) -> Answer:
        match self.base:
            case "documented":
                return to_the_letter(call, answer)
            case "observed":
                return as_seen(call, answer)
        return answer

    def signed(self, answer: Answer) -> tuple[Answer, str | None]:
        """Under `observed` every error of HQ's carries a request_id; the answer and that id."""
        error = parsed_error(answer) if self.base == "observed" and answer.content_type == PROBLEM else None
        if error is None:
            return answer, None
        request_id = secrets.token_hex(10)
        return replace(answer, body=json.dumps({**error, "request_id": request_id}).encode()), request_id
