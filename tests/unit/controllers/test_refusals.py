"""A configuration that validate or create refuses: how it is said, tried again, and gone back from."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lenses_operator.lenses import errors
from lenses_operator.lenses.models import ClusterInfo
from lenses_operator.resources.base import RECONCILE
from unit.controllers.fakes import RUNNING, Connector, FakeKube, FakeLenses, Operator, operator
from unit.controllers.support import TIMEOUT, annotate, told
from unit.resources.make import SENT

pytestmark = pytest.mark.virtual_time

LASTING = 150.0
"""Seconds after which the same answer again and again has been believed."""


class TestRefusal:
    @staticmethod
    async def refused_for(op: Operator, operation: str, **spec: Any) -> None:
        """This operation refuses it, which is said."""
        op.lenses.always(operation, errors.BadRequest(operation, detail="no such bucket"))
        op.kube.apply(**spec)
        await told(op, "ConfigInvalid")

    async def test_validation_words_reach_the_condition_and_nothing_is_created(self, op: Operator) -> None:
        op.lenses.invalid = {"topic": ["must not be empty"]}
        await op.applies(seconds=10)
        assert op.said() == ("False", "ConfigInvalid", "None")
        assert "topic: must not be empty" in op.message()
        assert op.lenses.asked("create_connector") == []
        assert op.event("ConfigInvalid").warning

    async def test_it_is_asked_again_slowly_and_created_when_mended(self, op: Operator) -> None:
        op.lenses.invalid = {"topic": ["no"]}
        await op.applies(seconds=1000)
        assert 3 <= len(op.lenses.asked("validate")) <= 12
        op.lenses.invalid = {}
        await op.applies(seconds=20, config={"topic": "good"})
        assert op.said() == RUNNING

    async def test_said_in_other_words_it_is_not_called_into_question_at_every_try(self, op: Operator) -> None:
        """A condition that changes to and fro alerts people each time."""
        await self.refused_for(op, "create_connector")
        op.kube.statuses.clear()
        op.lenses.always("create_connector", errors.BadRequest("create_connector", detail="no such region"))
        await asyncio.sleep(3600)
        assert {status.ready.reason for status in op.kube.statuses if status.ready} <= {"ConfigInvalid"}
        assert "no such region" in op.message()
        op.lenses.always("create_connector", None)
        await asyncio.sleep(700)
        assert op.said() == RUNNING

    async def test_a_class_that_is_not_installed_is_named(self, op: Operator) -> None:
        op.lenses.invalid = {"connector.class": ["not found"]}
        await op.applies(seconds=10, class_="FileStreamSourze")
        assert op.said() == ("False", "PluginNotFound", "None")
        assert "FileStreamSourceConnector" in op.message()

    @pytest.mark.parametrize("config", [{"name": "x"}, {"list": ["x"]}])
    async def test_a_bad_spec_sends_nothing(self, op: Operator, config: dict[str, Any]) -> None:
        await op.applies(seconds=60, config=config)
        assert op.said() == ("False", "ConfigInvalid", "None")
        assert op.lenses.asked() == [call for call in op.lenses.asked() if call[0] == "status"]

    async def test_a_refused_update_leaves_the_running_one_alone(self, op: Operator) -> None:
        await op.runs()
        op.lenses.invalid = {"topic": ["no"]}
        await op.applies(seconds=10, config={"topic": "new"})
        assert op.said() == ("False", "ConfigInvalid", "Owned")
        assert op.connector == Connector(SENT)
        assert op.lenses.asked("delete_connector") == []
        assert op.kube.status().state == "RUNNING"

    async def test_what_create_refuses_after_validate_passed_it_goes_back(self, op: Operator) -> None:
        await op.runs()
        op.lenses.refuses = lambda config: config["topic"] == "new"
        await op.applies(config={"topic": "new"})
        assert op.said() == ("Unknown", "LensesUnavailable", "Owned"), "a rebalance may be told like that"
        assert op.kube.status().state is None, "there is none"
        await asyncio.sleep(90)
        assert op.said() == ("False", "ConfigInvalid", "Owned")
        assert "topic is bad" in op.message()
        assert op.connector == Connector(SENT)
        assert op.event("RolledBack").warning

    async def test_a_restarted_operator_does_not_take_it_down_again_for_what_create_refused(
        self, lenses: FakeLenses, kube: FakeKube
    ) -> None:
        async with operator(lenses, kube) as op:
            await op.runs()
            lenses.refuses = lambda config: config["topic"] == "new"
            await op.applies(seconds=LASTING, config={"topic": "new"})
            refused = op.kube.status().refused_config
            assert refused is not None
            assert refused.generation == 2
        lenses.shows = lambda config: config | {"file": "****"}  # so that there would be nothing to go back to
        deleted = len(lenses.asked("delete_connector"))
        async with operator(lenses, kube) as op:
            await asyncio.sleep(1000)
            assert len(lenses.asked("delete_connector")) == deleted
            assert op.connector == Connector(SENT)
            assert op.said() == ("False", "ConfigInvalid", "Owned")
            await op.applies(seconds=10, config={"topic": "newer"})
            assert op.said() == RUNNING
            assert op.kube.status().refused_config is None

    async def test_going_back_is_tried_until_it_works(self, op: Operator) -> None:
        await op.runs()
        op.lenses.refuses = lambda config: config["topic"] == "new"
        op.lenses.fail("create_connector", None, TIMEOUT, TIMEOUT)
        await op.applies(seconds=LASTING + 30, config={"topic": "new"})
        assert op.connector == Connector(SENT)
        assert op.said() == ("False", "ConfigInvalid", "Owned")

    async def test_masked_values_are_never_written_back(self, lenses: FakeLenses, kube: FakeKube) -> None:
        async with operator(lenses, kube) as op:
            await op.runs()
        lenses.shows = lambda config: config | {"file": "****"}
        lenses.refuses = lambda config: config["topic"] == "new"
        async with operator(lenses, kube) as op:
            op.queue.close()  # the spec changes while no operator runs, so that its last write is not remembered
            op.kube.apply(config={"topic": "new", "file": "/data/orders"})
        async with operator(lenses, kube) as op:
            await asyncio.sleep(LASTING)
            assert op.connector is None
            assert op.said()[1] == "ConfigInvalid"

    async def test_after_a_restart_a_settled_configuration_can_be_gone_back_to_though_lenses_masks_it(
        self, lenses: FakeLenses, kube: FakeKube
    ) -> None:
        async with operator(lenses, kube) as op:
            await op.runs()
        lenses.shows = lambda config: config | {"file": "****"}
        lenses.refuses = lambda config: config["topic"] == "new"
        async with operator(lenses, kube) as op:
            await asyncio.sleep(30)
            await op.applies(seconds=LASTING, config={"topic": "new", "file": "/data/orders"})
            assert op.connector == Connector(SENT)

    async def test_another_refusal_is_another_event_and_the_same_one_is_not(self, op: Operator) -> None:
        op.lenses.invalid = {"topic": ["first"]}
        await op.applies(seconds=600)
        assert op.reasons() == ["ConfigInvalid"]
        op.lenses.invalid = {"topic": ["second"]}
        await asyncio.sleep(600)
        assert op.reasons() == ["ConfigInvalid"] * 2
        assert "second" in op.events[1].message

    async def test_words_about_references_do_not_show(self, op: Operator) -> None:
        op.lenses.always("validate", errors.BadRequest("validate", detail="planted-value is bad"))
        await op.applies(seconds=LASTING, config={"topic": "${vault:a:b}"})
        assert op.said()[1] == "ConfigInvalid"
        assert "planted" not in op.message()
        assert all("planted" not in event.message for event in op.events)

    async def test_what_was_rolled_back_is_not_tried_again_and_again_on_a_running_connector(self, op: Operator) -> None:
        await op.runs()
        op.lenses.refuses = lambda config: config["topic"] == "new"
        await op.applies(seconds=3600, config={"topic": "new"})
        assert len(op.lenses.asked("delete_connector")) == 1
        assert op.connector == Connector(SENT)
        await op.applies(config={"topic": "newer"})
        assert op.said() == RUNNING

    @pytest.mark.parametrize("operation", ["validate", "create_connector"])
    async def test_the_same_500_three_times_over_a_minute_is_a_refusal(self, op: Operator, operation: str) -> None:
        op.lenses.always(operation, errors.ServerError(operation, detail="NullPointerException"))
        await op.applies()
        assert op.said()[:2] == ("Unknown", "LensesUnavailable")
        await asyncio.sleep(270)
        assert op.said()[:2] == ("False", "ConfigInvalid")
        assert "NullPointerException" in op.message()
        assert len(op.lenses.asked(operation)) >= 3

    @pytest.mark.parametrize("operation", ["validate", "create_connector"])
    async def test_the_minute_is_between_answers_however_long_the_cluster_takes_to_say_that_it_is_well(
        self, op: Operator, monkeypatch: pytest.MonkeyPatch, operation: str
    ) -> None:
        info = op.lenses.get_cluster_info

        async def slow(*where: str) -> ClusterInfo:
            if len(op.lenses.asked(operation)) == 3:
                await asyncio.sleep(70)
            return await info(*where)

        monkeypatch.setattr(op.lenses, "get_cluster_info", slow)
        op.lenses.always(operation, errors.ServerError(operation, detail="NullPointerException"))
        op.kube.apply()
        await asyncio.sleep(1)
        await told(op, "ConfigInvalid")
        assert len(op.lenses.asked(operation)) > 3

    @pytest.mark.parametrize("operation", ["validate", "create_connector"])
    async def test_another_500_each_time_is_no_refusal(self, op: Operator, operation: str) -> None:
        op.lenses.fail(operation, *[errors.ServerError(operation, detail=f"at {n}") for n in range(60)])
        await op.applies(seconds=600)
        assert op.said()[:2] == ("Unknown", "LensesUnavailable")

    async def test_no_500_is_a_refusal_while_the_cluster_is_not_well(self, op: Operator) -> None:
        await op.runs()
        op.lenses.always("validate", errors.ServerError("validate", detail="boom"))
        op.lenses.always("get_cluster_info", errors.ServerError("get_cluster_info"))
        await op.applies(seconds=600, config={"topic": "new"})
        assert op.said()[:2] == ("Unknown", "LensesUnavailable")

    async def test_a_wish_to_look_again_is_heard_though_the_next_try_has_to_wait(self, op: Operator) -> None:
        await self.refused_for(op, "create_connector")
        await asyncio.sleep(45)  # due again since, but not a minute after the last try
        tries = len(op.lenses.asked("create_connector"))
        annotate(op, RECONCILE, "now")
        await asyncio.sleep(2)
        assert op.kube.status().last_handled_reconcile == "now"
        assert op.said() == ("False", "ConfigInvalid", "None")
        assert len(op.lenses.asked("create_connector")) == tries

    async def test_a_corrected_configuration_does_not_wait_as_long_as_the_refused_one_would(self, op: Operator) -> None:
        await self.refused_for(op, "create_connector")
        op.lenses.always("create_connector", None)
        await op.applies(seconds=5, config={"topic": "corrected"})
        assert op.said() == RUNNING

    async def test_nor_does_a_correction_in_place(self, op: Operator) -> None:
        await op.runs(updateStrategy="InPlace")
        await self.refused_for(op, "put_resource", updateStrategy="InPlace", config={"topic": "new"})
        op.lenses.always("put_resource", None)
        await op.applies(seconds=5, updateStrategy="InPlace", config={"topic": "corrected"})
        assert op.said() == RUNNING
        assert op.held.config["topic"] == "corrected"

    async def test_a_500_for_a_class_that_is_not_installed_is_believed_at_once(self, op: Operator) -> None:
        op.lenses.always("validate", errors.ServerError("validate", detail="Failed to find any class"))
        await op.applies(seconds=5, class_="NoSuchConnector")
        assert op.said() == ("False", "PluginNotFound", "None")
