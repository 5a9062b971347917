"""A Lenses that answers otherwise than its description says: nothing is lost, taken, hammered or refused for good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from lenses_operator.lenses import errors
from lenses_operator.lenses.answers import from_answer
from lenses_operator.resources.base import RESTART
from unit.controllers.fakes import NAME, RUNNING, Connector, FakeKube, FakeLenses, Operator, operator
from unit.controllers.support import NOT_FOUND, annotate, answer
from unit.controllers.virtualtime import now
from unit.resources.make import CLASS, SENT

pytestmark = pytest.mark.virtual_time

WRITES = ("create_connector", "delete_connector", "put_resource", "set_state", "reset_offsets")
CODES = [400, 409, 500, 502, 503]
NEW = Connector({"topic": "new", "connector.class": CLASS})


class Rebalance:
    """For some seconds after each create and delete, whoever wants to change something is told so."""

    def __init__(self, lenses: FakeLenses, seconds: float, error: Callable[[str], errors.LensesError]) -> None:
        self.lenses, self.seconds, self.error = lenses, seconds, error
        self.until = 0.0
        self._gate = lenses._gate
        lenses._gate = self.gate  # type: ignore[method-assign]

    async def gate(self, operation: str, *what: str) -> errors.LensesError | None:
        if operation in (*WRITES, "validate") and now() < self.until:
            self.lenses.calls.append((operation, *what))
            raise self.error(operation)
        found = await self._gate(operation, *what)
        if operation in ("create_connector", "delete_connector"):
            self.until = now() + self.seconds
        return found


class TestRebalances:
    @pytest.mark.parametrize("seconds", [3.0, 20.0, 40.0])
    @pytest.mark.parametrize("words", ["Request cannot be completed because a rebalance is expected", "No."])
    @pytest.mark.parametrize("status", CODES)
    async def test_an_update_goes_through_whatever_they_are_told_as(
        self, op: Operator, status: int, words: str, seconds: float
    ) -> None:
        await op.runs(seconds=120)
        Rebalance(op.lenses, seconds, lambda operation: answer(operation, status, words))
        await op.applies(seconds=seconds + 40, config={"topic": "new"})
        assert op.said() == RUNNING
        assert op.connector == NEW
        assert len(op.lenses.asked("delete_connector")) == 1
        assert {*op.reported()} <= {"Progressing", "LensesUnavailable", "ConnectRebalancing", "Running"}
        assert op.reasons() == ["ConfigUpdated"]

    @pytest.mark.parametrize("status", CODES)
    async def test_while_it_is_away_status_shows_none(self, op: Operator, status: int) -> None:
        await op.runs(seconds=120)
        Rebalance(op.lenses, 40.0, lambda operation: answer(operation, status, "No."))
        await op.applies(seconds=20, config={"topic": "new"})
        assert op.kube.status().state is None
        assert op.kube.status().tasks == ()

    @pytest.mark.parametrize("operation", ["validate", "create_connector"])
    async def test_an_agent_that_could_not_be_called_is_no_refusal(self, op: Operator, operation: str) -> None:
        failed = from_answer(operation, 400, b'{"type": "agent_rpc_error", "title": "no", "status": 400}')
        op.lenses.fail(operation, *[failed] * 4)
        await op.applies(seconds=60)
        assert op.said() == RUNNING
        assert "ConfigInvalid" not in op.reported()

    async def test_a_refusal_of_a_connector_that_does_not_exist_is_tried_again_for_good(self, op: Operator) -> None:
        op.lenses.always("create_connector", answer("create_connector", 400, "No."))
        await op.applies(seconds=3 * 3600)
        assert op.said() == ("False", "ConfigInvalid", "None")
        await op.recovers("create_connector", seconds=600)


class TestNamesThatAreTaken:
    @pytest.mark.parametrize("words", ["Connector orders already exists", "No."])
    @pytest.mark.parametrize("status", CODES)
    async def test_ours_that_was_hidden_stays_well(self, op: Operator, status: int, words: str) -> None:
        await op.runs(seconds=120)
        op.lenses.always("get_connector", NOT_FOUND)
        op.lenses.always("create_connector", answer("create_connector", status, words))
        hidden, op.lenses.connectors = op.lenses.connectors, {}
        await asyncio.sleep(50)
        op.lenses.connectors = hidden
        await op.recovers("get_connector", seconds=60)
        assert op.lenses.asked("delete_connector") == []
        assert "ConfigInvalid" not in op.reported()

    @pytest.mark.parametrize("words", ["Connector orders already exists", "No."])
    @pytest.mark.parametrize("status", CODES)
    async def test_a_strangers_that_was_hidden_is_not_touched(
        self, lenses: FakeLenses, status: int, words: str
    ) -> None:
        theirs = Connector(SENT | {"topic": "theirs"})
        async with operator(lenses, FakeKube(lenses.calls)) as op:
            lenses.always("get_connector", NOT_FOUND)
            lenses.always("create_connector", answer("create_connector", status, words))
            await op.applies()
            lenses.connectors[NAME] = theirs
            lenses.always("get_connector", None)
            await asyncio.sleep(60)
            assert op.said() == ("False", "NotAdopted", "NotAdopted")
            await op.deletes(seconds=60)
            assert not op.kube.there()
            assert lenses.connectors[NAME] is theirs
            assert lenses.asked("delete_connector", "set_state", "put_resource") == []


class TestLists:
    @pytest.mark.parametrize(
        "failure",
        [
            errors.ServerError("list_connectors", detail="too large"),
            errors.UnusableAnswer("list_connectors", status=200),
            errors.LensesUnreachable("list_connectors", reason="timeout"),
            errors.Forbidden("list_connectors"),
        ],
        ids=lambda failure: type(failure).__name__,
    )
    async def test_while_only_they_fail_everything_else_goes_on(
        self, op: Operator, failure: errors.LensesError
    ) -> None:
        await op.runs(seconds=120)
        op.lenses.always("list_connectors", failure)
        await asyncio.sleep(60)
        op.kube.apply(config={"topic": "new"})
        await op.applies("later")
        assert op.connector == NEW
        assert op.said() == op.said("later") == RUNNING
        op.kube.apply(config={"topic": "new"}, state="paused")
        await op.deletes("later")
        assert op.said() == ("True", "Paused", "Owned")
        assert not op.kube.there("later")
        assert "later" not in op.lenses.connectors

    async def test_what_is_well_stays_so_and_is_looked_at_with_its_drift_check(self, op: Operator) -> None:
        for number in range(20):
            op.kube.apply(f"c{number}")
        await asyncio.sleep(700)
        op.kube.statuses.clear()
        op.lenses.calls.clear()
        op.lenses.always("list_connectors", errors.ServerError("list_connectors"))
        await asyncio.sleep(600)
        assert op.kube.statuses == []
        assert 35 <= len(op.lenses.asked("get_connector")) <= 45
        op.lenses.connectors["c3"].config["topic"] = "by-hand"
        await asyncio.sleep(310)
        assert op.lenses.connectors["c3"].config["topic"] == "orders"

    async def test_what_was_called_into_question_while_all_was_away_is_well_again_by_details(
        self, op: Operator
    ) -> None:
        await op.runs(seconds=120)
        op.lenses.down(errors.ServerError("list_connectors"))
        await asyncio.sleep(60)
        assert op.said()[1] == "LensesUnavailable"
        op.lenses.down(None)
        op.lenses.always("list_connectors", errors.ServerError("list_connectors"))
        await asyncio.sleep(60)
        assert op.said() == RUNNING

    async def test_a_first_one_that_hangs_is_not_waited_for_by_what_has_to_be_done(self, lenses: FakeLenses) -> None:

        async def hangs(environment: str) -> Any:
            await asyncio.sleep(25)
            raise errors.LensesUnreachable("list_connectors", reason="timeout")

        lenses.list_connectors = hangs  # type: ignore[method-assign]
        async with operator(lenses, FakeKube(lenses.calls)) as op:
            await op.applies(seconds=10)
            assert op.said() == RUNNING


class TestClaims:
    async def test_one_on_which_no_create_was_sent_deletes_nothing(self, op: Operator) -> None:
        op.lenses.always("validate", answer("validate", 503, "busy"))
        await op.applies(seconds=10)
        assert [status.ownership.state for status in op.kube.statuses][:2] == ["Claiming", "None"]
        theirs = op.lenses.connectors[NAME] = Connector(SENT | {"topic": "theirs"})
        await op.deletes(seconds=60)
        assert not op.kube.there()
        assert op.lenses.connectors[NAME] is theirs
        assert op.lenses.asked("delete_connector") == []


class TestNotFound:
    @pytest.mark.parametrize("operation", ["set_state", "validate"])
    async def test_of_a_connector_or_a_plugin_says_nothing_of_the_cluster(self, op: Operator, operation: str) -> None:
        await op.runs(seconds=120)
        op.lenses.always(operation, errors.ConnectorOrClusterNotFound(operation, detail="Not found"))
        await op.applies(seconds=40, state="paused", config={"topic": "new"})
        assert "ClusterNotFound" not in op.reported()
        assert len(op.lenses.asked(operation)) <= 8
        op.lenses.always(operation, None)
        await asyncio.sleep(90)
        assert op.said()[:2] == ("True", "Paused")


class TestRestarts:
    async def test_each_is_asked_for_and_no_two_within_a_second(self, op: Operator) -> None:
        await op.runs(seconds=120)
        begun = now()
        for value in ("1", "2", "3"):
            annotate(op, RESTART, value)
            await asyncio.sleep(0.3)
        assert len(op.lenses.asked("set_state")) == 1
        await asyncio.sleep(10)
        assert 2 <= len(op.lenses.asked("set_state")) <= now() - begun
        assert op.kube.status().last_handled_restart == "3"


class TestNoRefusal:
    @pytest.mark.parametrize("operation", ["validate", "create_connector"])
    async def test_a_404_says_nothing_of_a_configuration(self, op: Operator, operation: str) -> None:
        """However often: a token that has lost a right is answered so for everything."""
        op.lenses.always(operation, errors.ConnectorOrClusterNotFound(operation, detail="Not found"))
        await op.applies(seconds=900)
        assert not {*op.reported()} & {"ConfigInvalid", "PluginNotFound"}
        await op.recovers(operation, seconds=120)
