"""Situations that an operation on offsets can be in, and what people do about them: steps, each under a name."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from lenses_operator.domain.policy import Policy, Rule
from lenses_operator.domain.references import RefData, RefName
from lenses_operator.lenses import errors
from unit import steps
from unit.controllers.fakes import Connector
from unit.offsets.make import to
from unit.offsets.rig import UNREACHABLE, OffsetsOperator
from unit.resources.make import SENT

Step = steps.Step[OffsetsOperator]
SECRET = ("payments", RefName("Secret", "db"))
TOKEN: dict[str, Any] = {"tokenSecretRef": {"name": "db", "key": "token"}}
ELSEWHERE = Policy((Rule(namespaces=("elsewhere",)),))

TASKS: list[asyncio.Task[None]] = []
"""Kept, else they might be collected before they are done."""


def answers(operation: str, error: errors.LensesError | None) -> Step:
    return lambda op: op.lenses.always(operation, error)


def down(error: errors.LensesError | None) -> Step:
    """Every read of the connector, and of its offsets."""

    def do(op: OffsetsOperator) -> None:
        op.lenses.down(error)
        op.lenses.always("get_offsets", error)

    return do


def asks(**spec: Any) -> Step:
    """The same resource with another spec."""
    return lambda op: op.offsets.apply(**spec)


def connector(**spec: Any) -> Step:
    return lambda op: op.kube.apply(**spec)


def allows(policy: Policy) -> Step:
    def do(op: OffsetsOperator) -> None:
        op.policy = policy
        for resource in op.cache:
            op.queue.add(resource.key)

    return do


def stops(value: bool) -> Step:
    def do(op: OffsetsOperator) -> None:
        op.lenses.stops = value

    return do


def nothing(_: OffsetsOperator) -> None:
    """It is so already."""


async def anew(op: OffsetsOperator) -> None:
    """Another LensesConnectorOffsets of the same content; the name is taken up by what is looked at."""
    spec = op.offsets.objects["back"]["spec"]
    op.offsets.delete()
    await asyncio.sleep(1)
    op.offsets.apply(**spec)


async def made_new(op: OffsetsOperator) -> None:
    """One that fits."""
    op.offsets.delete()
    await asyncio.sleep(1)
    op.offsets.apply()


def any_change(op: OffsetsOperator) -> None:
    op.offsets.apply(**op.offsets.objects["back"]["spec"] | {"refreshInterval": "61s"})


async def strangers(op: OffsetsOperator) -> None:
    """The connector was there before its resource, and differs."""
    await op.deletes(seconds=60)
    op.lenses.connectors["orders"] = Connector(SENT | {"topic": "theirs"})
    await op.applies()


async def schema_mismatch(op: OffsetsOperator) -> None:
    await op.applies(seconds=5, raw={"state": "flying"})


async def own_token(op: OffsetsOperator) -> None:
    op.kube.references[SECRET] = RefData("1", {"token": b"t"})
    await op.applies(seconds=60, **TOKEN)


async def secret_lost(op: OffsetsOperator) -> None:
    await own_token(op)
    del op.kube.references[SECRET]


def secret_back(op: OffsetsOperator) -> None:
    op.kube.references[SECRET] = RefData("2", {"token": b"t"})


async def key_lost(op: OffsetsOperator) -> None:
    await secret_lost(op)
    op.kube.references[SECRET] = RefData("2", {"other": b"x"})


def gone_from_lenses(op: OffsetsOperator) -> None:
    op.lenses.connectors.clear()
    op.lenses.always("create_connector", errors.ServerError("create_connector", detail="not now"))


def lost_answer(op: OffsetsOperator) -> None:
    """The connector has run since, and whether it was done is not known."""
    op.lenses.fail("alter_offsets", UNREACHABLE)

    async def meanwhile() -> None:
        await op.until(lambda: op.lenses.asked("alter_offsets"))
        op.policy = ELSEWHERE
        await op.until_reason("ConnectorNotReady")
        op.lenses.offsets = json.dumps(to(1001))
        op.policy = Policy()

    TASKS.append(asyncio.create_task(meanwhile()))
