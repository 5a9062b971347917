"""What is said while Lenses, a cluster or a task is not well, and how little is asked meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from lenses_operator.lenses import errors
from unit.controllers.fakes import NAME, Operator, Task

pytestmark = pytest.mark.virtual_time


class TestTrouble:
    async def test_a_healthy_connector_is_not_called_into_question_by_two_passing_failures(self, op: Operator) -> None:
        await op.runs()
        op.lenses.fail("get_connector", *[errors.ServerError("get_connector")] * 2)
        await asyncio.sleep(400)
        assert op.kube.statuses == []
        assert len(op.lenses.asked("get_connector")) >= 3

    async def test_by_the_third_it_is_and_what_was_seen_stays(self, op: Operator) -> None:
        await op.runs()
        op.lenses.always("get_connector", errors.ServerError("get_connector", detail="down"))
        await asyncio.sleep(400)
        assert op.said() == ("Unknown", "LensesUnavailable", "Owned")
        assert op.kube.status().state == "RUNNING"
        assert op.kube.status().tasks_summary == "1/1"
        assert op.kube.status().applied_config is not None
        await op.recovers("get_connector", seconds=120)

    @pytest.mark.parametrize(
        ("failure", "reason"),
        [
            (errors.Unauthorized("list_connectors"), "Unauthorized"),
            (errors.EnvironmentNotFound("list_connectors"), "EnvironmentNotFound"),
        ],
    )
    async def test_what_a_person_must_mend_is_said_at_once(
        self, op: Operator, failure: errors.LensesError, reason: str
    ) -> None:
        await op.runs()
        op.lenses.always("list_connectors", failure)
        await asyncio.sleep(20)
        assert op.said() == ("False", reason, "Owned")
        assert op.event(reason).warning
        asked = len(op.lenses.asked("get_connector"))
        await asyncio.sleep(1000)
        assert len(op.lenses.asked("get_connector")) == asked, "nothing is asked while the environment is lost"
        await op.recovers("list_connectors", seconds=20)

    async def test_an_environment_that_is_down_makes_no_requests_for_each_connector(self, op: Operator) -> None:
        for number in range(20):
            op.kube.apply(f"c{number}")
        await asyncio.sleep(60)
        op.lenses.calls.clear()
        op.lenses.down(errors.ServerError("list_connectors"))
        await asyncio.sleep(600)
        assert len(op.lenses.asked("status")) == 20
        assert len(op.lenses.asked("get_connector")) < 20, "drift checks before it was known"
        op.lenses.calls.clear()
        await asyncio.sleep(600)
        assert {call[0] for call in op.lenses.calls} == {"list_connectors", "get_cluster_info"}

    async def test_one_whose_agent_is_away_is_asked_for_nothing_else_whatever_is_to_be_done(self, op: Operator) -> None:
        op.lenses.down(errors.AgentNotConnected("list_connectors"))
        for number in range(20):
            op.kube.apply(f"c{number}")
        await asyncio.sleep(600)
        assert {call[0] for call in op.lenses.calls} == {"list_connectors", "status"}
        assert len(op.lenses.asked("status")) == 20

    async def test_an_unknown_cluster_is_named_and_nothing_is_created(self, op: Operator) -> None:
        op.lenses.clusters = {"elsewhere"}
        await op.applies()
        assert op.said() == ("False", "ClusterNotFound", "None")
        assert op.lenses.asked("create_connector", "validate") == []

    async def test_a_failed_task_is_shown_with_its_trace(self, op: Operator) -> None:
        await op.runs()
        op.lenses.connectors[NAME].tasks = [Task(0, "RUNNING"), Task(1, "FAILED", "Outer\nCaused by: Disk full")]
        await asyncio.sleep(20)
        assert op.said() == ("False", "TaskFailed", "Owned")
        assert "1 of 2 tasks failed (task 1): Disk full" in op.message()
        assert op.kube.status().tasks[1].error == "Outer\nCaused by: Disk full"

    async def test_no_tasks_is_said_after_a_minute(self, op: Operator) -> None:
        await op.runs()
        op.lenses.connectors[NAME].tasks = []
        await asyncio.sleep(50)
        assert op.said()[1] == "Progressing"
        await asyncio.sleep(120)
        assert op.said() == ("False", "NoTasks", "Owned")
