"""By what name Lenses and Kubernetes know this program: Kubernetes also calls what it writes by it (managedFields)."""

from __future__ import annotations

from functools import cache
from importlib import metadata

NAME = "lenses-operator"


@cache
def user_agent() -> str:
    """`lenses-operator/1.2.3`."""
    try:
        return f"{NAME}/{metadata.version(NAME)}"
    except metadata.PackageNotFoundError:
        return f"{NAME}/0"
