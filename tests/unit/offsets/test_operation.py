"""Operations on offsets, step after step: the order on the wire, every bound, and the state afterwards."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from lenses_operator.domain.offsets_before import text_of
from lenses_operator.domain.offsets_text import added_partitions
from lenses_operator.domain.policy import Policy, Rule
from lenses_operator.domain.references import RefData, RefName
from lenses_operator.lenses import answers, errors
from lenses_operator.resources.connector_offsets import OffsetsStatus, OperationPhase
from unit.controllers.fakes import KEY, Task
from unit.controllers.virtualtime import virtual_time
from unit.offsets.make import ASKED, BEFORE
from unit.offsets.rig import ALTERED, RESET, UNREACHABLE, OffsetsLenses, OffsetsOperator, offsets_operator

pytestmark = pytest.mark.virtual_time

ORDER = ["stop", "get_offsets", "alter_offsets", "get_offsets", "resume"]
APPLIED = ("Applied", "True", "Applied")
ZOMBIES = errors.ServerError("alter_offsets", status=500, detail="its tasks haven't stopped completely yet; zombie")
BUSY = errors.Conflict("alter_offsets", detail="a rebalance is under way")
WRONG = errors.ServerError("alter_offsets", status=500, detail="Partition objects should contain the key 'filename'")
NO = errors.BadRequest("alter_offsets", detail="no such key: kafka_topic")
ABSENT = errors.ConnectorOrClusterNotFound("alter_offsets", detail="HTTP 404 Not Found")
PAGE = answers.unusable("alter_offsets", 404, b"<html><title>Not Found</title></html>")
OLD = errors.UnexpectedStatus("alter_offsets", status=405, detail="HTTP 405 Method Not Allowed")
LACKING = errors.MissingAgentCapability("alter_offsets", detail="the agent is too old")


async def altered(op: OffsetsOperator, **spec: Any) -> None:
    await op.operates("Applied", **spec)


async def settled(op: OffsetsOperator) -> None:
    """Whatever would still happen by itself has happened."""
    await asyncio.sleep(120)


class TestAlter:
    async def test_the_order_on_the_wire(self, op: OffsetsOperator) -> None:
        await op.runs()
        await altered(op)
        await op.until(lambda: op.said() == ("True", "Running", "Owned"))
        assert op.lenses.order() == ORDER
        assert op.how() == APPLIED
        status = op.offsets.status()
        assert (status.before, status.before_generation, status.applied_generation) == (BEFORE, 1, 1)
        assert (status.message, status.partitions, status.truncated) == (ALTERED, 1, None)
        assert status.offsets == ({"partition": {"filename": "/data/orders"}, "offset": {"position": 5}},)
        assert status.applied_time is not None

    async def test_before_is_written_before_anything_is_asked_for(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.offsets.before_write = lambda status: op.lenses.calls.append(
            ("status", str(status.phase), "before" if status.before else "")
        )
        await altered(op)
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
        op.lenses.always("alter_offsets", None)
        await op.until_reason("Applied")
        await op.until(lambda: op.said() == ("True", "Running", "Owned"))

    async def test_reset(self, op: OffsetsOperator) -> None:
        await op.runs()
        await altered(op, action="Reset")
        await op.until_state("RUNNING")
        assert op.lenses.order() == ["stop", "get_offsets", "reset_offsets", "get_offsets", "resume"]
        status = op.offsets.status()
        assert (status.message, status.before, status.partitions, status.offsets) == (RESET, BEFORE, 0, ())

    async def test_events(self, op: OffsetsOperator) -> None:
        await op.runs()
        await altered(op)
        await settled(op)
        assert [(event.reason, event.warning) for event in op.offsets_events] == [
            ("Stopping", False),
            ("Applying", False),
            ("OffsetsApplied", False),
        ]
        assert op.reasons() == ["Stopped", "Resumed"]

    async def test_once_per_generation(self, op: OffsetsOperator) -> None:
        await op.runs()
        await altered(op)
        await op.until_state("RUNNING")
        op.lenses.calls.clear()
        await asyncio.sleep(3600)
        assert op.lenses.order() == []
        await altered(op, offsets=[{"partition": {"filename": "/data/orders"}, "offset": {"position": 7}}])
        await op.until_state("RUNNING")
        assert op.lenses.order() == ORDER
        status = op.offsets.status()
        assert (status.before_generation, status.applied_generation) == (2, 2)
        assert json.loads(status.before or "") == ASKED

    async def test_what_differs_on_the_way_back_is_told_and_not_repeated(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.lenses.heeds = False
        await altered(op)
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
        await altered(op)
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
        await altered(op)
        await op.until_state(word)
        await settled(op)
        assert [call for call in op.lenses.order() if "offsets" not in call] == actions
        assert op.held.state == word

    async def test_a_failed_one(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.held.state, op.held.tasks = "FAILED", [Task(0, "FAILED", "trace")]
        await op.until(lambda: op.said()[1] == "ConnectorFailed")
        op.lenses.calls.clear()
        await altered(op)
        await op.until_state("RUNNING")
        assert op.lenses.order() == ORDER

    async def test_a_state_that_changes_meanwhile(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.lenses.always("alter_offsets", BUSY)
        await op.operates("Applying")
        await op.applies(seconds=10, state="paused")
        op.lenses.always("alter_offsets", None)
        await op.until_state("PAUSED")
        await settled(op)
        assert "resume" not in op.lenses.order()


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
        await op.runs()
        op.lenses.always("alter_offsets", error)
        await op.operates("Applying")
        took = await op.until_reason("OffsetsRejected")
        assert 59 < took < 75
        assert 10 < len(op.lenses.asked("alter_offsets")) < 20
        await self.fails(op, "OffsetsRejected", words)

    async def test_a_minute_begins_anew_where_the_cluster_itself_was_not_well(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.lenses.always("alter_offsets", NO)
        await op.operates("Applying")
        await asyncio.sleep(40)
        op.lenses.always("get_cluster_info", errors.ServerError("get_cluster_info"))
        await op.until_reason("LensesUnavailable")
        op.lenses.always("get_cluster_info", None)
        took = await op.until_reason("OffsetsRejected")
        assert took > 59

    @pytest.mark.parametrize("error", [ZOMBIES, BUSY], ids=["zombies", "rebalance"])
    async def test_what_passes_is_tried_for_two_minutes(self, op: OffsetsOperator, error: errors.LensesError) -> None:
        await op.runs()
        op.lenses.always("alter_offsets", error)
        await op.operates("Applying")
        took = await op.until_reason("OffsetsRejected")
        assert 115 < took < 130
        assert 20 < len(op.lenses.asked("alter_offsets")) < 40
        await self.fails(op, "OffsetsRejected", error.words)

    @pytest.mark.parametrize("error", [ZOMBIES, BUSY, WRONG, UNREACHABLE], ids=["zombies", "rebalance", "500", "away"])
    async def test_what_passes_in_time_is_applied(self, op: OffsetsOperator, error: errors.LensesError) -> None:
        await op.runs()
        op.lenses.fail("alter_offsets", error, error)
        await altered(op)
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
        await altered(op)
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
        await altered(op)
        assert op.lenses.sent == [json.dumps(ASKED)]
        assert op.offsets.status().message == ALTERED

    async def test_never_read_back(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.lenses.fail("get_offsets", None, *[WRONG] * 30)
        await altered(op)
        assert "could not be read back" in op.words()
        assert op.lenses.sent == [json.dumps(ASKED)]
        await op.until_state("RUNNING")

    async def test_an_answer_that_was_lost_is_read_first(self, op: OffsetsOperator) -> None:
        await op.runs()
        op.lenses.fail("alter_offsets", UNREACHABLE, carried_out=True)
        await altered(op)
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
        op.offsets.apply(offsets=[{"partition": {"filename": "/data/orders"}, "offset": {"position": 7}}])
        await op.until_reason("LensesUnavailable")
        assert op.how()[0] == "Pending"
        op.lenses.down(None)
        await op.until_reason("Applied")
        assert json.loads(op.lenses.sent[-1])[0]["offset"] == {"position": 7}


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
        assert op.said() == ("True", "Running", "Owned")
        await altered(op)
        await op.until_state("RUNNING")
        assert op.lenses.order() == ORDER

    async def test_offsets_that_cannot_be_kept_are_not_changed(self) -> None:
        import random

        async with offsets_operator() as op:
            await op.runs()
            noise = random.Random(1).randbytes(1024 * 1024).hex()
            op.lenses.offsets = f'[{{"partition": {{"a": 1}}, "offset": {{"o": "{noise}"}}}}]'
            await op.operates("OffsetsInvalid")
            assert "no way back" in op.words()
            await op.until_state("RUNNING")
            assert op.lenses.order() == ["stop", "get_offsets", "resume"]


class TestWaits:
    async def test_for_a_connector_that_is_not_there(self, op: OffsetsOperator) -> None:
        await op.operates("ConnectorNotFound")
        assert op.how() == ("Pending", "False", "ConnectorNotFound")
        op.kube.apply()
        await op.until_reason("Applied")

    async def test_an_environment_without_connectors_is_not_listed_for_its_offsets(self, op: OffsetsOperator) -> None:
        await op.runs()
        await op.operates("Observed", action="Observe")
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
        await op.runs()
        op.lenses.always("alter_offsets", BUSY)
        await op.operates("Applying")
        await op.applies(seconds=5, suspend=True)
        op.lenses.fail("set_state", *way_back)
        op.lenses.always("alter_offsets", None)
        await op.until_reason("Applied")
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
        assert [json.loads(text)[0]["offset"]["position"] for text in op.lenses.sent] == [1, 2, 3]
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


class TestMeanwhile:
    async def held(self, op: OffsetsOperator, **spec: Any) -> None:
        """The connector is stopped and its request under way."""
        await op.runs(**spec)
        op.lenses.always("alter_offsets", BUSY)
        await op.operates("Applying")
        await op.until(lambda: op.said()[1] == "OffsetsOperation")

    async def test_the_offsets_resource_is_deleted(self, op: OffsetsOperator) -> None:
        await self.held(op)
        op.offsets.delete()
        await op.until_state("RUNNING")
        asked = len(op.lenses.asked("alter_offsets"))
        await settled(op)
        assert len(op.lenses.asked("alter_offsets")) == asked
        assert op.said() == ("True", "Running", "Owned")

    async def test_it_is_deleted_while_the_answer_to_a_write_is_on_its_way(self, op: OffsetsOperator) -> None:
        """The answer brings it back to mind; it must not hold the connector for ever."""
        await op.runs()
        op.lenses.always("alter_offsets", BUSY)
        op.offsets.slow_answer = asyncio.Event()
        op.offsets.apply()
        await op.until(lambda: op.offsets.status().phase == "Stopping")
        op.offsets.delete()
        await asyncio.sleep(1)
        op.offsets.slow_answer.set()
        await op.until(lambda: op.said()[1] == "Running" and op.lenses.connectors != {})
        await settled(op)
        assert op.held.state == "RUNNING"

    async def test_another_object_of_its_name_is_another_operation(self, op: OffsetsOperator) -> None:
        """As `kubectl replace --force` makes it: nothing of the first one may be taken for the second one's."""
        await op.runs()
        op.lenses.fail("get_offsets", None, *[UNREACHABLE] * 50)
        op.offsets.apply()
        await op.until(lambda: op.lenses.sent != [])
        await asyncio.sleep(0.5)
        op.offsets.delete()
        op.offsets.latency = 0.0005
        op.offsets.apply(offsets=[{"partition": {"filename": "/data/orders"}, "offset": {"position": 9}}])
        op.lenses._faults["get_offsets"].clear()
        await op.until_reason("Applied")
        assert json.loads(op.lenses.offsets)[0]["offset"] == {"position": 9}
        assert json.loads(op.offsets.status().before or "") == ASKED
        await op.until_state("RUNNING")

    async def test_the_connector_is_deleted(self, op: OffsetsOperator) -> None:
        await self.held(op)
        op.kube.delete()
        await op.until(lambda: not op.kube.there())
        assert op.connector is None
        await op.until_reason("ConnectorNotFound")
        assert op.how() == ("Pending", "False", "ConnectorNotFound")

    async def test_a_new_configuration_is_applied_afterwards(self, op: OffsetsOperator) -> None:
        await self.held(op)
        await op.applies(seconds=20, config={"topic": "orders", "file": "/data/new"})
        assert op.lenses.asked("delete_connector", "create_connector") == []
        op.lenses.always("alter_offsets", None)
        await op.until_reason("Applied")
        await op.until(lambda: op.connector is not None and op.held.config["file"] == "/data/new")
        await op.until(lambda: op.said()[1] == "Running")
        assert op.lenses.order().count("resume") == 0

    @pytest.mark.parametrize("restarted", [False, True])
    @pytest.mark.parametrize("how", ["refused", "unusable", "missing"])
    def test_a_configuration_that_is_invalid_meanwhile(self, how: str, restarted: bool) -> None:
        """It keeps the operation neither from being finished nor from letting the connector go."""
        spec: dict[str, dict[str, Any]] = {
            "refused": {"config": {"topic": "orders", "file": "/data/bad"}},
            "unusable": {"config": {"topic": "orders", "file": "/data/orders", "tasks.max": "3"}},
            "missing": {"configFrom": [{"key": "file", "secretKeyRef": {"name": "absent", "key": "k"}}]},
        }

        async def mended(op: OffsetsOperator) -> None:
            op.lenses.always("alter_offsets", None)
            await op.until_reason("Applied")
            await op.until_state("RUNNING")
            await op.until(lambda: op.said()[1] in ("ConfigInvalid", "ReferenceNotFound"))
            assert op.held.config["file"] == "/data/orders"
            await settled(op)
            assert op.lenses.order().count("resume") == 1

        @virtual_time
        async def run() -> None:
            async with offsets_operator() as op:
                await self.held(op)
                if how == "refused":
                    op.lenses.invalid = {"file": ["is bad"]}
                await op.applies(seconds=20, **spec[how])
                assert op.how()[0] == "Applying"
                if not restarted:
                    await mended(op)
                    return
            async with offsets_operator(op.lenses, op.kube, op.offsets) as again:
                await mended(again)

        run()

    async def test_what_a_trace_quotes_is_withheld_while_its_secret_cannot_be_read(self) -> None:
        """A restarted operator does not know the value that it would have to cut out."""
        place = ("payments", RefName("Secret", "db"))
        source = [{"key": "password", "secretKeyRef": {"name": "db", "key": "k"}}]
        async with offsets_operator() as op:
            op.kube.references[place] = RefData("1", {"k": b"planted"})
            await op.runs(configFrom=source)
        del op.kube.references[place]
        op.held.tasks = [Task(0, "FAILED", "X: no login with planted")]
        op.lenses.stops = False
        op.offsets.apply()
        async with offsets_operator(op.lenses, op.kube, op.offsets) as again:
            await again.until(lambda: again.said()[1] == "OffsetsOperation")
            await again.until(lambda: any(task.error for task in again.kube.status().tasks))
            assert "planted" not in str(again.kube.status())
            assert "withheld" in str(again.kube.status().tasks[0].error)

    async def test_a_refused_connector_that_was_never_created_says_so(self, op: OffsetsOperator) -> None:
        op.lenses.invalid = {"file": ["is bad"]}
        op.offsets.apply()
        op.kube.apply()
        await op.until_reason("ConnectorNotReady")
        op.queue.add(KEY)
        await settled(op)
        assert op.said() == ("False", "ConfigInvalid", "None")
        assert op.how()[0] == "Pending"

    async def test_drift_and_restarts_respect_the_hold(self) -> None:
        async with offsets_operator(poll=2, drift=5) as op:
            await self.held(op, autoRestart={"enabled": True})
            op.held.config["file"] = "/data/drifted"
            op.lenses.calls.clear()
            await asyncio.sleep(60)
            assert op.lenses.asked("delete_connector", "create_connector", "set_state") == []
            op.lenses.always("alter_offsets", None)
            await op.until_reason("Applied")
            await op.until(lambda: op.connector is not None and op.held.config["file"] == "/data/orders")

    async def test_resumed_behind_its_back_it_is_stopped_again(self) -> None:
        async with offsets_operator(poll=2) as op:
            await self.held(op)
            op.held.rest("RUNNING")
            await op.until_state("STOPPED", 30)
            op.lenses.always("alter_offsets", None)
            await op.until_reason("Applied")
            await op.until_state("RUNNING")

    async def test_a_new_generation(self, op: OffsetsOperator) -> None:
        await self.held(op)
        op.offsets.apply(offsets=[{"partition": {"filename": "/data/orders"}, "offset": {"position": 9}}])
        await asyncio.sleep(5)
        op.lenses.always("alter_offsets", None)
        await op.until_reason("Applied")
        await op.until_state("RUNNING")
        assert [json.loads(text)[0]["offset"]["position"] for text in op.lenses.sent] == [9]
        status = op.offsets.status()
        assert (status.applied_generation, status.before_generation, status.before) == (2, 2, BEFORE)

    @pytest.mark.parametrize("phase", ["Stopping", "Applying", "Applied"])
    async def test_an_edit_while_a_status_is_written(self, op: OffsetsOperator, phase: str) -> None:
        await op.runs()
        edited = False

        def edit(status: Any) -> None:
            nonlocal edited
            if status.phase == phase and not edited:
                edited = True
                op.offsets.apply(offsets=[{"partition": {"filename": "/data/orders"}, "offset": {"position": 9}}])

        op.offsets.before_write = edit
        op.offsets.latency = 5.0
        op.offsets.apply()
        await op.until(lambda: op.offsets.status().applied_generation == 2)
        await op.until_state("RUNNING")
        assert json.loads(op.lenses.offsets)[0]["offset"] == {"position": 9}

    @pytest.mark.parametrize(("phase", "sent"), [("Applying", 0), ("Applied", 1)])
    async def test_a_second_operators_word_that_it_is_done_is_not_written_over(
        self, op: OffsetsOperator, phase: str, sent: int
    ) -> None:
        await op.runs()
        theirs: list[OffsetsStatus] = []

        def first(status: OffsetsStatus) -> None:
            if status.phase == phase and not theirs:
                done = {
                    "phase": OperationPhase.APPLIED,
                    "applied_generation": 1,
                    "before_generation": 1,
                    "before": "[]",
                }
                theirs.append(status.model_copy(update=done))
                op.offsets._put({**op.offsets.objects["back"], "status": theirs[0].to_wire()})

        op.offsets.before_write = first
        op.offsets.latency = 5.0  # its watch does not tell of it in time
        op.offsets.apply()
        await op.until(lambda: theirs)
        await op.until_state("RUNNING")
        await asyncio.sleep(60)
        status = op.offsets.status()
        assert (status.applied_generation, status.before) == (1, "[]")
        assert len(op.lenses.sent) == sent

    async def test_a_policy_that_forbids_it_shows_nothing(self, op: OffsetsOperator) -> None:
        await op.runs()
        await op.operates("Observed", action="Observe")
        assert op.offsets.status().partitions == 1
        op.policy = Policy((Rule(namespaces=("other",)),))
        await op.until_reason("ConnectorNotReady")
        status = op.offsets.status()
        assert (status.partitions, status.offsets, status.truncated) == (None, None, None)
        assert (status.offsets_json, status.offsets_json_compressed) == (None, None)


