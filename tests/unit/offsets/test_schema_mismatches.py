"""An offsets resource that does not fit its definition: it says so, holds nobody, and never runs twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lenses_operator.domain.offsets_text import next_in_line
from lenses_operator.resources.connector_offsets import DEEPEST, LensesConnectorOffsets
from unit.offsets.make import body, operation
from unit.offsets.rig import OffsetsLenses, OffsetsOperator, offsets_operator

pytestmark = pytest.mark.virtual_time


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"a": 1}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


SPECS: dict[str, tuple[dict[str, Any], str]] = {
    "action": ({"action": "Guess"}, "spec.action"),
    "connector": ({"connectorRef": "orders"}, "spec.connectorRef"),
    "no connector": ({"connectorRef": {}}, "spec.connectorRef.name"),
    "offsets": ({"offsets": {"a": 1}}, "spec.offsets"),
    "partition": ({"offsets": [{"partition": 5, "offset": {"position": 1}}]}, "spec.offsets[0].partition"),
    "json": ({"offsetsJson": []}, "spec.offsetsJson"),
    "deep": ({"offsets": [{"partition": deep(DEEPEST + 1), "offset": {"position": 1}}]}, "spec.offsets[0].partition"),
}


@pytest.mark.parametrize("case", SPECS)
async def test_it_says_which_field_and_holds_nobody(case: str) -> None:
    spec, field = SPECS[case]
    async with offsets_operator() as op:
        await op.runs()
        op.offsets.apply("bad", **spec)
        await op.operates("Applied", "good")
        ready = op.offsets.status("bad").ready
        assert ready is not None
        assert (ready.status, ready.reason, ready.observed_generation) == ("False", "OffsetsInvalid", 1)
        assert f"({field}: " in op.words("bad")
        assert len(op.lenses.sent) == 1
        await op.until_state("RUNNING")
        writes = len(op.offsets.statuses)
        await asyncio.sleep(600)
        assert len(op.offsets.statuses) == writes
        await op.operates("Applied", "bad")
        assert len(op.lenses.sent) == 2


async def test_edited_while_the_connector_is_stopped_for_it() -> None:
    lenses = OffsetsLenses()
    async with offsets_operator(lenses) as op:
        await op.runs()
        lenses.always("alter_offsets", None)
        lenses.stops = False
        op.offsets.apply("back")
        await asyncio.sleep(10)
        assert op.how() == ("Stopping", "Unknown", "Stopping")
        lenses.stops = True
        op.offsets.apply("back", offsets="none")
        await asyncio.sleep(60)
        assert op.how() == ("Failed", "False", "OffsetsInvalid")
        await op.until_state("RUNNING")
        assert lenses.sent == []


STATUSES: dict[str, Any] = {
    "appliedGeneration": "one",
    "beforeGeneration": [],
    "before": {"a": 1},
    "phase": "Pondering",
    "observedGeneration": "new",
}


@pytest.mark.parametrize("field", STATUSES)
async def test_whether_it_ran_already_is_not_guessed(field: str) -> None:
    """What cannot be read of the status may say that it was carried out: it is not carried out again."""
    async with offsets_operator() as op:
        await op.runs()
        op.offsets.apply("back")
        await op.until_reason("Applied")
        await op.until_state("RUNNING")
        lenses, kube, offsets = op.lenses, op.kube, op.offsets
    stored = offsets.objects["back"]
    offsets.objects["back"] = stored | {"status": stored["status"] | {field: STATUSES[field]}}
    assert isinstance(lenses, OffsetsLenses)
    async with offsets_operator(lenses, kube, offsets) as op:
        await asyncio.sleep(1500)
        assert len(lenses.sent) == 1
        assert op.held.state == "RUNNING"
        if field == "appliedGeneration":
            assert op.how() == ("Failed", "False", "OffsetsInvalid")
            assert "status.appliedGeneration: " in op.words()
            assert offsets.objects["back"]["status"]["appliedGeneration"] == "one"
            assert offsets.objects["back"]["status"]["before"]


async def test_no_status_at_all_is_not_run_again(op: OffsetsOperator) -> None:
    await op.runs()
    op.offsets.apply("back")
    op.offsets.objects["back"]["status"] = "gibberish"
    await asyncio.sleep(600)
    assert op.how() == ("Failed", "False", "OffsetsInvalid")
    assert op.lenses.sent == []


async def test_an_operation_on_a_connector_that_does_not_fit_waits(op: OffsetsOperator) -> None:
    await op.runs()
    await op.applies(seconds=5, raw={"state": "flying"})
    op.offsets.apply("back")
    await asyncio.sleep(60)
    assert op.how() == ("Pending", "False", "ConnectorNotReady")
    assert "does not fit" in op.words()
    assert op.lenses.order() == []
    op.kube.apply()
    await op.until_reason("Applied")


def test_it_holds_nobody_though_no_status_says_so_yet() -> None:
    """The API server may refuse the status for good."""
    bad = LensesConnectorOffsets.read(body(offsetsJson=5, offsets=[]))
    assert bad.operates
    assert bad.schema_mismatch is not None
    good = operation("good", uid="off-2", age=5)
    assert next_in_line([bad]) is None
    assert next_in_line([bad, good]) is good


def test_depths() -> None:
    for levels, fits in ((DEEPEST, True), (DEEPEST + 1, False), (5000, False)):
        found = LensesConnectorOffsets.read(body(offsets=[{"partition": {}, "offset": deep(levels)}]))
        assert (found.schema_mismatch is None) is fits
