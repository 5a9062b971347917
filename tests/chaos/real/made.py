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
EDITED = {"config": {**SPEC["config"], "topic": "other"}}
"""What asks for `OTHER`."""


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


def deleted(at: float = 100, config: dict[str, str] = CONFIG, **more: Any) -> Effect:
    return effect(at, "delete", config, **more)


def created(at: float = 100, config: dict[str, str] = CONFIG, **more: Any) -> Effect:
    return effect(at, "create", None, config, **more)


def put(before: dict[str, str], at: float = 100, after: dict[str, str] = CONFIG) -> Effect:
    return effect(at, "put", before, after)


def plain(*effects: Effect) -> History:
    """One resource, which stays as it is."""
    return history((1, resource()), effects=[*effects])


def taken_back(at: float, *effects: Effect) -> History:
    """It was edited until then."""
    return history((1, resource(EDITED)), (at, resource()), effects=[*effects])


def unread_until(at: float, *effects: Effect) -> History:
    """Edited until then, in a key that Lenses did not show when it was adopted."""
    before, after = unread(resource(EDITED), "topic"), unread(resource(), "topic")
    return history((1, before), (at, after), effects=[*effects])


def released(*effects: Effect) -> History:
    """Its deletion is asked for at 50, and it is gone at 100."""
    return history((1, resource()), (50, resource(deleting=True)), (100, None), effects=[*effects])


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
