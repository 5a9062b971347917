"""The whole core, pass after pass, against a Lenses and an API server in memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lenses_operator.domain.references import RefData, RefName
from lenses_operator.lenses import errors
from lenses_operator.lenses.models import ClusterInfo
from lenses_operator.resources.base import FINALIZER, RECONCILE, RESTART
from unit.controllers.fakes import (
    CONNECTOR,
    KEY,
    NAME,
    Connector,
    FakeKube,
    FakeLenses,
    Operator,
    Task,
    operator,
    steps,
)
from unit.resources.make import SENT

pytestmark = pytest.mark.virtual_time

RUNNING = ("True", "Running", "Owned")
TIMEOUT = errors.LensesUnreachable("create_connector", "timed out", reason="timeout")
BROKEN = errors.ServerError("create_connector", detail="boom")
LASTING = 150.0
"""Seconds after which the same answer again and again has been believed."""


async def running(op: Operator, **spec: Any) -> None:
    """A resource whose connector runs; what led to it is forgotten."""
    await op.applies(**spec)
    op.lenses.calls.clear()
    op.events.clear()
    op.kube.statuses.clear()


async def told(op: Operator, reason: str) -> None:
    """When exactly is a matter of chance."""
    async with asyncio.timeout(300):
        await asyncio.sleep(5)
        while op.said()[1] != reason:
            await asyncio.sleep(1)


class TestCreate:
    async def test_finalizer_claim_validate_create_in_this_order(self, op: Operator) -> None:
        await op.applies()
        assert steps(op.lenses.calls) == [
            "finalizer added",
            "status Progressing Claiming",
            "validate orders",
            "create_connector orders",
            "status Running Owned",
        ]
        assert op.said() == RUNNING
        assert op.connector == Connector(SENT)
        assert op.reasons() == ["Created"]
        assert op.kube.finalizers() == [FINALIZER]

    async def test_status_holds_what_was_seen(self, op: Operator) -> None:
        await op.applies()
        status = op.kube.status()
        assert (status.state, status.tasks_summary, status.topics) == ("RUNNING", "1/1", ("orders",))
        assert status.observed_generation == 1
        assert status.applied_config is not None
        assert status.applied_config.added == ()

    async def test_nothing_is_written_or_sent_once_it_runs(self, op: Operator) -> None:
        await running(op)
        await asyncio.sleep(3600)
        assert steps(op.lenses.calls) == []
        assert op.events == []

    async def test_a_timeout_that_created_it_is_read_again_and_never_created_twice(self, op: Operator) -> None:
        op.lenses.fail("create_connector", TIMEOUT, carried_out=True)
        await op.applies(seconds=60)
        assert len(op.lenses.asked("create_connector")) == 1
        assert op.said() == RUNNING

    @pytest.mark.parametrize("failure", [TIMEOUT, BROKEN], ids=["timeout", "500"])
    async def test_after_an_ambiguous_answer_it_is_proven_absent_before_the_next_create(
        self, op: Operator, failure: errors.LensesError
    ) -> None:
        op.lenses.fail("create_connector", failure)
        await op.applies(seconds=60)
        calls = [call[0] for call in op.lenses.asked("create_connector", "get_connector")]
        first = calls.index("create_connector")
        second = calls.index("create_connector", first + 1)
        assert "get_connector" in calls[first:second]
        assert op.said() == RUNNING

    async def test_an_answer_lost_by_a_crash_is_no_strangers_connector(
        self, lenses: FakeLenses, kube: FakeKube
    ) -> None:
        async with operator(lenses, kube) as op:
            lenses.fail("create_connector", TIMEOUT, carried_out=True)
            lenses.fail("get_connector", None, *[errors.LensesUnreachable("get_connector")] * 3)
            await op.applies(seconds=1)
            assert op.said()[2] == "Claiming"
        async with operator(lenses, kube) as op:
            await asyncio.sleep(120)
            assert op.said() == RUNNING
            assert len(lenses.asked("create_connector")) == 1
            assert lenses.asked("delete_connector") == []

    @pytest.mark.parametrize(
        ("theirs", "said"),
        [
            (SENT | {"topic": "theirs"}, ("False", "NotAdopted", "NotAdopted")),
            (SENT, RUNNING),
        ],
        ids=["differs", "identical"],
    )
    async def test_a_name_taken_before_our_first_create_is_a_strangers(
        self, op: Operator, theirs: dict[str, str], said: tuple[str, str, str]
    ) -> None:
        taken = errors.AlreadyExists("create_connector")
        op.lenses.fail("create_connector", taken)
        op.lenses.fail("get_connector", errors.ConnectorOrClusterNotFound("get_connector"))
        op.lenses.connectors[NAME] = Connector(dict(theirs))
        op.lenses.fail("list_connectors", *[])
        await op.applies(seconds=60)
        assert op.said() == said
        assert op.connector == Connector(theirs)
        assert op.lenses.asked("delete_connector", "set_state") == []
        claims = [status.ownership.state.value for status in op.kube.statuses]
        assert claims == ["Claiming", "None", *([said[2]] * (len(claims) - 2))]

    async def test_a_conflict_after_an_unanswered_create_of_ours_is_ours(self, op: Operator) -> None:
        unsent = errors.LensesUnreachable("create_connector", maybe_done=False)
        taken = errors.Conflict("create_connector", detail="exists")
        op.lenses.fail("create_connector", TIMEOUT, unsent)
        op.lenses.fail("create_connector", taken, carried_out=False)
        op.lenses.shows = lambda config: config | {"server.default": "1"}  # so that it would not be adopted
        nothing = errors.ConnectorOrClusterNotFound("get_connector")
        op.lenses.fail("get_connector", *[nothing] * 3)
        await op.applies(seconds=1.5)
        op.lenses.connectors.setdefault(NAME, Connector(dict(SENT)))
        await asyncio.sleep(60)
        assert "NotAdopted" not in [status.ready.reason for status in op.kube.statuses if status.ready]
        assert op.said() == RUNNING

    async def test_a_rebalance_is_waited_for(self, op: Operator) -> None:
        op.lenses.fail("create_connector", *[errors.Conflict("create_connector", detail="rebalance")] * 3)
        await op.applies(seconds=5)
        assert op.said() == ("Unknown", "ConnectRebalancing", "Claiming")
        await asyncio.sleep(60)
        assert op.said() == RUNNING

    @pytest.mark.parametrize(
        ("state", "action", "shown"), [("paused", "pause", "PAUSED"), ("stopped", "stop", "STOPPED")]
    )
    async def test_held_from_the_start_is_held_by_the_very_next_request(
        self, op: Operator, state: str, action: str, shown: str
    ) -> None:
        await op.applies(state=state)
        calls = op.lenses.calls
        created = calls.index(("create_connector", "orders"))
        assert calls[created + 1] == ("set_state", "orders", action)
        assert len(op.lenses.asked("set_state")) == 1
        assert op.held.state == shown
        assert op.reasons() == ["Created", "RanBriefly"]
        assert op.said() == ("True", shown.capitalize(), "Owned")

    async def test_one_deleted_by_hand_is_created_again(self, op: Operator) -> None:
        await running(op)
        op.lenses.connectors.clear()
        await asyncio.sleep(30)
        assert op.said() == RUNNING
        assert "was gone and was created again" in op.event("DriftRepaired").message

    async def test_one_lost_and_made_anew_by_hand_in_the_same_moment_stays_ours(self, op: Operator) -> None:
        await running(op)
        op.lenses.fail("get_connector", errors.ConnectorOrClusterNotFound("get_connector"))
        op.lenses.fail("create_connector", errors.Conflict("create_connector", detail="exists"))
        op.lenses.connectors[NAME] = Connector(SENT | {"topic": "by-hand"}, "PAUSED", [])
        await asyncio.sleep(120)
        assert op.said() == RUNNING
        assert op.connector == Connector(SENT)


class TestRefusal:
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
        await running(op)
        op.lenses.invalid = {"topic": ["no"]}
        await op.applies(seconds=10, config={"topic": "new"})
        assert op.said() == ("False", "ConfigInvalid", "Owned")
        assert op.connector == Connector(SENT)
        assert op.lenses.asked("delete_connector") == []
        assert op.kube.status().state == "RUNNING"

    async def test_what_create_refuses_after_validate_passed_it_goes_back(self, op: Operator) -> None:
        await running(op)
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
            await running(op)
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
            assert op.said() == ("True", "Running", "Owned")
            assert op.kube.status().refused_config is None

    async def test_going_back_is_tried_until_it_works(self, op: Operator) -> None:
        await running(op)
        op.lenses.refuses = lambda config: config["topic"] == "new"
        op.lenses.fail("create_connector", None, TIMEOUT, TIMEOUT)
        await op.applies(seconds=LASTING + 30, config={"topic": "new"})
        assert op.connector == Connector(SENT)
        assert op.said() == ("False", "ConfigInvalid", "Owned")

    async def test_masked_values_are_never_written_back(self, lenses: FakeLenses, kube: FakeKube) -> None:
        async with operator(lenses, kube) as op:
            await running(op)
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
            await running(op)
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
        await running(op)
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
        await running(op)
        op.lenses.always("validate", errors.ServerError("validate", detail="boom"))
        op.lenses.always("get_cluster_info", errors.ServerError("get_cluster_info"))
        await op.applies(seconds=600, config={"topic": "new"})
        assert op.said()[:2] == ("Unknown", "LensesUnavailable")

    async def test_a_wish_to_look_again_is_heard_though_the_next_try_has_to_wait(self, op: Operator) -> None:
        op.lenses.always("create_connector", errors.BadRequest("create_connector", detail="no such bucket"))
        op.kube.apply()
        await told(op, "ConfigInvalid")
        await asyncio.sleep(45)  # due again since, but not a minute after the last try
        tries = len(op.lenses.asked("create_connector"))
        op.kube._edit("payments", "orders", annotations={RECONCILE: "now"})
        op.kube._changed("payments", "orders")
        await asyncio.sleep(2)
        assert op.kube.status().last_handled_reconcile == "now"
        assert op.said() == ("False", "ConfigInvalid", "None")
        assert len(op.lenses.asked("create_connector")) == tries

    async def test_a_corrected_configuration_does_not_wait_as_long_as_the_refused_one_would(self, op: Operator) -> None:
        op.lenses.always("create_connector", errors.BadRequest("create_connector", detail="no such bucket"))
        op.kube.apply()
        await told(op, "ConfigInvalid")
        op.lenses.always("create_connector", None)
        await op.applies(seconds=5, config={"topic": "corrected"})
        assert op.said() == RUNNING

    async def test_nor_does_a_correction_in_place(self, op: Operator) -> None:
        await running(op, updateStrategy="InPlace")
        op.lenses.always("put_resource", errors.BadRequest("put_resource", detail="no such bucket"))
        op.kube.apply(updateStrategy="InPlace", config={"topic": "new"})
        await told(op, "ConfigInvalid")
        op.lenses.always("put_resource", None)
        await op.applies(seconds=5, updateStrategy="InPlace", config={"topic": "corrected"})
        assert op.said() == RUNNING
        assert op.held.config["topic"] == "corrected"

    async def test_a_500_for_a_class_that_is_not_installed_is_believed_at_once(self, op: Operator) -> None:
        op.lenses.always("validate", errors.ServerError("validate", detail="Failed to find any class"))
        await op.applies(seconds=5, class_="NoSuchConnector")
        assert op.said() == ("False", "PluginNotFound", "None")


class TestUpdate:
    async def test_validate_delete_absence_create(self, op: Operator) -> None:
        await running(op)
        await op.applies(config={"topic": "new", "file": "/data/orders"})
        assert [call[0] for call in op.lenses.calls if call[0] != "list_connectors"][1:] == [
            "validate",
            "status",
            "delete_connector",
            "get_connector",
            "get_cluster_info",
            "create_connector",
            "get_connector",
            "get_topics",
            "status",
        ]
        assert op.said() == RUNNING
        assert op.connector == Connector(SENT | {"topic": "new"})
        assert op.event("ConfigUpdated").message == "The configuration was updated: changed topic."

    async def test_a_delete_whose_answer_was_lost_goes_on(self, op: Operator) -> None:
        await running(op)
        op.lenses.fail("delete_connector", TIMEOUT, carried_out=True)
        await op.applies(config={"topic": "new"})
        assert op.held.config["topic"] == "new"
        assert op.reasons() == ["ConfigUpdated"]

    @pytest.mark.parametrize("state", ["paused", "stopped"])
    async def test_waits_while_held_and_comes_instead_of_resuming(self, op: Operator, state: str) -> None:
        await running(op, state=state)
        await op.applies(seconds=60, state=state, config={"topic": "new"})
        assert op.said() == ("True", state.capitalize(), "Owned")
        assert "A new configuration" in op.message()
        assert op.lenses.asked("delete_connector", "create_connector") == []
        assert len(op.lenses.asked("validate")) == 1
        await op.applies(config={"topic": "new"})
        assert op.said() == RUNNING
        assert op.lenses.asked("set_state") == []
        assert op.held.config["topic"] == "new"

    async def test_a_wrong_one_is_reported_while_held(self, op: Operator) -> None:
        await running(op, state="paused")
        op.lenses.invalid = {"topic": ["no"]}
        await op.applies(seconds=20, state="paused", config={"topic": "new"})
        assert op.said() == ("False", "ConfigInvalid", "Owned")

    async def test_an_edit_during_our_own_write_is_not_slept_over(self) -> None:
        async with operator(poll=3600) as op:  # no list comes to the rescue
            await running(op)
            op.kube.latency = 0.5  # the write's answer overtakes the watch

            def mend() -> None:
                op.kube.before_write = lambda: None
                op.kube.apply()

            op.kube.before_write = mend
            await op.applies(config={"name": "reserved"})
            assert op.said() == RUNNING
            assert op.kube.status().observed_generation == 3

    async def test_a_deletion_during_our_own_write_is_not_slept_over(self, op: Operator) -> None:
        await running(op, deletionPolicy="Retain")
        op.kube.latency = 0.5

        def delete() -> None:
            op.kube.before_write = lambda: None
            op.kube.delete()

        op.kube.before_write = delete
        op.lenses.always("list_connectors", errors.Unauthorized("list_connectors"))
        await asyncio.sleep(30)
        assert not op.kube.there()

    @pytest.mark.parametrize("annotation", [RESTART, RECONCILE])
    async def test_an_annotation_during_our_own_write_is_not_slept_over(self, annotation: str) -> None:
        async with operator(poll=3600) as op:
            await running(op)
            op.kube.latency = 0.5

            def annotate() -> None:
                op.kube.before_write = lambda: None
                op.kube._edit("payments", "orders", annotations={annotation: "now"})

            op.kube.before_write = annotate
            await op.applies(seconds=20, state="paused")
            status = op.kube.status()
            assert "now" in (status.last_handled_restart, status.last_handled_reconcile)

    async def test_a_finalizer_that_is_dropped_during_our_own_write_is_put_back_at_once(self) -> None:
        async with operator(poll=3600) as op:
            await running(op)
            op.kube.latency = 0.5

            def replace() -> None:
                op.kube.before_write = lambda: None
                op.kube.objects["payments", "orders"]["metadata"]["finalizers"] = []

            op.kube.before_write = replace
            await op.applies(seconds=20, state="paused")
            assert op.kube.finalizers() == [FINALIZER]

    async def test_an_edit_during_the_claim_is_what_gets_created(self, op: Operator) -> None:
        op.kube.latency = 0.5
        writes: list[int] = []

        def edit() -> None:
            writes.append(1)
            if len(writes) == 3:  # finalizer twice, then the claim
                op.kube.apply(config={"topic": "new"})

        op.kube.before_write = edit
        await op.applies(seconds=60)
        assert op.held.config["topic"] == "new"
        assert len(op.lenses.asked("create_connector")) == 1
        assert op.lenses.asked("delete_connector") == []


class TestNotApplied:
    @pytest.mark.parametrize(
        ("correction", "wanted"),
        [
            ({"updateStrategy": "InPlace", "config": {"topic": "newer"}}, ["put_resource"]),
            ({"config": {"topic": "new"}}, ["delete_connector", "create_connector"]),
        ],
        ids=["another-configuration", "another-strategy"],
    )
    async def test_a_write_that_does_not_show_is_said_and_a_changed_spec_is_tried_anew(
        self, correction: dict[str, Any], wanted: list[str]
    ) -> None:
        async with operator(drift=10) as op:
            await running(op, updateStrategy="InPlace")
            op.lenses.heeds_puts = False
            op.kube.apply(updateStrategy="InPlace", config={"topic": "new"})
            await told(op, "UpdateNotApplied")
            assert self.writes(op) == ["put_resource"]
            op.lenses.heeds_puts = True
            op.lenses.calls.clear()
            await op.applies(seconds=10, **correction)
            assert op.said() == RUNNING
            assert op.held.config["topic"] == correction["config"]["topic"]
            assert self.writes(op) == wanted

    @staticmethod
    def writes(op: Operator) -> list[str]:
        changing = ("put_resource", "delete_connector", "create_connector")
        return [call[0] for call in op.lenses.calls if call[0] in changing]


class TestDrift:
    async def test_is_put_back_and_its_keys_are_named(self, op: Operator) -> None:
        await running(op)
        op.lenses.connectors[NAME].config |= {"topic": "by-hand", "more": "x"}
        await asyncio.sleep(330)
        assert op.connector == Connector(SENT)
        message = op.event("DriftRepaired").message
        assert "changed topic; unwanted more" in message or "topic" in message
        assert "by-hand" not in message

    async def test_a_repair_that_leaves_the_very_same_difference_is_not_repeated(self, op: Operator) -> None:
        await running(op)
        op.lenses.shows = lambda config: config | {"topic": "rewritten", "added": "x"}
        await asyncio.sleep(3600)
        assert len(op.lenses.asked("delete_connector")) == 1
        assert op.said() == RUNNING
        applied = op.kube.applied()
        assert applied.not_compared == ("topic",)
        assert "added" in applied.added

    async def test_what_the_server_showed_at_our_own_write_is_no_drift_after_a_restart_either(
        self, lenses: FakeLenses, kube: FakeKube
    ) -> None:
        lenses.shows = lambda config: config | {"topic": "1.024E3", "added": "x"}
        async with operator(lenses, kube) as op:
            await running(op)
            await asyncio.sleep(400)
        async with operator(lenses, kube) as op:
            await asyncio.sleep(700)
            assert lenses.asked("delete_connector", "create_connector", "validate", "status") == []
            assert op.said() == RUNNING

    async def test_a_state_changed_by_hand_is_put_back_by_one_request(self, op: Operator) -> None:
        await running(op)
        found = op.lenses.connectors[NAME]
        found.rest("PAUSED")
        await asyncio.sleep(60)
        assert op.lenses.asked("set_state") == [("set_state", "orders", "resume")]
        assert op.said() == RUNNING
        assert "PAUSED" in op.event("DriftRepaired").message

    async def test_a_wanted_change_of_state_is_no_drift(self, op: Operator) -> None:
        await running(op)
        await op.applies(state="stopped")
        assert op.reasons() == ["Stopped"]
        await op.applies()
        assert op.reasons() == ["Stopped", "Resumed"]


class TestAdoption:
    async def test_an_identical_connector_is_taken_over_untouched(self, op: Operator) -> None:
        op.lenses.connectors[NAME] = Connector(SENT | {"file": "****"})
        await op.applies(seconds=700)
        assert op.said() == RUNNING
        assert [call for call in op.lenses.asked() if call[0] not in ("status", "finalizer")] == []
        assert op.event("Adopted").message.endswith("Lenses does not show them: file.")
        assert op.kube.finalizers() == [FINALIZER]

    async def test_words_about_a_connector_that_is_not_ours_yet_are_withheld(self, op: Operator) -> None:
        """It may have been given secrets by whoever had it before, and nobody here knows them."""
        op.lenses.connectors[NAME] = Connector(SENT)
        op.lenses.always("get_connector", errors.ServerError("get_connector", status=500, detail="boom hunter"))
        await op.applies(seconds=120, adoptionPolicy="Always")
        assert op.said()[0] == "Unknown"
        assert "withheld" in op.message()
        op.lenses.always("get_connector", None)
        await asyncio.sleep(600)
        assert op.said() == RUNNING
        assert "hunter" not in str(op.kube.statuses)
        assert "hunter" not in str(op.events)

    async def test_a_trace_from_before_may_quote_what_was_taken_as_equal_unseen(self, op: Operator) -> None:
        secret = ("payments", RefName("Secret", "credentials"))
        op.kube.references[secret] = RefData("2", {"password": b"renewed-1"})
        op.lenses.connectors[NAME] = Connector(SENT | {"password": "****"}, tasks=[Task(0, "FAILED", "no, hunter-0")])
        await op.applies(configFrom=[{"secretRef": {"name": "credentials"}}])
        assert op.said() == ("False", "TaskFailed", "Owned")
        assert "hunter" not in str(op.kube.statuses)
        assert "hunter" not in str(op.events)
        op.lenses.connectors[NAME].tasks = [Task(0, "RUNNING")]
        await asyncio.sleep(700)
        assert op.said() == RUNNING
        op.lenses.connectors[NAME].tasks = [Task(0, "FAILED", "no, renewed-1 is wrong")]
        await asyncio.sleep(30)
        error = op.kube.status().tasks[0].error
        assert error is not None
        assert "is wrong" in error
        assert "renewed-1" not in error

    async def test_a_resolved_reference_does_not_bounce_it(self, op: Operator) -> None:
        op.lenses.connectors[NAME] = Connector(SENT | {"topic": "resolved"})
        await op.applies(seconds=700, config={"topic": "${vault:a:b}", "file": "/data/orders"})
        assert op.said() == RUNNING
        assert op.lenses.asked("delete_connector") == []

    async def test_a_differing_one_is_left_and_not_shown(self, op: Operator) -> None:
        op.lenses.connectors[NAME] = Connector(SENT | {"topic": "planted"}, "PAUSED", [Task(0, "PAUSED")])
        await op.applies(seconds=700)
        assert op.said() == ("False", "NotAdopted", "NotAdopted")
        assert "changed topic" in op.message()
        status = op.kube.status()
        assert (status.state, status.tasks, status.topics) == (None, (), None)
        assert "planted" not in str(status)
        assert [call for call in op.lenses.asked() if call[0] != "status"] == []
        await op.deletes(seconds=5)
        assert not op.kube.there()

    async def test_once_it_is_gone_ours_is_created(self, op: Operator) -> None:
        op.lenses.connectors[NAME] = Connector(SENT | {"topic": "theirs"})
        await op.applies()
        op.lenses.connectors.clear()
        await asyncio.sleep(30)
        assert op.said() == RUNNING


class TestConflict:
    async def test_the_younger_does_nothing_and_takes_over_when_the_older_goes(self, op: Operator) -> None:
        await running(op)
        await op.applies(seconds=60, namespace="other", config={"topic": "younger"})
        assert op.said(namespace="other") == ("False", "Conflict", "Conflict")
        assert op.kube.finalizers(namespace="other") == []
        assert op.connector == Connector(SENT)
        await op.deletes(seconds=60)
        assert not op.kube.there()
        assert op.said(namespace="other") == RUNNING
        assert op.held.config["topic"] == "younger"

    async def test_deleting_the_younger_touches_nothing(self, op: Operator) -> None:
        await running(op)
        await op.applies(namespace="other")
        await op.deletes(namespace="other")
        assert not op.kube.there(namespace="other")
        assert op.connector == Connector(SENT)
        assert op.said() == RUNNING


class TestTrouble:
    async def test_a_healthy_connector_is_not_called_into_question_by_two_passing_failures(self, op: Operator) -> None:
        await running(op)
        op.lenses.fail("get_connector", *[errors.ServerError("get_connector")] * 2)
        await asyncio.sleep(400)
        assert op.kube.statuses == []
        assert len(op.lenses.asked("get_connector")) >= 3

    async def test_by_the_third_it_is_and_what_was_seen_stays(self, op: Operator) -> None:
        await running(op)
        op.lenses.always("get_connector", errors.ServerError("get_connector", detail="down"))
        await asyncio.sleep(400)
        assert op.said() == ("Unknown", "LensesUnavailable", "Owned")
        assert op.kube.status().state == "RUNNING"
        assert op.kube.status().tasks_summary == "1/1"
        assert op.kube.status().applied_config is not None
        op.lenses.always("get_connector", None)
        await asyncio.sleep(120)
        assert op.said() == RUNNING

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
        await running(op)
        op.lenses.always("list_connectors", failure)
        await asyncio.sleep(20)
        assert op.said() == ("False", reason, "Owned")
        assert op.event(reason).warning
        asked = len(op.lenses.asked("get_connector"))
        await asyncio.sleep(1000)
        assert len(op.lenses.asked("get_connector")) == asked, "nothing is asked while the environment is lost"
        op.lenses.always("list_connectors", None)
        await asyncio.sleep(20)
        assert op.said() == RUNNING

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
        await running(op)
        op.lenses.connectors[NAME].tasks = [Task(0, "RUNNING"), Task(1, "FAILED", "Outer\nCaused by: Disk full")]
        await asyncio.sleep(20)
        assert op.said() == ("False", "TaskFailed", "Owned")
        assert "1 of 2 tasks failed (task 1): Disk full" in op.message()
        assert op.kube.status().tasks[1].error == "Outer\nCaused by: Disk full"

    async def test_no_tasks_is_said_after_a_minute(self, op: Operator) -> None:
        await running(op)
        op.lenses.connectors[NAME].tasks = []
        await asyncio.sleep(50)
        assert op.said()[1] == "Progressing"
        await asyncio.sleep(120)
        assert op.said() == ("False", "NoTasks", "Owned")


class TestDeletion:
    async def test_delete_then_proof_then_release(self, op: Operator) -> None:
        await running(op)
        await op.deletes(seconds=3)
        assert not op.kube.there()
        assert op.connector is None
        order = [call[0] for call in op.lenses.calls if call[0] != "list_connectors"]
        assert order == ["delete_connector", "get_connector", "get_cluster_info", "finalizer"]
        assert op.reasons() == ["Deleted"]

    async def test_one_that_is_gone_already_takes_two_denials_half_a_minute_apart(self) -> None:
        async with operator(poll=3600) as op:
            await running(op)
            op.lenses.connectors.clear()
            await op.deletes(seconds=29)
            assert op.kube.there()
            await asyncio.sleep(5)
            assert not op.kube.there()
            assert len(op.lenses.asked("delete_connector")) == 2
            assert op.reasons()[-1] == "NotFound"
            assert "Deleted" not in op.reasons()
            assert op.event("NotFound").warning

    async def test_a_restarting_cluster_that_denies_what_it_holds_is_not_believed(self) -> None:
        async with operator(poll=3600) as op:
            await running(op)
            nothing = errors.ConnectorOrClusterNotFound("x")
            op.lenses.fail("delete_connector", nothing)
            op.lenses.fail("get_connector", nothing)
            await op.deletes()
            assert op.connector is None
            assert len(op.lenses.asked("delete_connector")) == 2

    async def test_one_proof_is_not_enough_where_a_create_may_still_arrive(self) -> None:
        async with operator(poll=3600) as op:
            await running(op)
            op.lenses.fail("create_connector", *[TIMEOUT] * 20)
            await op.applies(seconds=1, config={"topic": "new"})
            assert op.lenses.asked("create_connector")
            await op.deletes(seconds=0.5)
            assert op.kube.there()
            op.lenses.connectors[NAME] = Connector(dict(SENT))  # now it has arrived
            await asyncio.sleep(30)
            assert op.connector is None
            assert not op.kube.there()

    async def test_retain_touches_nothing_and_needs_no_lenses(self, op: Operator) -> None:
        await running(op, deletionPolicy="Retain")
        op.lenses.always("list_connectors", errors.Unauthorized("list_connectors"))
        await asyncio.sleep(20)
        op.lenses.calls.clear()
        await op.deletes(seconds=1)
        assert not op.kube.there()
        assert [call[0] for call in op.lenses.calls] == ["finalizer"]
        assert "Retained" in op.reasons()

    @pytest.mark.parametrize(
        "failure",
        [
            errors.EnvironmentNotFound("list_connectors"),
            errors.Unauthorized("list_connectors"),
            errors.Forbidden("list_connectors"),
            errors.LensesUnreachable("list_connectors"),
        ],
        ids=lambda failure: type(failure).__name__,
    )
    async def test_is_blocked_with_the_exact_way_out_which_acts_within_a_second(
        self, failure: errors.LensesError
    ) -> None:
        async with operator() as op:
            await running(op)
            op.lenses.down(failure)
            op.lenses.always("delete_connector", failure)
            await op.deletes(seconds=3600)
            assert op.kube.finalizers() == [FINALIZER]
            assert op.said() == ("False", "DeletionBlocked", "Owned")
            assert op.message().endswith(
                "kubectl patch lensesconnector orders -n payments --type=merge "
                """-p '{"spec":{"deletionPolicy":"Retain"}}'"""
            )
            op.lenses.calls.clear()
            await op.applies(seconds=1, deletionPolicy="Retain")
            assert not op.kube.there()
            assert {call[0] for call in op.lenses.calls} <= {"finalizer", "list_connectors", "get_cluster_info"}

    @pytest.mark.parametrize(("times", "blocked"), [(1, False), (2, True)])
    async def test_a_rebalance_talks_nobody_into_letting_go(self, op: Operator, times: int, blocked: bool) -> None:
        """What may pass by itself is said when it is met again."""
        await running(op)
        op.lenses.fail("delete_connector", *[errors.Conflict("delete_connector", "rebalance")] * times)
        await op.deletes(seconds=600)
        assert not op.kube.there()
        assert ("DeletionBlocked" in op.reasons()) == blocked

    async def test_an_unknown_cluster_is_no_proof(self, op: Operator) -> None:
        await running(op)
        op.lenses.clusters = set()
        op.lenses.connectors.clear()
        await op.deletes(seconds=600)
        assert op.said() == ("False", "DeletionBlocked", "Owned")
        assert "ClusterNotFound" in op.message()

    async def test_goes_on_for_an_object_that_vanished_without_our_release(self, op: Operator) -> None:
        await running(op)
        op.kube.vanish()
        await asyncio.sleep(30)
        assert op.connector is None
        assert op.store.tombstone(KEY) is None
        assert op.store.claimants(CONNECTOR) == []

    async def test_and_not_for_one_that_is_there_after_all(self, op: Operator) -> None:
        await running(op)
        op.intake.gone(op.kube.objects["payments", "orders"])
        await asyncio.sleep(30)
        assert op.connector == Connector(SENT)
        assert op.store.tombstone(KEY) is None
        op.intake.listed(list(op.kube.objects.values()))
        assert op.store.get(KEY) is not None

    async def test_a_new_object_of_the_name_waits_for_the_deletion_of_the_old_ones_connector(
        self, op: Operator
    ) -> None:
        await running(op)
        op.kube.vanish()
        await op.applies(seconds=60, config={"topic": "second"})
        assert op.held.config["topic"] == "second"
        assert op.said() == RUNNING
        assert [call[0] for call in op.lenses.asked("delete_connector", "create_connector")] == [
            "delete_connector",
            "create_connector",
        ]


class TestRestart:
    async def test_a_settled_connector_costs_one_list_and_no_write(self, lenses: FakeLenses, kube: FakeKube) -> None:
        async with operator(lenses, kube) as op:
            await running(op)
        lenses.calls.clear()
        async with operator(lenses, kube, drift=86400) as op:
            await asyncio.sleep(5)
            assert lenses.calls == [("list_connectors", "prod")]

    async def test_a_recreate_cut_off_between_delete_and_create_is_finished(
        self, lenses: FakeLenses, kube: FakeKube
    ) -> None:
        async with operator(lenses, kube) as op:
            await running(op)
            lenses.always("create_connector", TIMEOUT)
            await op.applies(seconds=2, config={"topic": "new"})
            assert op.connector is None
        lenses.always("create_connector", None)
        async with operator(lenses, kube) as op:
            await asyncio.sleep(30)
            assert op.said() == RUNNING
            assert op.held.config["topic"] == "new"
