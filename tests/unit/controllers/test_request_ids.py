"""Each try has a request id of its own: the first one is said, and a hundred others change nothing."""

from __future__ import annotations

import asyncio
import logging
import re

import pytest

from lenses_operator.lenses import errors
from unit.controllers.fakes import Operator, operator
from unit.offsets.rig import offsets_operator

pytestmark = pytest.mark.virtual_time

TRIES = 100


async def many(op: Operator, operation: str) -> None:
    """However long the pauses between them."""
    while len(op.lenses.asked(operation)) < TRIES:
        await asyncio.sleep(10)


def tries(operation: str, kind: type[errors.LensesRefused], status: int | None = None) -> list[errors.LensesError]:
    return [
        kind(operation, status=status, speaker="HQ", detail="No answer.", request_id=f"0190-{number}")
        for number in range(5 * TRIES)
    ]


@pytest.mark.parametrize(
    ("kind", "reason", "events"),
    [(errors.ServerError, "LensesUnavailable", []), (errors.Forbidden, "Forbidden", ["Forbidden"])],
)
async def test_what_fails_again_and_again_is_written_once(
    op: Operator, kind: type[errors.LensesRefused], reason: str, events: list[str]
) -> None:
    op.lenses.fail("validate", *tries("validate", kind, status=503 if kind is errors.ServerError else None))
    op.kube.apply()
    await many(op, "validate")
    written = [status for status in op.kube.statuses if status.ready and status.ready.reason == reason]
    assert len(written) == 1
    assert "No answer (request id 0190-0)" in op.message()
    assert op.reasons() == events


async def test_a_lost_environment_is_logged_and_written_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "lenses_operator.lenses_state.poller")
    async with operator(poll=1.0) as op:
        await op.applies()
        op.kube.statuses.clear()
        op.lenses.fail("list_connectors", *tries("list_connectors", errors.AgentNotConnected))
        await asyncio.sleep(TRIES)
        assert [record.getMessage() for record in caplog.records] == [
            "cluster lost: list connectors: Lenses answered 503 (request id 0190-1)"
        ]
        assert len(op.kube.statuses) == 1
        await op.applies("later", seconds=5)
        assert "(request id 0190-" in op.message("later")
        assert "(request id 0190-1)" in op.message()


async def test_another_failure_is_said_with_its_own_id(op: Operator) -> None:
    op.lenses.always("validate", errors.Forbidden("validate", detail="No.", request_id="first"))
    await op.applies()
    op.lenses.always("validate", errors.Forbidden("validate", detail="Still no.", request_id="second"))
    await asyncio.sleep(1200)
    assert "Still no (request id second)" in op.message()
    assert op.reasons() == ["Forbidden", "Forbidden"]


async def test_the_id_of_a_refusal_is_said_too(op: Operator) -> None:
    op.lenses.fail("validate", *tries("validate", errors.BadRequest))
    op.kube.apply()
    await many(op, "validate")
    assert re.search(r"refuses .* No answer \(request id 0190-\d+\)", op.message())
    assert op.reasons() == ["ConfigInvalid"]


async def test_an_offsets_operation_is_written_once_too() -> None:
    async with offsets_operator() as op:
        await op.runs()
        op.lenses.fail("get_offsets", *tries("get_offsets", errors.AgentNotConnected))
        await op.operates("AgentNotConnected")
        op.offsets.statuses.clear()
        await many(op, "get_offsets")
        assert op.offsets.statuses == []
        assert "(request id 0190-0)" in op.words()
