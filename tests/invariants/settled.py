"""How things must stand when nothing happens any more: each resource as it asks, or with the reason why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chaos.real.cast import Key, Object, is_refused, wanted_config
from invariants.history import Version

EXPECTED = {"running": "Running", "paused": "Paused", "stopped": "Stopped"}
DONE = {"Applied", "Observed", "OffsetsInvalid", "OffsetsRejected", "StopTimeout", "OutcomeUnknown", "NotSupported"}
"""Reasons of an operation that is over, and of one that only looks."""
WAITS = {"ConnectorNotFound", "ConnectorNotReady", "Pending"}
"""And of one that waits for its connector."""

Snapshot = Mapping[str, Any]


def ready(found: Object) -> tuple[str, str]:
    """Ready's reason and message, if they are about the present generation."""
    for condition in (found.get("status") or {}).get("conditions") or []:
        if condition["type"] == "Ready" and condition["observedGeneration"] == found["metadata"]["generation"]:
            return condition["reason"], condition["message"]
    return "", "nobody has looked at this generation"


def unsettled(
    resources: list[Object], operations: list[Object], lenses: Mapping[Key, Snapshot], secrets: Mapping[str, str]
) -> Iterator[str]:
    """What is not as it should be, in words; `secrets` by namespace."""
    well: dict[tuple[str, str], bool] = {}
    for found in resources:
        meta = found["metadata"]
        why = _connector(found, resources, lenses, secrets[meta["namespace"]])
        well[meta["namespace"], meta["name"]] = ready(found)[0] in EXPECTED.values()
        if why:
            reason, message = ready(found)
            yield f"{meta['namespace']}/{meta['name']}: {why}; Ready says {reason}: {message}"
    for found in operations:
        meta = found["metadata"]
        reason, message = ready(found)
        target = well.get((meta["namespace"], found["spec"]["connectorRef"]["name"]))
        if reason not in (DONE if target else DONE | WAITS):
            yield f"{meta['namespace']}/{meta['name']}: not done; Ready says {reason}: {message}"


def _connector(found: Object, resources: list[Object], lenses: Mapping[Key, Snapshot], secret: str) -> str:
    spec, reason = found["spec"], ready(found)[0]
    version = Version(0, 0, found)
    if version.deleting:
        return "still being deleted"
    rivals = [other for other in resources if Version(0, 0, other).connector == version.connector]
    if min(rivals, key=_age) is not found:
        return "" if reason == "Conflict" else "expected Conflict"
    if spec.get("suspend"):
        return "" if reason == "Suspended" else "expected Suspended"
    there, wanted = lenses.get(version.connector), wanted_config(spec, secret)
    passed_over = _passed_over(found)
    config = _config(there, passed_over) if there else None
    wanted = {key: value for key, value in wanted.items() if key not in passed_over}
    if there and not version.is_owner:
        foreign = config != wanted and spec.get("adoptionPolicy") != "Always"
        return "" if foreign and reason == "NotAdopted" else "not adopted, and it should be"
    if is_refused(spec):
        return "" if reason == "ConfigInvalid" else "expected ConfigInvalid"
    state = spec.get("state", "running")
    if reason != EXPECTED[state]:
        return f"expected {EXPECTED[state]}"
    if there is None:
        return "there is no such connector in Lenses"
    if there["target"] != state:
        return f"Lenses has it {there['target']}"
    if state == "running" and config != wanted:
        return f"Lenses has the configuration {config}, wanted is {wanted}"
    return ""


def _age(found: Object) -> tuple[str, str]:
    return found["metadata"]["creationTimestamp"], found["metadata"]["uid"]


def _passed_over(found: Object) -> set[str]:
    """Keys that the operator does not compare, and says so: those that Lenses showed otherwise, or had added, when the
    operator looked for the first time after its own write. A change by hand in that moment is one of them."""
    applied = (found.get("status") or {}).get("appliedConfig") or {}
    return {*applied.get("added", []), *applied.get("notCompared", [])}


def _config(there: Snapshot, passed_over: set[str]) -> dict[str, str]:
    """Without what Connect adds."""
    return {key: value for key, value in there["config"].items() if key != "name" and key not in passed_over}
