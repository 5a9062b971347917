"""Updates: what is sent in which order, what waits, and edits that come in the middle of a write of ours."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lenses_operator.lenses import errors
from lenses_operator.resources.base import FINALIZER, RECONCILE, RESTART
from unit.controllers.fakes import RUNNING, Connector, Operator, operator
from unit.controllers.support import TIMEOUT, during_the_next_write, told
from unit.resources.make import SENT

pytestmark = pytest.mark.virtual_time


class TestUpdate:
    async def test_validate_delete_absence_create(self, op: Operator) -> None:
        await op.runs()
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
        await op.runs()
        op.lenses.fail("delete_connector", TIMEOUT, carried_out=True)
        await op.applies(config={"topic": "new"})
        assert op.held.config["topic"] == "new"
        assert op.reasons() == ["ConfigUpdated"]

    @pytest.mark.parametrize("state", ["paused", "stopped"])
    async def test_waits_while_held_and_comes_instead_of_resuming(self, op: Operator, state: str) -> None:
        await op.runs(state=state)
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
        await op.runs(state="paused")
        op.lenses.invalid = {"topic": ["no"]}
        await op.applies(seconds=20, state="paused", config={"topic": "new"})
        assert op.said() == ("False", "ConfigInvalid", "Owned")

    async def test_an_edit_during_our_own_write_is_not_slept_over(self) -> None:
        async with operator(poll=3600) as op:  # no list comes to the rescue
            await op.runs()
            during_the_next_write(op, op.kube.apply)
            await op.applies(config={"name": "reserved"})
            assert op.said() == RUNNING
            assert op.kube.status().observed_generation == 3

    async def test_a_deletion_during_our_own_write_is_not_slept_over(self, op: Operator) -> None:
        await op.runs(deletionPolicy="Retain")
        during_the_next_write(op, op.kube.delete)
        op.lenses.always("list_connectors", errors.Unauthorized("list_connectors"))
        await asyncio.sleep(30)
        assert not op.kube.there()

    @pytest.mark.parametrize("annotation", [RESTART, RECONCILE])
    async def test_an_annotation_during_our_own_write_is_not_slept_over(self, annotation: str) -> None:
        async with operator(poll=3600) as op:
            await op.runs()
            during_the_next_write(op, lambda: op.kube._edit("payments", "orders", annotations={annotation: "now"}))
            await op.applies(seconds=20, state="paused")
            status = op.kube.status()
            assert "now" in (status.last_handled_restart, status.last_handled_reconcile)

    async def test_a_finalizer_that_is_dropped_during_our_own_write_is_put_back_at_once(self) -> None:
        async with operator(poll=3600) as op:
            await op.runs()
            during_the_next_write(op, lambda: op.kube.objects["payments", "orders"]["metadata"].update(finalizers=[]))
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
            await op.runs(updateStrategy="InPlace")
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


class TestWaitsForItsState:
    """A configuration waits until the connector is next to run, and the state it is to rest in takes its time."""

    @pytest.mark.parametrize(("state", "seen"), [("paused", "PAUSED"), ("stopped", "STOPPED")])
    @pytest.mark.parametrize("changed", [{"topic": "new"}, {"password": None}])
    async def test_status_does_not_say_that_it_was_applied(
        self, op: Operator, state: str, seen: str, changed: dict[str, str | None]
    ) -> None:
        config = {"topic": "orders", "file": "/data/orders", "password": "one"}
        op.lenses.hide("password")
        await op.applies(seconds=60, config=config)
        applied = op.kube.applied()
        assert op.connector is not None
        op.lenses.heeds_state = False
        op.kube.apply(config={key: value for key, value in (config | changed).items() if value}, state=state)
        await asyncio.sleep(60)
        kept = op.kube.applied()
        assert kept.hash == applied.hash, "it has the configuration of before"
        op.lenses.heeds_state = True
        await asyncio.sleep(120)
        assert op.connector.state == seen
        assert op.said() == ("True", seen.capitalize(), "Owned")
        kept = op.kube.applied()
        assert kept.hash == applied.hash
