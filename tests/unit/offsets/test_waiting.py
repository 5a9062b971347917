"""Operations that wait: for a connector, for its resource, and for one another."""

from __future__ import annotations

import asyncio

import pytest

from lenses_operator.lenses import errors
from unit.offsets.rig import BUSY, NO, ORDER, UNREACHABLE, OffsetsOperator, settled

pytestmark = pytest.mark.virtual_time


class TestWaits:
    async def test_for_a_connector_that_is_not_there(self, op: OffsetsOperator) -> None:
        await op.operates("ConnectorNotFound")
        assert op.how() == ("Pending", "False", "ConnectorNotFound")
        op.kube.apply()
        await op.until_reason("Applied")

    async def test_an_environment_without_connectors_is_not_listed_for_its_offsets(self, op: OffsetsOperator) -> None:
        await op.runs()
        await op.observes()
        op.kube.delete()
        await op.until_reason("ConnectorNotFound")
        op.lenses.calls.clear()
        await asyncio.sleep(600)
        assert op.lenses.calls == []

    async def test_while_it_is_suspended(self, op: OffsetsOperator) -> None:
        await op.runs()
        await op.applies(suspend=True)
        await op.operates("ConnectorNotReady")
        await settled(op)
        assert (op.how()[0], op.lenses.order()) == ("Pending", [])
        op.kube.apply()
        await op.until_reason("Applied")
        await op.until_state("RUNNING")
        assert op.lenses.order() == ORDER

    @pytest.mark.parametrize("way_back", [[], [UNREACHABLE, BUSY]], ids=["at once", "fails at first"])
    async def test_suspended_in_the_middle_it_is_finished(
        self, op: OffsetsOperator, way_back: list[errors.LensesError]
    ) -> None:
        await op.holds()
        await op.applies(seconds=5, suspend=True)
        op.lenses.fail("set_state", *way_back)
        await op.goes_through()
        await op.until_state("RUNNING")
        await op.until(lambda: op.said()[1] == "Suspended")

    async def test_in_line_the_oldest_first(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.lenses.always("alter_offsets", BUSY)
        for number in (1, 2, 3):
            op.offsets.apply(f"n{number}", offsets=[{"partition": {"f": "x"}, "offset": {"position": number}}])
        await op.until_reason("Applying", "n1")
        await op.until_reason("Pending", "n3")
        assert op.how("n2") == ("Pending", "Unknown", "Pending")
        assert "n1" in op.words("n2")
        op.lenses.always("alter_offsets", None)
        for number in (1, 2, 3):
            await op.until_reason("Applied", f"n{number}")
        await op.until_state("RUNNING")
        assert op.positions() == [1, 2, 3]
        assert op.lenses.order().count("resume") == 1

    async def test_a_failed_one_makes_way(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.lenses.always("alter_offsets", NO)
        op.offsets.apply("first")
        op.offsets.apply("second")
        await op.until_reason("OffsetsRejected", "first")
        op.lenses.always("alter_offsets", None)
        await op.until_reason("Applied", "second")
        await op.until_state("RUNNING")
