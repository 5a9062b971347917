"""Whose connector it is that is found after a create without a clear answer, or instead of one that was missing."""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import Any

import pytest

from lenses_operator.kube.errors import KubeError
from lenses_operator.lenses import errors
from lenses_operator.lenses.answers import from_answer
from lenses_operator.resources.connector import ConnectorStatus, LensesConnector
from unit.controllers.fakes import NAME, Connector, FakeKube, FakeLenses, Operator, operator
from unit.controllers.support import AMBIGUOUS, THEIRS, blind
from unit.resources.make import CLASS, SENT

pytestmark = pytest.mark.virtual_time

UNSAID = [AMBIGUOUS, from_answer("create_connector", 500, b'{"error": "boom"}'), errors.LensesUnreachable("create")]
REBALANCE = b'{"error": "Request cannot be completed because a rebalance is expected"}'
NOTHING_DONE = [
    *(from_answer("create_connector", status, b'{"error": "no"}') for status in (400, 401, 402, 403, 404, 429)),
    from_answer("create_connector", 409, b'{"error": "Connector orders already exists"}'),
    errors.LensesUnreachable("create_connector", maybe_done=False, reason="connect_error"),
]
"""Where a create was answered so, it has created nothing."""


async def created_before(unsaid: errors.LensesError) -> tuple[FakeLenses, FakeKube]:
    """After an operator whose create has worked, which it was not told: it has ended, and left a claim."""
    lenses = FakeLenses()
    kube = FakeKube(lenses.calls)
    async with operator(lenses, kube) as op:
        lenses.fail("create_connector", unsaid, carried_out=True)
        blind(op.lenses, on=True)
        await op.applies(seconds=0.5, adoptionPolicy="Never")
        assert op.said()[2] == "Claiming"
    return lenses, kube


