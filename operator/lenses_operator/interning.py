"""Lets models that are kept by the thousand share what they have alike: it was half of their memory."""

from __future__ import annotations

import sys
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel

Shared = Annotated[str, AfterValidator(sys.intern)]
"""Text that many objects have alike, held once."""

M = TypeVar("M", bound=BaseModel)
_SETS: dict[frozenset[str], set[str]] = {}


def intern_fields(model: M) -> M:
    """The frozen model itself. pydantic gives each a set of its own of the fields that were given: there are few."""
    given = model.model_fields_set
    object.__setattr__(model, "__pydantic_fields_set__", _SETS.setdefault(frozenset(given), given))
    for value in vars(model).values():
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, BaseModel):
                intern_fields(part)
    return model
