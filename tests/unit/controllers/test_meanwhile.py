"""What is sent late, or whose answer is lost, neither goes against what is wanted by then nor is sent once more."""

from __future__ import annotations

import asyncio

import pytest

from lenses_operator.lenses import errors
from lenses_operator.lenses.models import ConnectorRequest
from lenses_operator.lenses.transport import Precondition
from unit.controllers.fakes import FakeLenses, Operator, operator, steps

pytestmark = pytest.mark.virtual_time

TURN = 4.0


async def test_a_state_that_is_taken_back_is_not_asked_for(op: Operator) -> None:
    op.kube.apply()
    await asyncio.sleep(30)
    op.lenses.calls.clear()
    op.lenses.turn = TURN
    op.kube.apply(state="paused")
    await asyncio.sleep(TURN / 2)
    op.kube.apply(suspend=True, state="paused")
    await asyncio.sleep(300)
    assert op.lenses.asked("set_state") == []
    assert op.connector is not None
    assert op.connector.state == "RUNNING"


class LosesRollbacks(FakeLenses):
    """The answer to the create that goes back is lost."""

    lost = 0

    async def create_connector(
        self, environment: str, request: ConnectorRequest, *, precondition: Precondition
    ) -> None:
        await super().create_connector(environment, request, precondition=precondition)
        if self.asked("delete_connector"):
            self.lost += 1
            raise errors.LensesUnreachable("create_connector", "timed out", reason="timeout", maybe_done=True)


async def test_a_rollback_whose_answer_is_lost_is_not_made_again() -> None:
    lenses = LosesRollbacks()
    async with operator(lenses) as op:
        op.kube.apply(config={"topic": "a"})
        await asyncio.sleep(30)
        lenses.refuses = lambda config: config["topic"] == "bad"
        op.kube.apply(config={"topic": "bad"})
        await asyncio.sleep(1200)
        assert lenses.lost == 1
        assert steps(lenses.calls).count("delete_connector orders") == 1
        assert op.connector is not None
        assert op.connector.config["topic"] == "a"
        assert op.said()[1] == "ConfigInvalid"
