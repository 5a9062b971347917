"""Creating a connector: in which order, what follows an answer that is lost or unclear, and never twice."""

from __future__ import annotations

import asyncio

import pytest

from lenses_operator.lenses import errors
from lenses_operator.resources.base import FINALIZER
from unit.controllers.fakes import NAME, RUNNING, Connector, FakeKube, FakeLenses, Operator, operator, steps
from unit.controllers.support import TIMEOUT
from unit.resources.make import SENT

pytestmark = pytest.mark.virtual_time

BROKEN = errors.ServerError("create_connector", detail="boom")


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

    async def test_connect_has_a_moment_before_the_first_look_in_which_others_are_created(self, op: Operator) -> None:
        """A look at once would be one for nothing, and four workers are to create more than four in that time."""
        names = {f"n{number}" for number in range(20)}
        for name in names:
            op.kube.apply(name)
        await asyncio.sleep(0.05)
        assert {call[1] for call in op.lenses.asked("create_connector")} == names
        op.lenses.calls.clear()
        await asyncio.sleep(0.01)
        assert op.lenses.asked("get_connector") == []
        await asyncio.sleep(0.2)
        assert {op.said(name) for name in names} == {RUNNING}
        assert sorted(call[1] for call in op.lenses.asked("get_connector")) == sorted(names)

    async def test_nothing_is_written_or_sent_once_it_runs(self, op: Operator) -> None:
        await op.runs()
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
        assert "NotAdopted" not in op.reported()
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
        await op.runs()
        op.lenses.connectors.clear()
        await asyncio.sleep(30)
        assert op.said() == RUNNING
        assert "was gone and was created again" in op.event("DriftRepaired").message

    async def test_one_lost_and_made_anew_by_hand_in_the_same_moment_stays_ours(self, op: Operator) -> None:
        await op.runs()
        op.lenses.fail("get_connector", errors.ConnectorOrClusterNotFound("get_connector"))
        op.lenses.fail("create_connector", errors.Conflict("create_connector", detail="exists"))
        op.lenses.connectors[NAME] = Connector(SENT | {"topic": "by-hand"}, "PAUSED", [])
        await asyncio.sleep(120)
        assert op.said() == RUNNING
        assert op.connector == Connector(SENT)
