"""What happens to either resource, to the connector or to the operator while an operation is under way."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from lenses_operator.domain.policy import Policy, Rule
from lenses_operator.domain.references import RefData, RefName
from lenses_operator.resources.connector_offsets import OffsetsStatus, OperationPhase
from unit.controllers.fakes import KEY, RUNNING, Task
from unit.offsets.make import ASKED, BEFORE, to
from unit.offsets.rig import BUSY, UNREACHABLE, OffsetsOperator, offsets_operator, settled

pytestmark = pytest.mark.virtual_time


class TestMeanwhile:
    async def held(self, op: OffsetsOperator, **spec: Any) -> None:
        """The connector is stopped and its request under way."""
        await op.holds(**spec)
        await op.until(lambda: op.said()[1] == "OffsetsOperation")

    async def test_the_offsets_resource_is_deleted(self, op: OffsetsOperator) -> None:
        await self.held(op)
        op.offsets.delete()
        await op.until_state("RUNNING")
        asked = len(op.lenses.asked("alter_offsets"))
        await settled(op)
        assert len(op.lenses.asked("alter_offsets")) == asked
        assert op.said() == RUNNING

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
        op.offsets.apply(offsets=to(9))
        op.lenses._faults["get_offsets"].clear()
        await op.until_reason("Applied")
        assert json.loads(op.lenses.offsets) == to(9)
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
        await op.goes_through()
        await op.until(lambda: op.connector is not None and op.held.config["file"] == "/data/new")
        await op.until(lambda: op.said()[1] == "Running")
        assert op.lenses.order().count("resume") == 0

    @pytest.mark.parametrize("restarted", [False, True])
    @pytest.mark.parametrize("how", ["refused", "unusable", "missing"])
    async def test_a_configuration_that_is_invalid_meanwhile(self, how: str, restarted: bool) -> None:
        """It keeps the operation neither from being finished nor from letting the connector go."""
        spec: dict[str, dict[str, Any]] = {
            "refused": {"config": {"topic": "orders", "file": "/data/bad"}},
            "unusable": {"config": {"topic": "orders", "file": "/data/orders", "tasks.max": "3"}},
            "missing": {"configFrom": [{"key": "file", "secretKeyRef": {"name": "absent", "key": "k"}}]},
        }

        async def mended(op: OffsetsOperator) -> None:
            await op.goes_through()
            await op.until_state("RUNNING")
            await op.until(lambda: op.said()[1] in ("ConfigInvalid", "ReferenceNotFound"))
            assert op.held.config["file"] == "/data/orders"
            await settled(op)
            assert op.lenses.order().count("resume") == 1

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
            await op.goes_through()
            await op.until(lambda: op.connector is not None and op.held.config["file"] == "/data/orders")

    async def test_resumed_behind_its_back_it_is_stopped_again(self) -> None:
        async with offsets_operator(poll=2) as op:
            await self.held(op)
            op.held.rest("RUNNING")
            await op.until_state("STOPPED", 30)
            await op.goes_through()
            await op.until_state("RUNNING")

    async def test_a_new_generation(self, op: OffsetsOperator) -> None:
        await self.held(op)
        op.offsets.apply(offsets=to(9))
        await asyncio.sleep(5)
        await op.goes_through()
        await op.until_state("RUNNING")
        assert op.positions() == [9]
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
                op.offsets.apply(offsets=to(9))

        op.offsets.before_write = edit
        op.offsets.latency = 5.0
        op.offsets.apply()
        await op.until(lambda: op.offsets.status().applied_generation == 2)
        await op.until_state("RUNNING")
        assert json.loads(op.lenses.offsets) == to(9)

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
        await op.observes()
        assert op.offsets.status().partitions == 1
        op.policy = Policy((Rule(namespaces=("other",)),))
        await op.until_reason("ConnectorNotReady")
        status = op.offsets.status()
        assert (status.partitions, status.offsets, status.truncated) == (None, None, None)
        assert (status.offsets_json, status.offsets_json_compressed) == (None, None)
