"""What scenarios of the controllers begin with: a Secret's value, a write that was cut off, a closer look."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from lenses_operator.domain.references import RefData, RefName
from unit.controllers.fakes import FakeKube, FakeLenses, Operator, operator

SOURCE = {"key": "password", "secretKeyRef": {"name": "credentials", "key": "password"}}


def secret(kube: FakeKube, version: str, value: str, namespace: str = "payments") -> None:
    kube.references[namespace, RefName("Secret", "credentials")] = RefData(version, {"password": value.encode()})


async def end_after_create(lenses: FakeLenses, kube: FakeKube, strategy: str) -> None:
    """It was created with the old value, and status could only say before that it was about to be."""
    secret(kube, "1", "old-hunter")
    async with operator(lenses, kube) as op:
        op.kube.before_write = lambda: op.queue.close() if lenses.asked("create_connector") else None
        op.kube.apply(configFrom=[SOURCE], updateStrategy=strategy)
        while not lenses.asked("create_connector"):
            await asyncio.sleep(0.0005)
        await asyncio.sleep(0.0011)
    claim = kube.applied()
    assert claim.time is None
    kube.before_write = lambda: None


def mask(config: dict[str, str]) -> dict[str, str]:
    return config | ({"password": "********"} if "password" in config else {})


def look_closely(op: Operator) -> None:
    memory = next(iter(op.core.connectors._loader._memories.values()))
    memory.checks = replace(memory.checks, details_due=True)