class TestObserve:
    async def test_follows_and_writes_only_what_changed(self, op: OffsetsOperator) -> None:
        await op.runs()
        nasty = '{"a": 1.0, "b": null, "c": 99999999999999999999, "d": "\\ud800 é", "e": {"f": [1e3]}}'
        op.lenses.offsets = f'[{{"partition": {{"p": 0}}, "offset": {nasty}}}]'
        await op.operates("Observed", action="Observe", refreshInterval="10s")
        op.offsets.statuses.clear()
        op.lenses.calls.clear()
        await asyncio.sleep(101)
        assert 9 <= len(op.lenses.asked("get_offsets")) <= 11
        assert op.offsets.statuses == []
        op.lenses.offsets = "[]"
        await op.until(lambda: op.offsets.status().partitions == 0, 11)
        assert len(op.offsets.statuses) == 1
        assert op.offsets.status().phase is None

    async def test_a_connector_that_is_not_in_lenses(self, op: OffsetsOperator) -> None:
        await op.runs()
        await op.operates("Observed", action="Observe", refreshInterval="10s")
        await op.applies(suspend=True)
        op.lenses.connectors.clear()
        await op.until_reason("ConnectorNotReady")
        assert "does not exist in Lenses" in op.words()
        assert op.offsets.status().offsets is None

    @pytest.mark.parametrize("error", [OLD, LACKING, ABSENT], ids=["405", "agent", "404"])
    async def test_not_supported(self, op: OffsetsOperator, error: errors.LensesError) -> None:
        await op.runs()
        op.lenses.always("get_offsets", error)
        await op.operates("NotSupported", action="Observe")
        assert op.how() == (None, "False", "NotSupported")
        assert op.said() == ("True", "Running", "Owned")
        op.lenses.always("get_offsets", None)
        await op.until_reason("Observed")

    async def test_one_that_is_just_being_replaced_is_read_as_soon_as_it_is_back(self, op: OffsetsOperator) -> None:
        await op.runs()
        await op.operates("Observed", action="Observe", refreshInterval="10s")
        op.lenses.fail("get_offsets", ABSENT)
        op.offsets.statuses.clear()
        asked = len(op.lenses.asked("get_offsets"))
        await op.until(lambda: len(op.lenses.asked("get_offsets")) > asked + 2)
        assert op.how() == (None, "True", "Observed")
        assert op.offsets.statuses == []

    async def test_a_big_map(self, op: OffsetsOperator) -> None:
        await op.runs()
        rows = [{"partition": {"p": number}, "offset": {"o": number}} for number in range(20_000)]
        op.lenses.offsets = json.dumps(rows)
        await op.operates("Observed", action="Observe")
        status = op.offsets.status()
        assert (status.partitions, len(status.offsets or ()), status.truncated) == (20_000, 500, True)
        assert text_of(status.offsets_json, status.offsets_json_compressed) == op.lenses.offsets

    async def test_to_the_letter(self, op: OffsetsOperator) -> None:
        """What YAML and Kubernetes do not keep: the order of keys, numbers as they are written, nulls."""
        await op.runs()
        op.lenses.offsets = '[{"partition": {"b": 1, "a": 2}, "offset": {"x": 1.0, "y": 1e3, "z": null}}]'
        await op.operates("Observed", action="Observe")
        assert op.offsets.status().offsets_json == op.lenses.offsets

    async def test_then_alter_then_observe(self, op: OffsetsOperator) -> None:
        await op.runs()
        await op.operates("Observed", action="Observe")
        await altered(op)
        assert op.offsets.status().offsets_json is None, "it would be old"
        await op.operates("Observed", action="Observe")
        status = op.offsets.status()
        assert (status.phase, status.message, status.before) == (None, None, BEFORE)
        assert status.offsets_json == op.lenses.offsets


