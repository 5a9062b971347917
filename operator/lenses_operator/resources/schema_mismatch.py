"""What of an object could not be read, and what can be read all the same: one of another version's CRD, or of none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import ErrorDetails

NAMED = 5
"""Fields whose problem is described; the rest are counted."""
PLACES = 8
"""Steps of a path that are shown: deeper names do not help."""


class SchemaMismatch(BaseModel):
    """`fields`: such as `spec.state`. `words`: each with what is wrong, and never with what it holds.

    `status`: as it is stored, for what is not understood of it may be another version's.
    """

    model_config = ConfigDict(frozen=True)

    fields: frozenset[str]
    words: str
    status: Mapping[str, Any]

    def concerns(self, fields: Iterable[str]) -> bool:
        """Whether one of them could not be read."""
        return not self.fields.isdisjoint(fields)


def describe(problems: Sequence[ErrorDetails]) -> str:
    """`spec.tasksMax: input should be a valid integer; spec.class: missing`."""
    told = [f"{path(problem['loc'])}: {_words(problem)}" for problem in problems[:NAMED]]
    rest = len(problems) - len(told)
    return "; ".join(told) + (f"; and {rest} more" if rest else "")


def path(loc: Sequence[int | str]) -> str:
    """As kubectl writes it: `spec.configFrom[0].secretRef.name`."""
    found = "".join(f"[{place}]" if isinstance(place, int) else f".{place[:64]}" for place in loc[:PLACES])
    return found.removeprefix(".")


def field_of(loc: Sequence[int | str]) -> str:
    """The field of spec or status that the trouble is in."""
    return ".".join(str(place) for place in loc[:2])


def readable(part: object, model: type[BaseModel], bad: frozenset[str], stand_ins: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `part` that fit; in the place of those that must be there and do not, what stands for them."""
    found = part if isinstance(part, Mapping) else {}
    names = [field.alias or name for name, field in model.model_fields.items()]
    return dict(stand_ins) | {name: found[name] for name in names if name in found and name not in bad}


def _words(problem: ErrorDetails) -> str:
    if problem["type"] == "missing":
        return "missing"
    words = problem["msg"].removeprefix("Value error, ")
    return words[:1].lower() + words[1:]
