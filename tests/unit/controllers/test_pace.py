"""What goes on failing is tried ever more seldom, what waits is left alone, and either is said once."""

from __future__ import annotations

import asyncio
from itertools import groupby, pairwise
from typing import Any

import pytest

from lenses_operator.controllers.connector import delete
from lenses_operator.kube.errors import KubeError
from lenses_operator.lenses import errors
from lenses_operator.lenses.models import ConnectorRequest
from lenses_operator.lenses.transport import Precondition
from lenses_operator.resources.connector import ConnectorStatus, LensesConnector
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets, OffsetsStatus
from unit.controllers.fakes import NAME, RUNNING, Connector, FakeKube, FakeLenses, Operator, Task, operator, steps
from unit.controllers.support import SOURCE, secret
from unit.controllers.virtualtime import now
from unit.offsets.rig import offsets_operator

pytestmark = pytest.mark.virtual_time


async def test_what_waits_while_the_connector_is_held_is_said_once_not_at_every_other_look() -> None:
    async with operator(drift=60.0) as op:
        await op.applies(state="stopped")
        op.lenses.connectors[NAME].config["by-hand"] = "1"
        await asyncio.sleep(90)
        assert "unwanted by-hand" in op.message()
        op.kube.statuses.clear()
        await asyncio.sleep(600)
        assert op.kube.statuses == []


async def test_a_connector_that_waits_is_not_read_again_at_every_list(op: Operator) -> None:
    await op.applies(state="stopped")
    await op.applies(seconds=300, state="stopped", config={"topic": "new"})
    op.lenses.calls.clear()
    await asyncio.sleep(600)
    assert len(op.lenses.asked("list_connectors")) >= 40
    assert len(op.lenses.asked("get_connector")) <= 3


async def test_what_create_keeps_refusing_is_tried_ever_more_seldom_and_said_once(op: Operator) -> None:
    op.lenses.refuses = lambda _: True
    await op.applies(seconds=3600)
    assert op.said() == ("False", "ConfigInvalid", "None")
    assert len(op.lenses.asked("create_connector")) <= 30
    assert op.reasons() == ["ConfigInvalid"]
    assert [reason for reason, _ in groupby(op.reported())] == ["Progressing", "LensesUnavailable", "ConfigInvalid"]
    op.lenses.refuses = lambda _: False
    await asyncio.sleep(400)
    assert op.said() == RUNNING


async def test_an_update_in_place_that_is_not_offered_is_tried_ever_more_seldom_and_said_once(op: Operator) -> None:
    await op.applies(updateStrategy="InPlace")
    op.lenses.always("put_resource", errors.MissingAgentCapability("put_resource"))
    op.kube.statuses.clear()
    await op.applies(seconds=3600, updateStrategy="InPlace", config={"topic": "new"})
    assert len(op.lenses.asked("put_resource")) <= 20
    assert op.reported() == ["Progressing", "UpdateNotSupported"]
    await op.recovers("put_resource", seconds=400)


@pytest.mark.parametrize("kind", [errors.ServerError, errors.Forbidden])
async def test_a_state_change_that_fails_is_tried_ever_more_seldom(
    op: Operator, kind: type[errors.LensesRefused]
) -> None:
    await op.applies()
    op.lenses.always("set_state", kind("set_state"))
    await op.applies(seconds=3600, state="paused")
    assert len(op.lenses.asked("set_state")) <= 80
    op.lenses.always("set_state", None)
    await asyncio.sleep(400)
    assert op.said() == ("True", "Paused", "Owned")
    assert [reason for reason in op.reasons() if reason == "Paused"] == ["Paused"]


@pytest.mark.parametrize("state", ["paused", "stopped"])
async def test_a_state_change_that_is_accepted_and_does_not_happen_is_said_until_it_does(
    op: Operator, state: str
) -> None:
    await op.applies()
    op.lenses.heeds_state = False
    op.kube.apply(state=state)
    await asyncio.sleep(30)
    assert op.said() == ("Unknown", "Progressing", "Owned")
    assert op.kube.status().observed_generation == 2
    op.held.tasks = [Task(0, "FAILED", "boom")]
    await asyncio.sleep(90)
    assert op.kube.status().tasks_summary == "0/1"
    assert op.said()[1] == "Progressing"
    op.lenses.heeds_state = True
    await asyncio.sleep(90)
    assert op.said()[0] == "True"