class TestClaimed:
    @pytest.mark.parametrize("unsaid", UNSAID, ids=lambda error: type(error).__name__)
    @pytest.mark.parametrize("policy", ["Never", "IfIdentical"])
    @pytest.mark.parametrize("theirs", [THEIRS, SENT | {"file": "/else"}, {"connector.class": CLASS}])
    async def test_somebody_elses_is_left_alone(
        self, op: Operator, unsaid: errors.LensesError, policy: str, theirs: dict[str, str]
    ) -> None:
        op.lenses.always("create_connector", unsaid)
        await op.applies(seconds=2, adoptionPolicy=policy)
        assert op.said()[2] == "Claiming"
        stranger = op.lenses.connectors[NAME] = Connector(dict(theirs))
        op.lenses.always("create_connector", None)
        await asyncio.sleep(90)
        assert op.said()[1:] == ("NotAdopted", "NotAdopted")
        await op.deletes(seconds=90)
        assert not op.kube.there()
        assert op.lenses.connectors[NAME] is stranger
        assert op.lenses.asked("delete_connector", "put_resource", "set_state") == []

    @pytest.mark.parametrize("unsaid", UNSAID, ids=lambda error: type(error).__name__)
    async def test_what_an_operator_before_has_created_is_ours_whatever_was_tried_since(
        self, unsaid: errors.LensesError
    ) -> None:
        lenses, kube = await created_before(unsaid)
        kube.apply(adoptionPolicy="Never", config={"topic": "new"})
        lenses.always("create_connector", unsaid)
        async with operator(lenses, kube) as op:
            await asyncio.sleep(20)
            assert op.lenses.asked("create_connector")
            blind(op.lenses, on=False)
            lenses.always("create_connector", None)
            await asyncio.sleep(60)
            assert op.said() == ("True", "Running", "Owned")
            assert lenses.connectors[NAME].config["topic"] == "new"

    @pytest.mark.parametrize("unsaid", UNSAID, ids=lambda error: type(error).__name__)
    @pytest.mark.parametrize("adds", [{}, {"errors.tolerance": "none"}], ids=["as sent", "with a key of the server's"])
    async def test_what_an_operator_before_may_have_created_as_wanted_is_not_written_anew(
        self, unsaid: errors.LensesError, adds: dict[str, str]
    ) -> None:
        lenses, kube = await created_before(unsaid)
        found = lenses.connectors[NAME]
        found.config |= adds
        blind(lenses, on=False)
        async with operator(lenses, kube) as op:
            await op.applies(seconds=60, adoptionPolicy="Never")
            assert op.said() == ("True", "Running", "Owned")
            await op.applies(seconds=60, adoptionPolicy="Never", state="paused")
            assert op.said() == ("True", "Paused", "Owned")
        assert lenses.connectors[NAME] is found
        assert lenses.asked("delete_connector", "put_resource") == []

    @pytest.mark.parametrize("unsaid", UNSAID, ids=lambda error: type(error).__name__)
    async def test_the_claim_of_an_operator_before_is_not_given_back_for_a_refusal(
        self, unsaid: errors.LensesError
    ) -> None:
        """What its create has left may be hidden, and a spec that is wrong by now says nothing of that."""
        lenses, kube = await created_before(unsaid)
        ours = lenses.connectors[NAME]
        lenses.invalid = {"topic": ["must not be empty"]}
        kube.apply(adoptionPolicy="Never", config={"topic": ""})
        async with operator(lenses, kube) as op:
            await asyncio.sleep(60)
            assert op.said()[1:] == ("ConfigInvalid", "Claiming")
            blind(op.lenses, on=False)
            lenses.invalid = {}
            await op.applies(seconds=60, adoptionPolicy="Never", config={"topic": "right"})
            assert op.said() == ("True", "Running", "Owned")
            assert lenses.connectors[NAME].config["topic"] == "right"
            assert lenses.connectors[NAME] is not ours

    @pytest.mark.parametrize("unsaid", UNSAID, ids=lambda error: type(error).__name__)
    @pytest.mark.parametrize("restarted", [False, True])
    async def test_one_with_a_hidden_key_that_was_never_sent_is_somebody_elses(
        self, lenses: FakeLenses, kube: FakeKube, unsaid: errors.LensesError, *, restarted: bool
    ) -> None:
        async with operator(lenses, kube) as op:
            lenses.always("create_connector", unsaid)
            await op.applies(seconds=2, adoptionPolicy="Never")
            assert op.said()[2] == "Claiming"
            lenses.always("create_connector", None)
            lenses.hide("password")
            stranger = Connector(SENT | {"password": "theirs"})
            if not restarted:
                lenses.connectors[NAME] = stranger
                await asyncio.sleep(90)
        lenses.connectors[NAME] = stranger
        async with operator(lenses, kube) as op:
            await asyncio.sleep(90)
            assert op.said()[1:] == ("NotAdopted", "NotAdopted")
        assert lenses.connectors[NAME] is stranger

    @pytest.mark.parametrize("said", NOTHING_DONE, ids=lambda error: type(error).__name__)
    @pytest.mark.parametrize("theirs", [THEIRS, SENT, SENT | {"topic": "new"}], ids=["another", "as then", "as now"])
    async def test_a_claim_on_which_nothing_can_have_been_created_is_worth_nothing_to_the_next_operator(
        self, lenses: FakeLenses, kube: FakeKube, said: errors.LensesError, theirs: dict[str, str]
    ) -> None:
        async with operator(lenses, kube) as op:
            lenses.always("create_connector", said)
            await op.applies(seconds=20, adoptionPolicy="Never")
            assert op.lenses.asked("create_connector")
            ready = [status.ready for status in kube.statuses if status.ready]
            assert [reason for reason, _ in groupby(one.reason for one in ready)] == ["Progressing", op.said()[1]]
        stranger = lenses.connectors[NAME] = Connector(dict(theirs))
        lenses.always("create_connector", None)
        kube.apply(adoptionPolicy="Never", config={"topic": "new"})
        async with operator(lenses, kube) as op:
            await asyncio.sleep(90)
            assert op.said()[1:] == ("NotAdopted", "NotAdopted")
            await op.deletes(seconds=90)
            assert not kube.there()
        assert lenses.connectors[NAME] is stranger
        assert stranger == Connector(theirs)

    @pytest.mark.parametrize("written", [False, True])
    @pytest.mark.parametrize("unanswered", ["None", "Claiming"])
    async def test_no_create_goes_out_unless_the_claim_is_known_to_stand(self, written: bool, unanswered: str) -> None:
        """The status is not known after a write without an answer, and its watch event may come late."""
        async with operator() as op:
            op.kube.latency = 5.0
            write, create = op.kube.write_status, op.lenses.create_connector
            claims: list[str] = []
            lost: list[LensesConnector | None] = []

            async def lossy(resource: LensesConnector, status: ConnectorStatus) -> LensesConnector | None:
                if status.ownership.state == unanswered and not lost:
                    lost.append(await write(resource, status) if written else None)
                    raise KubeError("status", 0, "connection lost")
                return await write(resource, status)

            async def watched(*what: Any, **options: Any) -> None:
                claims.append(str(op.kube.status().ownership.state))
                await create(*what, **options)

            op.kube.write_status = lossy  # type: ignore[method-assign]
            op.lenses.create_connector = watched  # type: ignore[method-assign]
            op.lenses.fail("create_connector", *[one for one in NOTHING_DONE if isinstance(one, errors.BadRequest)])
            await op.applies()
            await asyncio.sleep(60)
            assert len(lost) == 1
            assert len(claims) > 1
            assert set(claims) == {"Claiming"}
            assert op.said() == ("True", "Running", "Owned")

    @pytest.mark.parametrize("again", [False, True])
    async def test_a_resource_may_go_while_it_is_read_again(self, again: bool) -> None:
        async with operator() as op:
            write, current = op.kube.write_status, op.kube.current
            lost: list[str] = []

            async def lossy(resource: LensesConnector, status: ConnectorStatus) -> LensesConnector | None:
                if not lost:
                    lost.append(resource.metadata.uid)
                    raise KubeError("status", 0, "connection lost")
                return await write(resource, status)

            async def slow(resource: LensesConnector) -> LensesConnector | None:
                found = await current(resource)
                if len(lost) == 1:
                    lost.append("read")
                    op.kube.apply(deletionPolicy="Retain")
                    op.kube.objects["payments", "orders"]["metadata"]["finalizers"] = []
                    op.kube.delete()
                    if again:
                        op.kube.apply()
                    await asyncio.sleep(1)
                return found

            op.kube.write_status = lossy  # type: ignore[method-assign]
            op.kube.current = slow  # type: ignore[method-assign]
            await op.applies()
            assert lost[1:] == ["read"]
            assert op.errors == []
            assert op.kube.there() is again
            assert not again or op.said() == ("True", "Running", "Owned")

    @pytest.mark.parametrize(
        "unsaid",
        [*UNSAID, *(from_answer("create_connector", status, REBALANCE) for status in (409, 500, 502, 503))],
        ids=lambda error: f"{type(error).__name__}-{getattr(error, 'status', '')}",
    )
    @pytest.mark.parametrize("hidden", [0, 20, 80])
    async def test_what_a_create_has_left_is_deleted_though_it_was_answered_with_an_error(
        self, op: Operator, unsaid: errors.LensesError, hidden: float
    ) -> None:
        """Whatever Lenses shows: an answer that may be passed on by somebody who has tried twice proves nothing."""
        op.lenses.fail("create_connector", unsaid, carried_out=True)
        blind(op.lenses, on=True)
        await op.applies(seconds=0.5)
        await op.deletes(seconds=hidden)
        blind(op.lenses, on=False)
        await asyncio.sleep(120)
        assert not op.kube.there()
        assert op.connector is None
        assert "Deleted" in op.reasons()

    @pytest.mark.parametrize("unsaid", UNSAID, ids=lambda error: type(error).__name__)
    @pytest.mark.parametrize("policy", ["Delete", "DeleteWithOffsets"])
    @pytest.mark.parametrize("listed", [False, True])
    async def test_somebody_elses_is_left_alone_by_a_deletion(
        self, unsaid: errors.LensesError, policy: str, *, listed: bool
    ) -> None:
        """Which comes before anybody has looked whose it is."""
        async with operator(poll=1) as op:
            op.lenses.always("create_connector", unsaid)
            await op.applies(seconds=0.5, deletionPolicy=policy)
            assert op.said()[2] == "Claiming"
            stranger = op.lenses.connectors[NAME] = Connector(dict(THEIRS))
            op.lenses.always("get_connector", errors.ServerError("get_connector"))
            await asyncio.sleep(3 if listed else 0)
            await op.deletes(seconds=3)
            op.lenses.always("get_connector", None)
            await asyncio.sleep(120)
            assert not op.kube.there()
            assert op.lenses.connectors[NAME] is stranger
            assert op.lenses.asked("delete_connector", "put_resource", "set_state", "reset_offsets") == []
            assert not {"Deleted", "NotFound"} & set(op.reasons())

    async def test_it_is_also_left_alone_by_an_operator_that_begins_anew(
        self, lenses: FakeLenses, kube: FakeKube
    ) -> None:
        async with operator(lenses, kube) as op:
            lenses.always("create_connector", AMBIGUOUS)
            await op.applies(seconds=2)
            assert op.said()[2] == "Claiming"
        stranger = lenses.connectors[NAME] = Connector(dict(THEIRS))
        lenses.always("create_connector", None)
        async with operator(lenses, kube) as op:
            await asyncio.sleep(90)
            assert op.said()[1:] == ("NotAdopted", "NotAdopted")
        assert lenses.connectors[NAME] is stranger

    async def test_with_always_it_is_adopted_and_said_to_be(self, op: Operator) -> None:
        op.lenses.always("create_connector", AMBIGUOUS)
        await op.applies(seconds=2, adoptionPolicy="Always")
        op.lenses.connectors[NAME] = Connector(dict(THEIRS))
        op.lenses.always("create_connector", None)
        await asyncio.sleep(90)
        assert op.said() == ("True", "Running", "Owned")
        assert "Adopted" in op.reasons()
        assert op.connector is not None
        assert op.connector.config == SENT


