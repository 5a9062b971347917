"""Writes in place: where they are offered, what refuses them for certain, and what is accepted and does not show."""

from __future__ import annotations

import asyncio

import pytest

from lenses_operator.lenses import errors
from unit.controllers.fakes import RUNNING, Connector, FakeKube, FakeLenses, Operator, operator
from unit.controllers.support import answer, cached
from unit.resources.make import CLASS, SENT

pytestmark = pytest.mark.virtual_time


class TestAsCode:
    async def test_auto_updates_in_place_where_it_is_offered(self, op: Operator) -> None:
        await op.runs(seconds=120, updateStrategy="Auto")
        for topic in ("new", "newer"):
            await op.applies(updateStrategy="Auto", config={"topic": topic})
        assert op.connector == Connector({"topic": "newer", "connector.class": CLASS})
        assert op.lenses.asked("delete_connector", "create_connector") == []
        assert len(op.lenses.asked("get_resource")) == 1, "once in an environment"
        assert op.said() == RUNNING

    async def test_auto_recreates_where_it_is_not(self, op: Operator) -> None:
        op.lenses.as_code = False
        await op.runs(seconds=120, updateStrategy="Auto")
        await op.applies(updateStrategy="Auto", config={"topic": "new"})
        assert op.connector == Connector({"topic": "new", "connector.class": CLASS})
        assert op.lenses.asked("put_resource") == []
        assert len(op.lenses.asked("delete_connector")) == 1

    @pytest.mark.parametrize(
        "no", [answer("get_resource", 403, "no"), errors.MissingAgentCapability("get_resource", status=404)]
    )
    async def test_auto_asks_again_where_it_was_not(self, op: Operator, no: errors.LensesError) -> None:
        """A right was given since, or Lenses upgraded."""
        op.lenses.always("get_resource", no)
        await op.runs(seconds=120, updateStrategy="Auto")
        for topic in ("new", "newer"):
            await op.applies(updateStrategy="Auto", config={"topic": topic})
        assert len(op.lenses.asked("delete_connector")) == 2
        assert len(op.lenses.asked("get_resource")) == 1
        op.lenses.always("get_resource", None)
        await asyncio.sleep(600)
        await op.applies(updateStrategy="Auto", config={"topic": "newest"})
        assert len(op.lenses.asked("put_resource")) == 1

    @pytest.mark.parametrize(
        "no",
        [
            errors.MissingAgentCapability("put_resource", status=405),
            *(answer("put_resource", status, "no") for status in (400, 401, 402, 403, 429)),
            errors.LensesUnreachable("put_resource", maybe_done=False),
        ],
        ids=lambda error: type(error).__name__,
    )
    async def test_an_operator_that_begins_anew_knows_that_a_write_refused_for_certain_changed_nothing(
        self, lenses: FakeLenses, no: errors.LensesError
    ) -> None:
        """Though Lenses hides a value, and what was wanted once is wanted again."""
        lenses.hide("password")
        kube = FakeKube(lenses.calls)
        config = {"topic": "orders", "password": "plain"}
        async with operator(lenses, kube) as op:
            await op.runs(seconds=120, updateStrategy="InPlace", config=config)
            lenses.always("put_resource", no)
            await op.applies(seconds=120, updateStrategy="InPlace", config=config | {"topic": "new"})
            assert op.lenses.asked("put_resource")
            assert op.said()[0] != "True"
        lenses.calls.clear()
        kube.apply(updateStrategy="InPlace", config=config)
        async with operator(lenses, kube) as op:
            await asyncio.sleep(400)
            assert op.said() == RUNNING
            assert op.lenses.asked("put_resource") == []

    @pytest.mark.parametrize(("state", "shown"), [("paused", "PAUSED"), ("stopped", "STOPPED")])
    async def test_auto_creates_what_is_to_be_held_without_running_it(
        self, op: Operator, state: str, shown: str
    ) -> None:
        op.lenses.connectors["witness"] = Connector(dict(SENT))
        await op.applies(updateStrategy="Auto", state=state)
        assert op.lenses.asked("put_resource") == [("put_resource", "orders", shown)]
        assert op.lenses.asked("create_connector", "set_state") == []
        assert op.said() == ("True", shown.capitalize(), "Owned")
        assert op.reasons() == ["Created"]

    @pytest.mark.parametrize("invalid", [False, True])
    async def test_what_cannot_be_put_at_rest_is_created_the_other_way_and_no_failure(
        self, op: Operator, *, invalid: bool
    ) -> None:
        """Also where create goes on to refuse it: it is asked once more whether there is such a way."""
        op.lenses.connectors["witness"] = Connector(dict(SENT))
        op.lenses.always("put_resource", errors.MissingAgentCapability("put_resource", status=405))
        op.lenses.refuses = lambda _: invalid
        await op.applies(seconds=240, updateStrategy="Auto", state="paused")
        assert op.said()[:2] == (("False", "ConfigInvalid") if invalid else ("True", "Paused"))
        if not invalid:
            assert {*op.reported()} == {"Progressing", "Paused"}
        op.kube.statuses.clear()
        await asyncio.sleep(3600)
        assert {*op.reported()} <= {"ConfigInvalid"}

    async def test_nothing_is_put_by_a_token_that_sees_nothing(self, op: Operator) -> None:
        """It may have lost its rights, and a PUT overwrites what it does not see."""
        await op.applies(updateStrategy="Auto", state="paused")
        assert op.lenses.asked("put_resource") == []
        assert op.said() == ("True", "Paused", "Owned")

    async def test_nothing_is_put_once_what_the_list_shows_is_not_seen_any_more(self, op: Operator) -> None:
        """The list is from before the right was lost."""
        op.lenses.connectors["witness"] = Connector(dict(SENT))
        await op.applies(updateStrategy="Auto", state="paused")
        await op.deletes(seconds=60)
        puts = op.lenses.asked("put_resource")
        op.lenses.always("get_connector", errors.ConnectorOrClusterNotFound("GetConnector", detail="Not found"))
        await op.applies(updateStrategy="Auto", state="paused")
        assert op.lenses.asked("create_connector")
        assert op.lenses.asked("put_resource") == puts != []

    @pytest.mark.parametrize("strategy", ["InPlace", "Auto"])
    async def test_what_was_accepted_and_does_not_show_is_said_and_nothing_is_deleted(
        self, op: Operator, strategy: str
    ) -> None:
        await op.runs(seconds=120, updateStrategy=strategy)
        op.lenses.heeds_puts = False
        await op.applies(seconds=25, updateStrategy=strategy, config={"topic": "new", "file": "/data/orders"})
        assert "UpdateNotApplied" not in op.reported()
        await asyncio.sleep(10)
        assert op.said() == ("False", "UpdateNotApplied", "Owned")
        await asyncio.sleep(3600)
        assert op.said() == ("False", "UpdateNotApplied", "Owned")
        assert 2 <= len(op.lenses.asked("put_resource")) <= 20
        assert op.lenses.asked("delete_connector", "create_connector") == []
        op.lenses.heeds_puts = True
        await asyncio.sleep(400)
        assert op.said() == RUNNING

    async def test_what_shows_late_is_well(self, op: Operator) -> None:
        await op.runs(seconds=120, updateStrategy="InPlace")
        end = cached(op, 1000.0)
        await op.applies(seconds=40, updateStrategy="InPlace", config={"topic": "new", "file": "/data/orders"})
        assert op.said()[1] == "UpdateNotApplied"
        end()
        await asyncio.sleep(310)
        assert op.said() == RUNNING
        assert len(op.lenses.asked("put_resource")) <= 5
