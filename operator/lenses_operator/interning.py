"""Lets models that are kept by the thousand share what they have alike: it was half of their memory."""

from __future__ import annotations

import sys
from functools import cache
from typing import Annotated, TypeVar, get_args

from pydantic import AfterValidator, BaseModel

Shared = Annotated[str, AfterValidator(sys.intern)]
"""Text that many objects have alike, held once."""

M = TypeVar("M", bound=BaseModel)
_SETS: dict[frozenset[str], set[str]] = {}


def intern_fields(model: M) -> M:
    """The frozen model itself. pydantic gives each a set of its own of the fields that were given: there are few."""
    given = model.model_fields_set
    object.__setattr__(model, "__pydantic_fields_set__", _SETS.setdefault(frozenset(given), given))
    values = vars(model)
    for name in _nesting(type(model)):
        value = values[name]
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, BaseModel):
                intern_fields(part)
    return model


@cache
def _nesting(kind: type[BaseModel]) -> tuple[str, ...]:
    """The fields that may hold models: a resource has some fifty fields, and five of these."""
    return tuple(name for name, field in kind.model_fields.items() if _names_model(field.annotation))


def _names_model(annotation: object) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return any(map(_names_model, get_args(annotation)))