class TestKilled:
    """At every request: a process that is gone neither hears the answer nor writes it down."""

    @pytest.mark.parametrize("action", ["Alter", "Reset"])
    @pytest.mark.parametrize("carried_out", [False, True])
    @pytest.mark.parametrize("state", ["running", "paused", "stopped"])
    def test_at_every_call(self, action: str, carried_out: bool, state: str) -> None:
        reached = []
        for boundary in range(1, 40):
            hit = self.killed(boundary, action, carried_out, state)
            if hit is None:
                break
            reached.append(hit)
        assert {"alter_offsets" if action == "Alter" else "reset_offsets", "get_offsets", "status"} <= set(reached)

    def killed(self, boundary: int, action: str, carried_out: bool, state: str) -> str | None:
        """What it was killed at; None where everything had been done before."""
        hit: list[str] = []

        @virtual_time
        async def run() -> None:
            lenses = DyingLenses()
            async with offsets_operator(lenses) as op:
                await op.runs(state=state)
                lenses.arm(boundary, carried_out)
                op.offsets.before_write = lambda _: lenses.dies("status")
                op.offsets.apply(action=action)
                word = {"running": "RUNNING", "paused": "PAUSED", "stopped": "STOPPED"}[state]

                def over() -> bool:
                    done = op.offsets.status().applied_generation == 1 and op.held.state == word
                    return lenses.dead.is_set() or (done and op.said()[1] == word.title())

                await op.until(over)
                hit.extend(lenses.hit)
                op.queue.close()
                op.errors.clear()
            lenses.restore()
            op.offsets.before_write = lambda _: None
            sent = len(lenses.sent) + len(lenses.asked("reset_offsets"))
            async with offsets_operator(lenses, op.kube, op.offsets) as again:
                applied = again.offsets.status().applied_generation == 1
                await again.until_reason("Applied")
                await again.until_state(word)
                await settled(again)
                status = again.offsets.status()
                assert status.before == BEFORE, hit
                assert json.loads(lenses.offsets) == ([] if action == "Reset" else ASKED), hit
                assert again.held.state == word
                if applied:
                    assert len(lenses.sent) + len(lenses.asked("reset_offsets")) == sent, hit
                assert len(lenses.sent) <= 1, hit

        run()
        return hit[0] if hit else None


