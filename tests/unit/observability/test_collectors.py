"""What is read when Prometheus asks; a series goes with what it is about."""

from __future__ import annotations

import asyncio
import re
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lenses_operator.lenses import errors
from lenses_operator.lenses_state.pollers import PollerStatus
from lenses_operator.observability.collectors import SLICE as COUNTED
from lenses_operator.observability.conditions import SLICE
from unit.observability.full import LOOP_TIME, READY, Full, condition, connector
from unit.offsets.make import operation
from unit.ticking import ticks_during

LOST = errors.LensesUnreachable("list_connectors", reason="timeout")


@pytest.fixture
def full() -> Full:
    return Full()


def conditions(full: Full) -> list[tuple[str, ...]]:
    family = full.families().get("lenses_operator_resource_condition")
    assert family is None or all(sample.value == 1 for sample in family.samples)
    return [tuple(sample.labels.values()) for sample in family.samples] if family else []


def test_every_condition_of_every_resource() -> None:
    assert conditions(Full()) == [
        ("LensesConnector", "payments", "orders", "prod", "Ready", "False", "TaskFailed"),
        ("LensesConnector", "payments", "orders", "prod", "Stalled", "True", "TaskFailed"),
        ("LensesConnector", "payments", "payments", "prod", "Ready", "True", "Running"),
        ("LensesConnectorOffsets", "payments", "back", "prod", "Ready", "False", "ConnectorNotReady"),
    ]


def test_the_series_of_a_resource_go_with_it_and_change_with_it(full: Full) -> None:
    full.offsets.clear()
    full.connectors[:] = [connector("payments", "PAUSED", conditions=[condition("Ready", "True", "Paused")])]
    assert conditions(full) == [("LensesConnector", "payments", "payments", "prod", "Ready", "True", "Paused")]
    assert full.value("resources", kind="LensesConnector") == 1
    assert full.value("connectors", environment="prod", state="PAUSED") == 1
    assert full.value("connectors", environment="prod", state="RUNNING") is None
    assert full.value("tasks", environment="prod", state="RUNNING") is None


def test_an_operation_without_its_connector_is_of_no_environment(full: Full) -> None:
    full.connectors.clear()
    assert [labels[3] for labels in conditions(full)] == [""]


def test_connectors_and_tasks_by_state(full: Full) -> None:
    full.connectors += [
        connector("new", None),
        connector("odd", "DESTROYED", "DESTROYED"),
        connector("there", "RUNNING", "UNASSIGNED", environment="dev"),
    ]
    found = {
        name: {tuple(sample.labels.values()): sample.value for sample in full.families()[name].samples}
        for name in ("lenses_operator_connectors", "lenses_operator_tasks")
    }
    assert found == {
        "lenses_operator_connectors": {
            ("prod", "RUNNING"): 2,
            ("prod", "NONE"): 1,
            ("prod", "UNKNOWN"): 1,
            ("dev", "RUNNING"): 1,
        },
        "lenses_operator_tasks": {
            ("prod", "RUNNING"): 3,
            ("prod", "FAILED"): 1,
            ("prod", "UNKNOWN"): 1,
            ("dev", "UNASSIGNED"): 1,
        },
    }


def test_a_replica_that_waits_tells_nothing_of_resources(full: Full) -> None:
    full.working = False
    names = full.families().keys()
    assert not names & {f"lenses_operator_{name}" for name in ("resources", "connectors", "resource_condition")}
    assert full.value("workqueue_depth") == 3


def test_what_is_asked_for_by_name_is_all_that_is_told_and_as_it_is_told_among_all(full: Full) -> None:
    series = {line for line in full.exposition().decode().splitlines() if not line.startswith("#")}
    names = {re.split(r"[ {]", line)[0] for line in series}
    moving = {name for name in names if name.startswith(("process_", "lenses_operator_environment_last"))}
    for name in names - moving:
        told = full.exposition(name).decode().splitlines()
        assert {line for line in told if not line.startswith("#")} == {
            line for line in series if re.split(r"[ {]", line)[0] == name
        }
    assert full.exposition("nothing") == b""


def test_several_may_be_asked_for(full: Full) -> None:
    found = full.exposition("lenses_operator_leader", "lenses_operator_tasks", "nothing").decode()
    assert {family.name for family in text_string_to_metric_families(found)} == {
        "lenses_operator_leader",
        "lenses_operator_tasks",
    }


async def test_what_is_not_asked_for_costs_nothing() -> None:
    full = Full()
    full.connectors[:] = [connector(f"c-{number}", "RUNNING") for number in range(5 * COUNTED)]
    _, ticks = await ticks_during(full.metrics.exposition(frozenset({"lenses_operator_workqueue_depth"})))
    assert ticks <= 1