@pytest.mark.parametrize(
    ("operation", "policy"),
    [("set_state", "DeleteWithOffsets"), ("reset_offsets", "DeleteWithOffsets"), ("delete_connector", "Delete")],
)
@pytest.mark.parametrize("kind", [errors.ServerError, errors.Forbidden])
async def test_a_deletion_that_is_blocked_is_tried_ever_more_seldom_and_says_so_once(
    op: Operator, kind: type[errors.LensesRefused], operation: str, policy: str
) -> None:
    await op.applies(deletionPolicy=policy)
    op.lenses.always(operation, kind(operation))
    await op.deletes(seconds=60)
    op.kube.statuses.clear()
    op.events.clear()
    await asyncio.sleep(3600)
    assert len(op.lenses.asked(operation)) <= (20 if kind is errors.Forbidden else 80)
    assert op.kube.statuses == []
    assert op.events == []
    op.lenses.always(operation, None)
    await asyncio.sleep(800)
    assert not op.kube.there()


async def test_drift_that_cannot_be_put_right_is_said_until_it_is_gone(op: Operator) -> None:
    await op.applies(updateStrategy="InPlace")
    op.lenses.always("put_resource", errors.MissingAgentCapability("put_resource"))
    op.lenses.connectors[NAME].config["by-hand"] = "1"
    await asyncio.sleep(600)
    op.kube.statuses.clear()
    await asyncio.sleep(3600)
    assert op.said()[1] == "UpdateNotSupported"
    assert op.kube.statuses == []
    del op.lenses.connectors[NAME].config["by-hand"]
    await asyncio.sleep(400)
    assert op.said() == RUNNING


async def test_drift_of_a_held_connector_is_said_at_the_drift_check_that_finds_it(op: Operator) -> None:
    await op.applies(seconds=330, state="stopped")
    op.lenses.connectors[NAME] = Connector({**op.lenses.connectors[NAME].config, "by-hand": "1"}, "STOPPED", [])
    await asyncio.sleep(300)
    assert "unwanted by-hand" in op.message()


@pytest.mark.parametrize("by", ["deleting it", "spec.state"])
async def test_a_stop_that_takes_its_time_is_not_asked_for_again_on_the_word_of_an_old_list(
    op: Operator, by: str
) -> None:
    await op.applies(deletionPolicy="DeleteWithOffsets")
    stopping = op.lenses.connectors[NAME]

    async def stop(*_: object, precondition: object) -> None:
        op.lenses.calls.append(("set_state", "orders", "stop"))
        asyncio.get_running_loop().call_later(2.0, stopped)

    def stopped() -> None:
        stopping.rest("STOPPED")

    op.lenses.set_state = stop  # type: ignore[assignment]
    if by == "deleting it":
        op.kube.delete()
    else:
        op.kube.apply(deletionPolicy="DeleteWithOffsets", state="stopped")
    for _ in range(4):
        await asyncio.sleep(0.4)
        for poller in op.environments._pollers.values():
            poller.poll_now()
    await asyncio.sleep(30)
    assert len(op.lenses.asked("set_state")) == 1


async def test_a_stop_is_not_asked_for_again_within_a_second_though_saying_so_took_its_time() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delete, "QUIET", 0.0)
        patch.setattr(delete, "uniform", min)
        await _stops_at_most_once_a_second()


async def _stops_at_most_once_a_second() -> None:
    sent: list[float] = []
    async with operator() as op:
        await op.applies(deletionPolicy="DeleteWithOffsets")
        write = op.kube.write_status

        async def slowly(resource: LensesConnector, status: ConnectorStatus) -> Any:
            await asyncio.sleep(0.5)
            return await write(resource, status)

        async def broken(*_: str, precondition: object) -> None:
            sent.append(now())
            raise errors.Conflict("set_state")

        op.kube.write_status = slowly  # type: ignore[method-assign]
        op.lenses.set_state = broken  # type: ignore[assignment]
        await op.deletes(seconds=60)
        assert len(sent) > 3
        assert all(later - before >= 1.0 for before, later in pairwise(sent))


