"""What scenarios of the controllers have in common: values of Secrets, odd answers, writes cut off or disturbed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lenses_operator.domain.references import RefData, RefName
from lenses_operator.lenses import errors
from lenses_operator.lenses.answers import from_answer
from lenses_operator.lenses.models import ConnectorDetails
from unit.controllers.fakes import NAME, FakeKube, FakeLenses, Operator, operator
from unit.controllers.virtualtime import now
from unit.resources.make import CLASS

SOURCE = {"key": "password", "secretKeyRef": {"name": "credentials", "key": "password"}}
TIMEOUT = errors.LensesUnreachable("create_connector", "timed out", reason="timeout")
NOT_FOUND = errors.ConnectorOrClusterNotFound("get_connector", detail="Connector orders not found")
AMBIGUOUS = errors.AgentCallFailed("create_connector", detail="lost")
THEIRS = {"connector.class": CLASS, "topic": "theirs", "file": "/data/theirs"}
"""What somebody else has given a connector of that name."""


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


async def claimed(lenses: FakeLenses, kube: FakeKube, **spec: Any) -> None:
    """An operator has ended whose create was not answered clearly, and which has left a claim."""
    async with operator(lenses, kube) as op:
        lenses.always("create_connector", AMBIGUOUS)
        await op.applies(seconds=2, **spec)
        assert op.said()[2] == "Claiming"
    lenses.always("create_connector", None)


def mask(config: dict[str, str]) -> dict[str, str]:
    return config | ({"password": "********"} if "password" in config else {})


def look_closely(op: Operator) -> None:
    memory = next(iter(op.core.connectors._loader._memories.values()))
    memory.checks = replace(memory.checks, details_due=True)


async def told(op: Operator, reason: str) -> None:
    """When exactly is a matter of chance."""
    async with asyncio.timeout(300):
        await asyncio.sleep(5)
        while op.said()[1] != reason:
            await asyncio.sleep(1)


def annotate(op: Operator, annotation: str, value: str) -> None:
    """As `kubectl annotate --overwrite`."""
    known = op.kube.objects["payments", "orders"]["metadata"].get("annotations", {})
    op.kube._edit("payments", "orders", annotations=known | {annotation: value})
    op.kube._changed("payments", "orders")


def answer(operation: str, status: int, words: str) -> errors.LensesError:
    return from_answer(operation, status, f'{{"error": "{words}", "fields": [], "errorType": "X"}}'.encode())


def blind(lenses: FakeLenses, *, on: bool) -> None:
    """The token does not see the connector, which is there all the same."""
    lenses.always("get_connector", NOT_FOUND if on else None)
    lenses.always("list_connectors", from_answer("list_connectors", 500, b"boom") if on else None)


def cached(op: Operator, seconds: float) -> Callable[[], None]:
    """Details are as they were at this moment, for so long; what ends it early is returned."""
    lenses, shown = op.lenses, op.lenses._details(NAME)
    details, until = lenses._details, now() + seconds

    def old(name: str) -> ConnectorDetails:
        return shown if now() < until else details(name)

    lenses._details = old  # type: ignore[method-assign]

    def end() -> None:
        lenses._details = details  # type: ignore[method-assign]

    return end


def during_the_next_write(op: Operator, act: Callable[[], object]) -> None:
    """It happens while the operator writes, whose answer then overtakes the watch."""

    def once() -> None:
        op.kube.before_write = lambda: None
        act()

    op.kube.latency = 0.5
    op.kube.before_write = once
