"""kstatus: what Flux and others with `sigs.k8s.io/cli-utils/pkg/kstatus` make of an object of a kind it does not know.

`compute` is a port of its rules, for tests that run without anything built; `Library` asks the library itself.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness import build, paths
from harness.waiting import HANG

CURRENT, IN_PROGRESS, FAILED, TERMINATING = "Current", "InProgress", "Failed", "Terminating"


@dataclass(frozen=True)
class Result:
    status: str
    message: str


def compute(found: Mapping[str, Any]) -> Result:
    """The rules in the library's order: deletion, generation, Reconciling or Stalled (the first there is), Ready."""
    if found["metadata"].get("deletionTimestamp"):
        return Result(TERMINATING, "Resource scheduled for deletion")
    status = found.get("status") or {}
    generation, observed = found["metadata"].get("generation"), status.get("observedGeneration")
    if generation is not None and observed is not None and generation != observed:
        behind = f"{found['kind']} generation is {generation}, but latest observed generation is {observed}"
        return Result(IN_PROGRESS, behind)
    conditions = status.get("conditions") or []
    for condition in conditions:
        match condition["type"], condition["status"]:
            case "Reconciling", "True":
                return Result(IN_PROGRESS, condition.get("message", ""))
            case "Stalled", "True":
                return Result(FAILED, condition.get("message", ""))
    for condition in conditions:
        match condition["type"], condition["status"]:
            case "Ready", "True":
                return Result(CURRENT, "Resource is Ready")
            case "Ready", "False" | "Unknown":
                return Result(IN_PROGRESS, condition.get("message", ""))
    return Result(CURRENT, "Resource is current")


class Library:
    """The real one, built by `make build`."""

    def __init__(self) -> None:
        build.require("kstatus")

    def compute(self, objects: Sequence[Mapping[str, Any]], **expressions: str) -> list[Result]:
        """`failed` and `current`: CEL, by which Flux judges instead where a `healthCheckExprs` has them."""
        flags = [f"-{name}={text}" for name, text in expressions.items()]
        lines = "".join(json.dumps(found) + "\n" for found in objects)
        done = subprocess.run(
            [paths.KSTATUS, *flags], input=lines, capture_output=True, text=True, timeout=HANG, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return [Result(**json.loads(line)) for line in done.stdout.splitlines()]