class DyingLenses(OffsetsLenses):
    """From the nth call on nobody hears an answer; that call itself may be carried out."""

    def __init__(self) -> None:
        super().__init__()
        self.dead = asyncio.Event()
        self.hit: list[str] = []
        self._left = 0
        self._carried_out = False
        self._for_ever: asyncio.Future[None] | None = None

    def arm(self, boundary: int, carried_out: bool) -> None:
        self._left, self._carried_out = boundary, carried_out

    def restore(self) -> None:
        self._left = 0
        self.dead.clear()

    def dies(self, operation: str) -> None:
        """A status that is never written."""
        if self.dead.is_set():
            raise asyncio.CancelledError
        if self._left:
            self._left -= 1
            if not self._left:
                self.hit.append(operation)
                self.dead.set()
                raise asyncio.CancelledError

    async def _gate(self, operation: str, *what: str) -> errors.LensesError | None:
        if operation in ("list_connectors", "get_topics") and not self.dead.is_set():
            return await super()._gate(operation, *what)
        try:
            self.dies(operation)
        except asyncio.CancelledError:
            if not (self._carried_out and self.hit == [operation] and self._for_ever is None):
                await asyncio.get_running_loop().create_future()
            self._for_ever = asyncio.get_running_loop().create_future()
            self.calls.append((operation, *what))
            return Unheard("none", "the process is gone", reason="gone")
        return await super()._gate(operation, *what)


class Unheard(errors.LensesUnreachable):
    """Raised after carrying out; nobody acts on it, since every further call of the dead process hangs."""


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
        await op.until(lambda: op.said() == ("True", "Running", "Owned"))
        assert op.lenses.sent == []


class TestWhatIsSaid:
    async def test_a_partition_that_was_not_there_before_is_named(self, op: OffsetsOperator) -> None:
        await op.runs()
        other = [{"partition": {"filename": "/data/other"}, "offset": {"position": 1}}, *ASKED]
        await altered(op, offsets=other)
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


def test_a_sinks_partitions_are_its_topics() -> None:
    sink = '[{"partition": {"kafka_topic": "t", "kafka_partition": 3}, "offset": {"kafka_offset": 1}}]'
    source = '[{"partition": {"server": "x"}, "offset": {"lsn": 1}}, {"partition": {"server": "y"}, "offset": null}]'
    assert added_partitions(sink, "[]") == []
    assert added_partitions(source, "[]") == ['{"server": "x"}']
    assert added_partitions(source, source) == []
    assert added_partitions(None, "[]") == added_partitions(source, None) == []