def test_environments(full: Full) -> None:
    assert full.value("environment_up", environment="prod", cluster="connect-eu") == 1
    assert full.value("environment_up", environment="dev", cluster="connect-eu") == 0
    assert full.value("environment_error", environment="dev", cluster="connect-eu", reason="Unauthorized") == 1
    assert full.value("environment_error", environment="prod", cluster="connect-eu", reason="LensesUnavailable") is None
    last = full.value("environment_last_poll_timestamp_seconds", environment="prod", cluster="connect-eu")
    assert last == pytest.approx(time.time() - 5, abs=60)
    assert full.value("environment_last_poll_timestamp_seconds", environment="dev", cluster="connect-eu") is None
    full.poller_statuses.clear()
    assert full.value("environment_up", environment="prod", cluster="connect-eu") is None


@pytest.mark.parametrize("backwards", [False, True])
def test_an_environment_is_up_when_one_token_sees_it_and_its_freshest_list_counts(full: Full, backwards: bool) -> None:
    full.poller_statuses = [
        PollerStatus("prod", "connect-eu", LOST, LOOP_TIME - 1, 15.0),
        PollerStatus("prod", "connect-eu", None, LOOP_TIME - 100, 500.0),
        PollerStatus("prod", "connect-eu", None, LOOP_TIME - 30, 30.0),
        PollerStatus("prod", "connect-eu", errors.Forbidden("list_connectors"), None, 15.0),
    ]
    if backwards:
        full.poller_statuses.reverse()
    assert full.value("environment_up", environment="prod", cluster="connect-eu") == 1
    assert full.value("environment_error", environment="prod", cluster="connect-eu", reason="LensesUnavailable") is None
    last = full.value("environment_last_poll_timestamp_seconds", environment="prod", cluster="connect-eu")
    assert last == pytest.approx(time.time() - 30, abs=20)
    every = full.value("environment_poll_interval_seconds", environment="prod", cluster="connect-eu")
    assert every == 500, "what the oldest view that is gone by may be"


def test_the_queue(full: Full) -> None:
    names = ("depth", "oldest_seconds", "adds_total", "longest_running_processor_seconds")
    assert [full.value(f"workqueue_{name}") for name in names] == [3, 1.5, 7, 0.5]
    assert (full.value("active_workers"), full.value("max_concurrent_reconciles")) == (2, 64)


def test_messages_never_become_labels(full: Full) -> None:
    full.offsets.append(operation("other", status={"conditions": [READY]}))
    assert b"planted" not in full.exposition()


def test_whatever_an_environment_is_called(full: Full) -> None:
    odd = 'a "b" \\ \n c\\n é'
    full.connectors[:] = [connector("orders", "RUNNING", environment=odd)]
    assert [labels[3] for labels in conditions(full)] == [odd, odd], "its offsets too"


def test_a_new_object_of_the_same_name_is_not_taken_for_the_old_one(full: Full) -> None:
    full.offsets.clear()
    conditions(full)
    full.connectors[:] = [connector("orders", "RUNNING", environment="dev")]
    assert conditions(full) == [("LensesConnector", "payments", "orders", "dev", "Ready", "True", "Running")]


async def test_others_have_their_turn_while_the_conditions_of_many_are_told() -> None:
    """All at once they would hold the event loop for longer than anything else at 5,000 resources."""
    full = Full()
    full.connectors[:] = [connector(f"c-{number}", "RUNNING") for number in range(5 * SLICE)]
    body, ticks = await ticks_during(full.metrics.exposition())
    assert ticks >= 5
    assert body.count(b"lenses_operator_resource_condition{") == 5 * SLICE + 1


async def test_what_goes_meanwhile_leaves_nothing_behind() -> None:
    full = Full()
    full.connectors[:] = [connector(f"c-{number}", "RUNNING") for number in range(2 * SLICE)]
    telling = asyncio.create_task(full.lines())
    await asyncio.sleep(0)
    full.connectors.clear()
    assert 'name="c-0"' in await telling
    assert 'name="c-0"' not in await full.lines()


async def test_others_have_their_turn_while_many_are_counted() -> None:
    full = Full()
    full.connectors[:] = [connector(f"c-{number}", "RUNNING") for number in range(5 * COUNTED)]
    _, ticks = await ticks_during(full.counting())
    assert ticks >= 5
    assert b'lenses_operator_resources{kind="LensesConnector"} 5000.0' in await full.metrics.exposition()
