"""A drift check whose answer is the one before, to the byte, costs no second thought; anything else gets one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from lenses_operator.domain.decide import Observe, Rest, decide
from lenses_operator.domain.references import RefData, RefName
from lenses_operator.resources.base import RECONCILE
from unit.controllers.fakes import NAME, RUNNING, Connector, Operator, Task, operator
from unit.controllers.support import annotate

pytestmark = pytest.mark.virtual_time

DRIFT = 60.0
SECRET = ("payments", RefName("Secret", "credentials"))
BY_SECRET = {"configFrom": [{"secretRef": {"name": "credentials"}}]}
WRITES = ("create_connector", "delete_connector", "put_resource", "set_state")


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every decision that was thought about."""
    made: list[Any] = []

    def recorded(situation: Any) -> Any:
        decision = decide(situation)
        if not isinstance(decision, Observe | Rest):
            made.append(decision)
        return decision

    monkeypatch.setattr("lenses_operator.controllers.connector.reconciler.decide", recorded)
    return made


async def calm(op: Operator, decided: list[Any], **spec: Any) -> None:
    """Until a drift check has passed without a decision."""
    op.kube.references[SECRET] = RefData("1", {"password": b"hunter"})
    await op.applies(seconds=5 * DRIFT, **spec)
    decided.clear()
    op.lenses.calls.clear()
    await asyncio.sleep(DRIFT)
    assert op.lenses.asked("get_connector") != []
    assert decided == []


@pytest.fixture
async def op() -> AsyncIterator[Operator]:
    async with operator(drift=DRIFT) as started:
        yield started


@pytest.mark.parametrize("spec", [{}, {"state": "paused"}, BY_SECRET], ids=["running", "paused", "with a Secret"])
async def test_an_answer_that_is_the_same_to_the_byte_is_enough(
    op: Operator, spec: dict[str, Any], decided: list[Any]
) -> None:
    await calm(op, decided, **spec)
    await asyncio.sleep(20 * DRIFT)
    assert len(decided) <= 2  # for the topics, and for the check after them
    assert len(op.lenses.asked("get_connector")) in (20, 21)
    assert op.lenses.asked(*WRITES) == []


async def test_topics_are_read_all_the_same_and_shown(op: Operator, decided: list[Any]) -> None:
    await calm(op, decided)
    op.lenses.topics = ["orders", "payments"]
    await asyncio.sleep(1800 + DRIFT)
    assert op.kube.status().topics == ("orders", "payments")
    assert len(op.lenses.asked("get_topics")) <= 2


def another_value(op: Operator) -> None:
    op.lenses.connectors[NAME].config["topic"] = "by hand"


def another_key(op: Operator) -> None:
    op.lenses.connectors[NAME].config["by-hand"] = "1"


def a_key_less(op: Operator) -> None:
    del op.lenses.connectors[NAME].config["topic"]


def another_secret(op: Operator) -> None:
    """Nothing wakes the key."""
    op.kube.references[SECRET] = RefData("2", {"password": b"hunter2"})


@pytest.mark.parametrize("change", [another_value, another_key, a_key_less, another_secret])
async def test_what_changed_is_put_right_at_the_next_check(
    op: Operator, change: Callable[[Operator], None], decided: list[Any]
) -> None:
    await calm(op, decided, config={"topic": "a"}, **BY_SECRET)
    change(op)
    await asyncio.sleep(DRIFT + 10)
    assert len(op.lenses.asked("create_connector")) == 1
    config = op.lenses.connectors[NAME].config
    assert (config["topic"], config["password"]) == ("a", op.kube.references[SECRET].data["password"].decode())
    assert "by-hand" not in config
    assert op.said() == RUNNING


async def test_the_version_of_a_secret_is_noted_though_its_value_is_the_same(op: Operator, decided: list[Any]) -> None:
    await calm(op, decided, **BY_SECRET)
    op.kube.references[SECRET] = RefData("2", {"password": b"hunter"})
    await asyncio.sleep(DRIFT + 10)
    applied = op.kube.applied()
    assert [secret.resource_version for secret in applied.secrets] == ["2"]
    assert op.lenses.asked(*WRITES) == []


async def test_a_secret_that_is_gone_is_said(op: Operator, decided: list[Any]) -> None:
    await calm(op, decided, **BY_SECRET)
    del op.kube.references[SECRET]
    await asyncio.sleep(DRIFT + 10)
    assert op.said()[1] == "ReferenceNotFound"
    op.kube.references[SECRET] = RefData("1", {"password": b"hunter"})
    await asyncio.sleep(2 * DRIFT)
    assert op.said() == RUNNING


async def test_what_the_list_shows_is_believed_before_an_answer_that_is_the_same(
    op: Operator, decided: list[Any]
) -> None:
    """Connect's own view of a failure may come late to the details."""
    await calm(op, decided)
    op.lenses.connectors[NAME].tasks = [Task(0, "FAILED", "boom")]
    await asyncio.sleep(20)
    assert op.said()[1] == "TaskFailed"
    op.lenses.connectors[NAME] = Connector(op.lenses.connectors[NAME].config)
    await asyncio.sleep(20)
    assert op.said() == RUNNING


async def test_a_connector_that_fails_gets_a_second_thought_each_time(op: Operator, decided: list[Any]) -> None:
    """Restarts are due by the clock."""
    await calm(op, decided)
    op.lenses.connectors[NAME].tasks = [Task(0, "FAILED", "boom")]
    await asyncio.sleep(5 * DRIFT)
    decided.clear()
    await asyncio.sleep(5 * DRIFT)
    assert len(decided) >= 5


async def test_a_connector_without_tasks_is_called_so_in_time(op: Operator, decided: list[Any]) -> None:
    await calm(op, decided)
    op.lenses.connectors[NAME].tasks = []
    await asyncio.sleep(5 * DRIFT)
    assert op.said()[1] == "NoTasks"


async def test_a_look_that_a_person_asks_for_is_a_whole_one(op: Operator, decided: list[Any]) -> None:
    await calm(op, decided)
    annotate(op, RECONCILE, "now")
    await asyncio.sleep(5)
    assert decided != []
    assert op.kube.status().last_handled_reconcile == "now"


async def test_an_edited_resource_is_looked_at_as_such(op: Operator, decided: list[Any]) -> None:
    await calm(op, decided, config={"topic": "a"})
    await op.applies(seconds=5, config={"topic": "b"})
    assert op.lenses.connectors[NAME].config["topic"] == "b"
    await op.deletes(seconds=10)
    assert NAME not in op.lenses.connectors
