"""Operations on offsets, step after step: the order on the wire, what is kept, and the way back."""

from __future__ import annotations

import asyncio
import json

import pytest

from lenses_operator.lenses import errors
from unit.controllers.fakes import RUNNING, Task
from unit.offsets.make import ASKED, BEFORE, to
from unit.offsets.rig import ALTERED, BUSY, ORDER, RESET, OffsetsOperator, settled

pytestmark = pytest.mark.virtual_time

APPLIED = ("Applied", "True", "Applied")


class TestAlter:
    async def test_the_order_on_the_wire(self, op: OffsetsOperator) -> None:
        await op.runs()
        await op.operates("Applied")
        await op.until(lambda: op.said() == RUNNING)
        assert op.lenses.order() == ORDER
        assert op.how() == APPLIED
        status = op.offsets.status()
        assert (status.before, status.before_generation, status.applied_generation) == (BEFORE, 1, 1)
        assert (status.message, status.partitions, status.truncated) == (ALTERED, 1, None)
        assert status.offsets == tuple(ASKED)
        assert status.applied_time is not None

    async def test_before_is_written_before_anything_is_asked_for(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.offsets.before_write = lambda status: op.lenses.calls.append(
            ("status", str(status.phase), "before" if status.before else "")
        )
        await op.operates("Applied")
        calls = [call for call in op.lenses.calls if call[0] in ("status", "alter_offsets")]
        first = calls.index(("alter_offsets", "orders"))
        assert ("status", "Applying", "before") in calls[:first]

    async def test_the_connector_says_so_meanwhile(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.lenses.always("alter_offsets", BUSY)
        op.offsets.apply()
        await op.until(lambda: op.said() == ("Unknown", "OffsetsOperation", "Owned"))
        assert "back" in op.message()
        assert op.how()[0] == "Applying"
        await op.goes_through()
        await op.until(lambda: op.said() == RUNNING)

    async def test_reset(self, op: OffsetsOperator) -> None:
        await op.runs()
        await op.operates("Applied", action="Reset")
        await op.until_state("RUNNING")
        assert op.lenses.order() == ["stop", "get_offsets", "reset_offsets", "get_offsets", "resume"]
        status = op.offsets.status()
        assert (status.message, status.before, status.partitions, status.offsets) == (RESET, BEFORE, 0, ())

    async def test_events(self, op: OffsetsOperator) -> None:
        await op.runs()
        await op.operates("Applied")
        await settled(op)
        assert [(event.reason, event.warning) for event in op.offsets_events] == [
            ("Stopping", False),
            ("Applying", False),
            ("OffsetsApplied", False),
        ]
        assert op.reasons() == ["Stopped", "Resumed"]

    async def test_once_per_generation(self, op: OffsetsOperator) -> None:
        await op.runs()
        await op.operates("Applied")
        await op.until_state("RUNNING")
        op.lenses.calls.clear()
        await asyncio.sleep(3600)
        assert op.lenses.order() == []
        await op.operates("Applied", offsets=to(7))
        await op.until_state("RUNNING")
        assert op.lenses.order() == ORDER
        status = op.offsets.status()
        assert (status.before_generation, status.applied_generation) == (2, 2)
        assert json.loads(status.before or "") == ASKED

    async def test_what_differs_on_the_way_back_is_told_and_not_repeated(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.lenses.heeds = False
        await op.operates("Applied")
        assert '"position": 1000} instead of {"position": 5}' in op.words()
        await settled(op)
        assert [call for call in op.lenses.order() if call != "get_offsets"] == ["stop", "alter_offsets", "resume"]

    async def test_reads_that_are_some_seconds_old_are_no_difference(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.lenses.heeds = False
        op.offsets.apply()
        await op.until(lambda: bool(op.lenses.sent))
        await asyncio.sleep(30)
        assert op.how()[2] == "Applying"
        op.lenses.offsets = json.dumps(ASKED)
        await op.until_reason("Applied")
        assert "instead of" not in op.words()

    async def test_a_sink_with_an_index_of_its_own_is_hinted_at(self, op: OffsetsOperator) -> None:
        await op.runs(class_="io.lenses.streamreactor.connect.aws.s3.sink.S3SinkConnector")
        await op.operates("Applied")
        assert "its own index" in op.words()

    async def test_a_connector_created_together_with_its_offsets(self, op: OffsetsOperator) -> None:
        op.offsets.apply()
        op.kube.apply()
        await op.until_reason("Applied")
        await op.until_state("RUNNING")
        assert op.lenses.order() == ORDER


class TestStates:
    @pytest.mark.parametrize(
        ("state", "word", "actions"),
        [
            ("running", "RUNNING", ["stop", "resume"]),
            ("paused", "PAUSED", ["stop", "pause"]),
            ("stopped", "STOPPED", []),
        ],
    )
    async def test_goes_back_to_what_its_spec_says(
        self, op: OffsetsOperator, state: str, word: str, actions: list[str]
    ) -> None:
        await op.runs(state=state)
        await op.operates("Applied")
        await op.until_state(word)
        await settled(op)
        assert [call for call in op.lenses.order() if "offsets" not in call] == actions
        assert op.held.state == word

    async def test_a_failed_one(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.held.state, op.held.tasks = "FAILED", [Task(0, "FAILED", "trace")]
        await op.until(lambda: op.said()[1] == "ConnectorFailed")
        op.lenses.calls.clear()
        await op.operates("Applied")
        await op.until_state("RUNNING")
        assert op.lenses.order() == ORDER

    async def test_a_state_that_changes_meanwhile(self, op: OffsetsOperator) -> None:
        await op.holds()
        await op.applies(seconds=10, state="paused")
        op.lenses.always("alter_offsets", None)
        await op.until_state("PAUSED")
        await settled(op)
        assert "resume" not in op.lenses.order()


class TestWhatIsSaid:
    async def test_a_partition_that_was_not_there_before_is_named(self, op: OffsetsOperator) -> None:
        await op.runs()
        other = [{"partition": {"filename": "/data/other"}, "offset": {"position": 1}}, *ASKED]
        await op.operates("Applied", offsets=other)
        assert 'Not among the connector\'s partitions before: {"filename": "/data/other"}.' in op.words()

    async def test_who_may_share_a_sinks_group(self, op: OffsetsOperator) -> None:
        await op.runs()
        words = (
            "Failed to alter consumer group offsets for connector orders either because its tasks haven't stopped "
            "completely yet or the connector was resumed"
        )
        op.lenses.always("alter_offsets", errors.ServerError("alter_offsets", status=500, detail=words))
        await op.operates("OffsetsRejected")
        assert "a sink of the same name on another Connect cluster" in op.words()
