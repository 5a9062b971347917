"""A connector that is ours by a claim alone: what somebody else has given it is neither shown nor forgotten."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lenses_operator.lenses import errors
from lenses_operator.lenses.answers import from_answer
from unit.controllers.fakes import NAME, Connector, FakeKube, FakeLenses, Operator, Task, operator
from unit.controllers.support import AMBIGUOUS, answer, blind, claimed
from unit.resources.make import CLASS, SENT

pytestmark = pytest.mark.virtual_time


def shown(op: Operator) -> str:
    """All that statuses and Events say."""
    return "".join(
        [*(status.model_dump_json() for status in op.kube.statuses), *(event.message for event in op.events)]
    )


class TestUncertain:
    """Ours by a claim of a former process alone, with values that Lenses does not show: they may be somebody else's."""

    SECRET = "hunter2-of-another-team"

    @pytest.mark.parametrize("restarts", [1, 2])
    @pytest.mark.parametrize("quiet", [False, True])
    @pytest.mark.parametrize("wanted", [{"password": "mine"}, {}])
    async def test_a_trace_is_withheld_until_a_write_of_ours(
        self, lenses: FakeLenses, kube: FakeKube, restarts: int, quiet: bool, wanted: dict[str, str]
    ) -> None:
        await claimed(lenses, kube, config={key: SENT[key] for key in ("topic", "file")} | wanted)
        lenses.hide("password")
        failed = [Task(0, "FAILED", f"denied to {self.SECRET}")]
        more = {"more": "1"} if wanted else {}
        theirs = Connector(SENT | {"password": self.SECRET} | more, "RUNNING", [] if quiet else failed)
        lenses.connectors[NAME] = theirs
        for _ in range(restarts):
            async with operator(lenses, kube) as op:
                await asyncio.sleep(90)
                theirs.tasks = [Task(0, "RUNNING")]
                await asyncio.sleep(700)
                theirs.tasks = failed
                await asyncio.sleep(90)
                assert self.SECRET not in shown(op)
                assert op.said()[2] == "Owned"

    @pytest.mark.parametrize("seconds", [5.0, 40.0])
    async def test_a_connector_that_is_hidden_for_a_moment_does_not_show_that_its_trace_is_gone(
        self, lenses: FakeLenses, kube: FakeKube, seconds: float
    ) -> None:
        """A former process has put its configuration right, and its tasks have what they had."""
        async with operator(lenses, kube) as op:
            lenses.hide("password")
            lenses.keeps_tasks = True
            failed = [Task(0, "FAILED", f"denied to {self.SECRET}")]
            lenses.connectors[NAME] = Connector(SENT | {"password": self.SECRET, "more": "1"}, "RUNNING", failed)
            await op.applies(adoptionPolicy="Always", updateStrategy="InPlace")
            assert op.said() == ("False", "TaskFailed", "Owned")
        async with operator(lenses, kube) as op:
            await asyncio.sleep(400)
            lenses.fail("create_connector", *[AMBIGUOUS] * 20)
            blind(op.lenses, on=True)
            await asyncio.sleep(seconds)
            blind(op.lenses, on=False)
            await asyncio.sleep(400)
            assert op.said() == ("False", "TaskFailed", "Owned")
            assert self.SECRET not in shown(op)

    @pytest.mark.parametrize("status", [400, 429, 500, 503])
    async def test_another_process_knows_whatever_was_reported_first(
        self, lenses: FakeLenses, kube: FakeKube, status: int
    ) -> None:
        """That it is ours was written while a change of its configuration waits, which is not settled before."""
        config = {key: SENT[key] for key in ("topic", "file")} | {"password": "mine"}
        await claimed(lenses, kube, config=config)
        lenses.hide("password")
        lenses.connectors[NAME] = Connector(SENT | {"password": self.SECRET})
        config["topic"] = "other"
        kube.apply(config=config, state="paused")
        async with operator(lenses, kube) as op:
            await asyncio.sleep(90)
            assert op.said() == ("True", "Paused", "Owned")
        words = f'{{"error": "not while it has {self.SECRET}"}}'.encode()
        lenses.always("set_state", from_answer("set_state", status, words))
        lenses.connectors[NAME].rest("RUNNING")
        async with operator(lenses, kube) as op:
            await asyncio.sleep(120)
            assert op.lenses.asked("set_state") != []
            assert self.SECRET not in shown(op)

    async def test_what_a_server_says_instead_of_showing_a_claimed_one_is_withheld(self, op: Operator) -> None:
        op.lenses.always("create_connector", from_answer("create_connector", 503, b'{"error": "busy"}'))
        await op.applies(seconds=2)
        assert op.said()[2] == "Claiming"
        op.lenses.always("list_connectors", from_answer("list_connectors", 500, b'{"error": "boom"}'))
        words = f'{{"error": "no right to {self.SECRET}"}}'.encode()
        op.lenses.always("get_connector", from_answer("get_connector", 403, words))
        await asyncio.sleep(120)
        assert op.said()[1] == "Forbidden"
        assert self.SECRET not in shown(op)

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 429, 500, 503])
    async def test_what_a_server_says_instead_of_showing_one_that_its_list_leaves_out_is_withheld(
        self, op: Operator, status: int
    ) -> None:
        """The resource never had it: nobody here knows what somebody else has given it."""
        words = f'{{"error": "no right to {self.SECRET}"}}'.encode()
        op.lenses.always("get_connector", from_answer("get_connector", status, words))
        await op.applies(seconds=120)
        assert op.said()[2] == "None"
        assert op.said()[0] != "True"
        assert self.SECRET not in shown(op)

    @pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
    @pytest.mark.parametrize("said", [404, 409, 500])
    async def test_what_a_server_says_instead_of_showing_what_is_in_the_way_of_a_create_is_withheld(
        self, op: Operator, status: int, said: int
    ) -> None:
        """The look before has shown nothing."""
        show = op.lenses.poll_connector
        words = f'{{"error": "no right to {self.SECRET}"}}'.encode()

        async def poll(*arguments: Any) -> Any:
            if op.lenses.asked("create_connector"):
                raise from_answer("get_connector", status, words)
            return await show(*arguments)

        op.lenses.poll_connector = poll  # type: ignore[method-assign, assignment]
        op.lenses.always("create_connector", from_answer("create_connector", said, b'{"error": "in the way"}'))
        await op.applies(seconds=120)
        assert op.lenses.asked("create_connector")
        assert op.said()[0] != "True"
        assert self.SECRET not in shown(op)


class TestOthersValues:
    async def test_what_another_gave_to_the_connector_that_ours_becomes_stays_noted_in_status(
        self, lenses: FakeLenses, kube: FakeKube
    ) -> None:
        """The create was never answered, the spec has changed and the operator begun anew: a claim that nobody can
        check any more. A further restart forgets with which Secret."""
        async with operator(lenses, kube) as op:
            lenses.always("create_connector", errors.AgentNotConnected("create_connector"))
            await op.applies(seconds=2)
            assert op.said()[2] == "Claiming"
        lenses.connectors[NAME] = Connector({"password": "theirs", "connector.class": CLASS})
        kube.apply(config={"topic": "new", "file": "/data/new"})
        lenses.always("delete_connector", answer("delete_connector", 503, "Not now"))
        lenses.always("create_connector", None)
        async with operator(lenses, kube) as op:
            await asyncio.sleep(60)
            assert op.said()[2] == "Owned"
            assert kube.applied().former_traces