class TestLost:
    """One that is ours, believed to be lost and created again, though it was only hidden."""

    @pytest.mark.parametrize("hidden", [frozenset[str](), frozenset({"password"})])
    async def test_it_gets_what_is_wanted_since(self, op: Operator, hidden: frozenset[str]) -> None:
        op.lenses.hide(*hidden)
        config = {"topic": "orders", "file": "/data/orders"}
        await op.applies(seconds=60, config=config | {"password": "one"}, state="stopped")
        op.kube.apply(config=config | {"password": "two"}, state="stopped")  # waits until it is to run
        await asyncio.sleep(60)
        blind(op.lenses, on=True)
        op.lenses.always("create_connector", AMBIGUOUS)
        await op.applies(seconds=60, config=config | {"password": "two"}, state="running")
        assert op.lenses.asked("create_connector")
        blind(op.lenses, on=False)
        op.lenses.always("create_connector", None)
        await asyncio.sleep(120)
        assert op.said() == ("True", "Running", "Owned")
        assert op.connector is not None
        assert op.connector.config["password"] == "two"

    async def test_with_nothing_changed_it_is_not_touched(self, op: Operator) -> None:
        await op.applies(seconds=60)
        ours = op.connector
        blind(op.lenses, on=True)
        op.lenses.always("create_connector", AMBIGUOUS)
        await op.applies(seconds=600, metadata={})
        blind(op.lenses, on=False)
        op.lenses.always("create_connector", None)
        await asyncio.sleep(120)
        assert op.said() == ("True", "Running", "Owned")
        assert op.connector is ours
        assert op.lenses.asked("delete_connector", "put_resource") == []


class TestPerhapsOurs:
    """A create that seemed to be refused, and Lenses shows nothing of the configuration: its deletion has to wait."""

    @pytest.mark.parametrize("ours", [True, False])
    @pytest.mark.parametrize("unsaid", UNSAID[:2], ids=lambda error: type(error).__name__)
    async def test_it_is_neither_deleted_nor_left_behind(
        self, op: Operator, unsaid: errors.LensesError, ours: bool
    ) -> None:
        op.lenses.hides_config = True
        op.lenses.fail("create_connector", unsaid, carried_out=ours)
        blind(op.lenses, on=True)
        await op.applies(seconds=0.5)
        assert op.said()[2] == "Claiming"
        op.kube.delete()
        op.lenses.connectors.setdefault(NAME, Connector(dict(THEIRS)))
        blind(op.lenses, on=False)
        await asyncio.sleep(120)
        if op.lenses.asked("delete_connector"):
            assert ours, "it could not be told"
            return
        assert op.said()[:2] == ("False", "DeletionBlocked")
        assert "permission to read configurations" in op.message()
        op.lenses.hides_config = False
        await asyncio.sleep(700)
        assert not op.kube.there()
        assert (op.connector is None) is ours