@pytest.mark.parametrize("then", ["another operation", "an edit", "a deletion"])
async def test_two_resets_lie_a_second_apart_whoever_asks_for_them(then: str) -> None:
    async with offsets_operator() as op:
        await op.runs(deletionPolicy="DeleteWithOffsets", state="stopped")
        reset, sent = op.lenses.reset_offsets, list[float]()

        async def noted(*place: str, precondition: Precondition) -> str:
            sent.append(now())
            return await reset(*place, precondition=precondition)

        op.lenses.reset_offsets = noted  # type: ignore[assignment]
        op.offsets.apply(action="Reset")
        if then == "another operation":
            op.offsets.apply("later", action="Reset")
        await op.until_reason("Applied")
        if then == "an edit":
            op.offsets.apply()
            op.offsets.apply(action="Reset")
        elif then == "a deletion":
            op.kube.delete()
        await op.until(lambda: len(sent) == 2)
        assert 1.0 <= sent[1] - sent[0] < 3.0


async def test_an_operation_that_has_failed_is_not_asked_for_again_by_a_pass_that_began_before() -> None:
    async with offsets_operator() as op:
        await op.runs()
        op.lenses.fail("reset_offsets", errors.LicenceRequired("reset_offsets"))
        write, look = op.offsets.write_status, op.lenses.poll_connector
        op.offsets.latency = 1.5

        async def slowly(*what: Any) -> Any:
            await asyncio.sleep(3.0)
            return await look(*what)

        async def unanswered(resource: LensesConnectorOffsets, status: OffsetsStatus) -> Any:
            after = await write(resource, status)
            if status.ready is not None and status.ready.reason == "OffsetsRejected":
                op.lenses.poll_connector = slowly  # type: ignore[assignment]
                raise KubeError("status", 0, "connection lost")
            return after

        op.offsets.write_status = unanswered  # type: ignore[method-assign]
        await op.operates("OffsetsRejected", action="Reset")
        await asyncio.sleep(60)
        assert len(op.lenses.asked("reset_offsets")) == 1


async def test_a_failed_connector_that_could_not_be_paused_is_told_so_again(op: Operator) -> None:
    await op.applies()
    op.lenses.connectors[NAME].state = "FAILED"
    op.lenses.fail("set_state", errors.LensesUnreachable("set_state", reason="timeout"))
    await op.applies(seconds=60, state="paused")
    assert op.said() == ("True", "Paused", "Owned")


@pytest.mark.parametrize("mended", ["meanwhile", "afterwards", "never"])
async def test_what_create_refused_for_the_value_of_a_secret_is_tried_again_after_a_restart_once_that_is_another(
    lenses: FakeLenses,
    kube: FakeKube,
    mended: str,
) -> None:
    lenses.refuses = lambda config: config.get("password") == "wrong-hunter"
    secret(kube, "1", "wrong-hunter")
    async with operator(lenses, kube) as op:
        await op.applies()
        await op.applies(seconds=120, configFrom=[SOURCE])
        assert op.said() == ("False", "ConfigInvalid", "Owned")
        assert "password" not in lenses.connectors[NAME].config
    if mended == "meanwhile":
        secret(kube, "2", "good-hunter")
    lenses.calls.clear()
    async with operator(lenses, kube) as op:
        await asyncio.sleep(30)
        if mended == "afterwards":
            assert lenses.asked("delete_connector") == []
            secret(kube, "2", "good-hunter")
        await asyncio.sleep(400)
        if mended == "never":
            assert lenses.asked("delete_connector", "create_connector") == []
            assert op.said() == ("False", "ConfigInvalid", "Owned")
        else:
            assert op.said() == RUNNING
            assert lenses.connectors[NAME].config["password"] == "good-hunter"
            assert op.kube.status().refused_config is None


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
        await op.applies(config={"topic": "a"})
        lenses.refuses = lambda config: config["topic"] == "bad"
        await op.applies(seconds=1200, config={"topic": "bad"})
        assert lenses.lost == 1
        assert steps(lenses.calls).count("delete_connector orders") == 1
        assert op.held.config["topic"] == "a"
        assert op.said()[1] == "ConfigInvalid"
