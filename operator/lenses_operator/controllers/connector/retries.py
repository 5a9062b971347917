"""How often in a row something failed that is tried again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lenses_operator.controllers.connector.context import ReconcileContext


@dataclass(frozen=True, slots=True)
class Retries:
    """Passes in a row. `failures`: that Lenses failed; `missing`: that a reference was not found."""

    failures: int = 0
    missing: int = 0


def failed(context: ReconcileContext) -> int:
    """How often by now."""
    retries = context.memory.retries
    context.memory.retries = replace(retries, failures=retries.failures + 1)
    return context.memory.retries.failures


def worked(context: ReconcileContext) -> None:
    if context.memory.retries.failures:
        context.memory.retries = replace(context.memory.retries, failures=0)


def reference_missing(context: ReconcileContext) -> int:
    """How often by now."""
    retries = context.memory.retries
    context.memory.retries = replace(retries, missing=retries.missing + 1)
    return context.memory.retries.missing


def references_found(context: ReconcileContext) -> None:
    if context.memory.retries.missing:
        context.memory.retries = replace(context.memory.retries, missing=0)
