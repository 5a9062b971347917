"""Operations that are refused, cannot be carried out, or whose answer is lost: every bound, and the way back."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from lenses_operator.lenses import answers, errors
from unit.controllers.fakes import RUNNING
from unit.offsets.make import ASKED, BEFORE, to
from unit.offsets.rig import ABSENT, ALTERED, BUSY, LACKING, NO, OLD, ORDER, UNREACHABLE, OffsetsOperator, settled

pytestmark = pytest.mark.virtual_time

ZOMBIES = errors.ServerError("alter_offsets", status=500, detail="its tasks haven't stopped completely yet; zombie")
WRONG = errors.ServerError("alter_offsets", status=500, detail="Partition objects should contain the key 'filename'")
PAGE = answers.unusable("alter_offsets", 404, b"<html><title>Not Found</title></html>")


class TestRefusals:
    async def fails(self, op: OffsetsOperator, reason: str, words: str) -> None:
        assert op.how() == ("Failed", "False", reason)
        assert words in op.words()
        assert [event.reason for event in op.offsets_events if event.warning] == [reason]
        await op.until_state("RUNNING")
        await op.until(lambda: op.said()[1] == "Running")
        asked = len(op.lenses.asked("alter_offsets"))
        await asyncio.sleep(3600)
        assert len(op.lenses.asked("alter_offsets")) == asked
        assert op.lenses.order().count("resume") == 1

    @pytest.mark.parametrize(
        ("error", "words"), [(NO, "no such key: kafka_topic"), (WRONG, "should contain the key 'filename'")]
    )
    async def test_the_same_for_a_minute_while_the_cluster_is_well(
        self, op: OffsetsOperator, error: errors.LensesError, words: str
    ) -> None:
        """A rebalance may be told as either."""
        await op.holds(error)
        took = await op.until_reason("OffsetsRejected")
        assert 59 < took < 75
        assert 10 < len(op.lenses.asked("alter_offsets")) < 20
        await self.fails(op, "OffsetsRejected", words)

    async def test_a_minute_begins_anew_where_the_cluster_itself_was_not_well(self, op: OffsetsOperator) -> None:
        await op.holds(NO)
        await asyncio.sleep(40)
        op.lenses.always("get_cluster_info", errors.ServerError("get_cluster_info"))
        await op.until_reason("LensesUnavailable")
        op.lenses.always("get_cluster_info", None)
        took = await op.until_reason("OffsetsRejected")
        assert took > 59

    @pytest.mark.parametrize("error", [ZOMBIES, BUSY], ids=["zombies", "rebalance"])
    async def test_what_passes_is_tried_for_two_minutes(self, op: OffsetsOperator, error: errors.LensesError) -> None:
        await op.holds(error)
        took = await op.until_reason("OffsetsRejected")
        assert 115 < took < 130
        assert 20 < len(op.lenses.asked("alter_offsets")) < 40
        await self.fails(op, "OffsetsRejected", error.words)

    @pytest.mark.parametrize("error", [ZOMBIES, BUSY, WRONG, UNREACHABLE], ids=["zombies", "rebalance", "500", "away"])
    async def test_what_passes_in_time_is_applied(self, op: OffsetsOperator, error: errors.LensesError) -> None:
        await op.runs()
        op.lenses.fail("alter_offsets", error, error)
        await op.operates("Applied")
        await op.until_state("RUNNING")
        assert len(op.lenses.asked("alter_offsets")) == 3
        assert op.lenses.sent == [json.dumps(ASKED)]
        assert op.offsets.status().before == BEFORE

    @pytest.mark.parametrize("error", [OLD, LACKING, ABSENT], ids=["405", "agent", "404"])
    @pytest.mark.parametrize("call", ["get_offsets", "alter_offsets"])
    async def test_not_supported(self, op: OffsetsOperator, call: str, error: errors.LensesError) -> None:
        await op.runs()
        op.lenses.always(call, error)
        await op.operates("NotSupported")
        assert (len(op.lenses.asked(call)) == 1) == (error is not ABSENT), "a 404 may be about anything"
        await self.fails(op, "NotSupported", error.words)

    async def test_a_page_that_says_404_is_no_answer(self, op: OffsetsOperator) -> None:
        """A starting worker answers so to everything."""
        await op.runs()
        op.lenses.fail("alter_offsets", *[PAGE] * 6)
        await op.operates("Applied")
        assert op.lenses.sent == [json.dumps(ASKED)]

    @pytest.mark.parametrize("error", [WRONG, BUSY], ids=["500", "rebalance"])
    async def test_offsets_that_cannot_be_read_do_not_hold_for_ever(
        self, op: OffsetsOperator, error: errors.LensesError
    ) -> None:
        await op.runs()
        op.lenses.always("get_offsets", error)
        await op.operates("OffsetsRejected")
        assert op.lenses.sent == []
        await self.fails(op, "OffsetsRejected", error.words)

    @pytest.mark.parametrize("error", [WRONG, BUSY, UNREACHABLE, NO], ids=["500", "rebalance", "away", "400"])
    async def test_what_was_carried_out_is_not_repeated_because_it_cannot_be_read_back(
        self, op: OffsetsOperator, error: errors.LensesError
    ) -> None:
        await op.runs()
        op.lenses.fail("get_offsets", None, error, error)
        await op.operates("Applied")
        assert op.lenses.sent == [json.dumps(ASKED)]
        assert op.offsets.status().message == ALTERED

    async def test_never_read_back(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.lenses.fail("get_offsets", None, *[WRONG] * 30)
        await op.operates("Applied")
        assert "could not be read back" in op.words()
        assert op.lenses.sent == [json.dumps(ASKED)]
        await op.until_state("RUNNING")

    async def test_an_answer_that_was_lost_is_read_first(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.lenses.fail("alter_offsets", UNREACHABLE, carried_out=True)
        await op.operates("Applied")
        assert op.lenses.sent == [json.dumps(ASKED)]
        assert op.offsets.status().before == BEFORE

    async def test_not_stopped_within_five_minutes(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.lenses.stops = False
        await op.operates("Stopping")
        took = await op.until_reason("StopTimeout")
        assert 295 < took < 310
        assert op.lenses.asked("get_offsets", "alter_offsets") == []
        assert op.how() == ("Failed", "False", "StopTimeout")
        await op.until(lambda: op.said()[1] == "Running")

    async def test_the_time_that_lenses_is_away_does_not_count(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.lenses.stops = False
        await op.operates("Stopping")
        for call in ("list_connectors", "get_connector", "set_state"):
            op.lenses.always(call, UNREACHABLE)
        await op.until_reason("LensesUnavailable")
        assert op.how()[0] == "Stopping"
        await asyncio.sleep(900)
        op.lenses.stops = True
        for call in ("list_connectors", "get_connector", "set_state"):
            op.lenses.always(call, None)
        await op.until_reason("Applied")
        await op.until_state("RUNNING")

    async def test_a_new_generation_is_tried_anew(self, op: OffsetsOperator) -> None:
        """Also where the first word about it is that Lenses is away."""
        await op.runs()
        op.lenses.always("alter_offsets", NO)
        await op.operates("OffsetsRejected")
        await op.until_state("RUNNING")
        op.lenses.always("alter_offsets", None)
        op.lenses.down(UNREACHABLE)
        await asyncio.sleep(60)
        op.offsets.apply(offsets=to(7))
        await op.until_reason("LensesUnavailable")
        assert op.how()[0] == "Pending"
        op.lenses.down(None)
        await op.until_reason("Applied")
        assert op.positions()[-1] == 7


class TestInvalid:
    @pytest.mark.parametrize(
        "wanted",
        [
            {"offsetsJson": "nonsense"},
            {"offsetsJson": "[]"},
            {"offsetsJson": '[{"partition": {"a": 1}}]'},
            {"offsets": [{"partition": {"a": 0}, "offset": {}}, {"partition": {"a": "0"}, "drop": True}]},
        ],
        ids=["not-json", "empty", "no-offset", "twice"],
    )
    async def test_nothing_is_touched(self, op: OffsetsOperator, wanted: dict[str, Any]) -> None:
        await op.runs()
        await op.operates("OffsetsInvalid", **wanted)
        await settled(op)
        assert op.how() == ("Failed", "False", "OffsetsInvalid")
        assert op.lenses.order() == []
        assert op.said() == RUNNING
        await op.operates("Applied")
        await op.until_state("RUNNING")
        assert op.lenses.order() == ORDER

    async def test_offsets_that_cannot_be_kept_are_not_changed(self, op: OffsetsOperator) -> None:
        await op.runs()
        noise = random.Random(1).randbytes(1024 * 1024).hex()
        op.lenses.offsets = f'[{{"partition": {{"a": 1}}, "offset": {{"o": "{noise}"}}}}]'
        await op.operates("OffsetsInvalid")
        assert "no way back" in op.words()
        await op.until_state("RUNNING")
        assert op.lenses.order() == ["stop", "get_offsets", "resume"]


class TestWhatConnectLacks:
    async def test_nothing_is_waited_for_where_it_cannot_stop(self, op: OffsetsOperator) -> None:
        await op.runs()
        no_stop = errors.MissingAgentCapability("set_state", status=404, detail="HTTP 404 Not Found")
        op.lenses.always("set_state", no_stop)
        op.lenses.always("get_offsets", errors.MissingAgentCapability("get_offsets", detail="HTTP 404 Not Found"))
        op.offsets.apply()
        took = await op.until_reason("NotSupported")
        assert took < 10
        assert "4.3.1" in op.offsets.status().ready.message  # type: ignore[union-attr]
        await op.until(lambda: op.said() == RUNNING)
        assert op.lenses.sent == []
