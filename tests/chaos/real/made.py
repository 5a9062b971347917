"""Records made up for tests: one resource, its connector, and what was done to it."""

from __future__ import annotations

from typing import Any

from chaos.real.cast import Key, Object, Role, wanted_config
from invariants.history import Effect, History, Name, Span, Version

ROLE = Role(0)
NAMESPACES = ["one", "two", "three"]
SPEC: Object = ROLE.manifest(NAMESPACES)["spec"]
SPEC = {**SPEC, "deletionPolicy": "Delete", "configFrom": []}
NAME: Name = ("LensesConnector", "one", ROLE.name)
KEY: Key = ROLE.key
CONFIG = wanted_config(SPEC, "")
OTHER = {**CONFIG, "topic": "other"}


def resource(
    spec: Object | None = None, *, deleting: bool = False, owned: str = "Owned", finalized: bool = True
) -> Object:
    meta: Object = {"name": ROLE.name, "namespace": "one", "uid": "u1", "generation": 1}
    meta |= {"creationTimestamp": "2026-01-01T00:00:00Z"}
    if deleting:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    if finalized:
        meta["finalizers"] = ["connect.lenses.io/connector"]
    ready = {"type": "Ready", "observedGeneration": 1, "reason": "Running", "message": ""}
    return {
        "metadata": meta,
        "spec": {**SPEC, **(spec or {})},
        "status": {"ownership": {"state": owned}, "conditions": [ready], "observedGeneration": 1},
    }


def observed(*generations: int, kinds: tuple[str, ...] = ("Ready", "Reconciling", "Stalled")) -> Object:
    """With conditions of these generations."""
    found = resource()
    given = [{"type": kind, "observedGeneration": one} for kind, one in zip(kinds, generations, strict=False)]
    found["status"]["conditions"] = given
    return found


def added(found: Object, key: str) -> Object:
    """As a key that Lenses added at our own write."""
    found["status"]["appliedConfig"] = {"added": [key]}
    return found


def unread(found: Object, key: str) -> Object:
    """As a key that Lenses did not show when the operator first looked."""
    found["status"]["appliedConfig"] = {"notCompared": [key]}
    return found


def history(*versions: tuple[float, Object | None], effects: list[Effect] | None = None) -> History:
    made = History()
    for since, found in versions:
        made.add(NAME, Version(since, since, found))
    made.effects += effects or []
    return made


def effect(at: float, op: str, before: Any = None, after: Any = None, **more: Any) -> Effect:
    return Effect(at, more.pop("arrived", at), op, KEY, before, after, gone_at=more.pop("gone_at", at), **more)


def operation(action: str, mark: int = 5, *, applied: bool = False) -> Object:
    spec: Object = {"connectorRef": {"name": ROLE.name}, "action": action}
    if action == "Alter":
        spec["offsets"] = ROLE.offsets(mark)
    return {
        "metadata": {"name": "rewind", "namespace": "one", "uid": "o1", "generation": 1},
        "spec": spec,
        "status": {"appliedGeneration": 1} if applied else {},
    }


def with_operation(made: History, found: Object, since: float = 1, sure: float | None = None) -> History:
    made.add(("LensesConnectorOffsets", "one", "rewind"), Version(since, since if sure is None else sure, found))
    return made


def spanned(made: History, field: str, begin: float, end: float) -> History:
    getattr(made, field).append(Span(begin, end, "made up"))
    return made
