"""The rows of the conditions table, and words a person can act on."""

from __future__ import annotations

from typing import Any

import pytest

from lenses_operator.domain import conditions
from lenses_operator.domain.conditions import NO_TASKS_GRACE, of_connector
from lenses_operator.domain.drift import Difference
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.situation import Refusal
from lenses_operator.lenses.models import Task
from lenses_operator.resources.conditions import Phase, Verdict
from lenses_operator.resources.connector import ConnectorKey, WantedState
from unit.domain.seen import detailed, listed, tasks

KEY = ConnectorKey("prod", "connect-eu", "orders")
SETTLED, RECONCILING, STALLED = Phase.SETTLED, Phase.RECONCILING, Phase.STALLED
TRACE = "ConnectException: outer\n\tat x\nCaused by: S3Exception: Access Denied\n\tat y"


def row(verdict: Verdict) -> tuple[str, str, Phase]:
    return verdict.ready, str(verdict.reason), verdict.phase


@pytest.mark.parametrize(
    ("wanted", "state", "states", "without", "expected"),
    [
        ("running", "RUNNING", ("RUNNING",), 0, ("True", "Running", SETTLED)),
        ("running", "RUNNING", ("RUNNING", "RUNNING"), 0, ("True", "Running", SETTLED)),
        ("running", "RUNNING", ("RUNNING", "UNASSIGNED"), 0, ("Unknown", "Progressing", RECONCILING)),
        ("running", "RUNNING", ("RUNNING", "PAUSED"), 0, ("Unknown", "Progressing", RECONCILING)),
        ("running", "RUNNING", ("RUNNING", ""), 0, ("Unknown", "Progressing", RECONCILING)),
        ("running", "UNASSIGNED", ("RUNNING",), 0, ("Unknown", "Progressing", RECONCILING)),
        ("running", "RESTARTING", ("RUNNING",), 0, ("Unknown", "Progressing", RECONCILING)),
        ("running", "PAUSED", ("PAUSED",), 0, ("Unknown", "Progressing", RECONCILING)),
        ("running", "STOPPED", (), 999, ("Unknown", "Progressing", RECONCILING)),
        ("running", "RUNNING", (), 0, ("Unknown", "Progressing", RECONCILING)),
        ("running", "RUNNING", (), NO_TASKS_GRACE - 0.1, ("Unknown", "Progressing", RECONCILING)),
        ("running", "RUNNING", (), NO_TASKS_GRACE, ("False", "NoTasks", RECONCILING)),
        ("running", "UNASSIGNED", (), 999, ("Unknown", "Progressing", RECONCILING)),
        ("running", "RUNNING", ("RUNNING", "FAILED"), 0, ("False", "TaskFailed", STALLED)),
        ("running", "UNASSIGNED", ("FAILED",), 0, ("False", "TaskFailed", STALLED)),
        ("running", "FAILED", ("RUNNING",), 0, ("False", "ConnectorFailed", STALLED)),
        ("running", "FAILED", ("FAILED",), 0, ("False", "ConnectorFailed", STALLED)),
        ("running", "FAILED", (), 0, ("False", "ConnectorFailed", STALLED)),
        ("running", None, ("RUNNING",), 0, ("Unknown", "StateUnknown", RECONCILING)),
        ("running", "DESTROYED", (), 0, ("Unknown", "StateUnknown", RECONCILING)),
        ("running", "DESTROYED", ("FAILED",), 0, ("Unknown", "StateUnknown", RECONCILING)),
        ("paused", None, (), 0, ("Unknown", "StateUnknown", RECONCILING)),
        ("paused", "PAUSED", ("PAUSED",), 0, ("True", "Paused", SETTLED)),
        ("paused", "PAUSED", ("FAILED",), 0, ("True", "Paused", SETTLED)),
        ("paused", "PAUSED", (), 999, ("True", "Paused", SETTLED)),
        ("paused", "PAUSED", ("RUNNING",), 0, ("Unknown", "Progressing", RECONCILING)),
        ("paused", "RUNNING", ("RUNNING",), 0, ("Unknown", "Progressing", RECONCILING)),
        ("paused", "STOPPED", (), 0, ("Unknown", "Progressing", RECONCILING)),
        ("stopped", "STOPPED", (), 999, ("True", "Stopped", SETTLED)),
        ("stopped", "STOPPED", ("RUNNING",), 0, ("Unknown", "Progressing", RECONCILING)),
        ("stopped", "PAUSED", (), 0, ("Unknown", "Progressing", RECONCILING)),
    ],
)
def test_an_owned_connector(
    wanted: str, state: str | None, states: tuple[str, ...], without: float, expected: tuple[str, str, Phase]
) -> None:
    observed = listed(state, tasks(*states))
    assert row(of_connector(observed, WantedState(wanted), without_tasks=without)) == expected


def test_running_says_how_many() -> None:
    verdict = of_connector(listed("RUNNING", tasks("RUNNING", "RUNNING")), WantedState.RUNNING)
    assert verdict.message == "2 of 2 tasks running."


def test_waiting_says_how_many() -> None:
    verdict = of_connector(listed("RUNNING", tasks("RUNNING", "UNASSIGNED", "UNASSIGNED")), WantedState.RUNNING)
    assert "RUNNING; 1 of 3 tasks running." in verdict.message


def failed(trace: str | None = TRACE) -> tuple[Task, ...]:
    return (
        Task(id=0, state="RUNNING"),
        Task(id=3, state="FAILED", trace=None),
        Task(id=7, state="FAILED", trace=trace),
    )


def test_failed_tasks_are_named_with_their_cause_and_what_to_do() -> None:
    message = of_connector(detailed("RUNNING", failed()), WantedState.RUNNING).message
    assert "2 of 3 tasks failed (tasks 3, 7): S3Exception: Access Denied." in message
    assert "connect.lenses.io/restart" in message


def test_without_a_trace_nothing_is_invented() -> None:
    message = of_connector(detailed("RUNNING", failed(None)), WantedState.RUNNING).message
    assert "2 of 3 tasks failed (tasks 3, 7). See" in message


def test_a_failed_connector_names_its_failed_tasks_and_a_cause() -> None:
    message = of_connector(detailed("FAILED", failed()), WantedState.RUNNING).message
    assert message.startswith("The connector itself failed (tasks 3, 7 too): S3Exception: Access Denied.")
    alone = of_connector(listed("FAILED", ()), WantedState.RUNNING).message
    assert alone.startswith("The connector itself failed. Its own error is in")


def test_paused_with_a_failed_task_names_it() -> None:
    verdict = of_connector(listed("PAUSED", tasks("PAUSED", "FAILED")), WantedState.PAUSED)
    assert "Failed: task 1." in verdict.message


def test_held_with_a_new_configuration_says_that_it_waits() -> None:
    waiting = Difference(changed=("topic",))
    verdict = of_connector(listed("STOPPED", ()), WantedState.STOPPED, waiting=waiting)
    assert row(verdict) == ("True", "Stopped", SETTLED)
    assert "A new configuration (changed topic) waits" in verdict.message


def test_still_running_tasks_are_counted() -> None:
    verdict = of_connector(listed("STOPPED", tasks("RUNNING", "STOPPED")), WantedState.STOPPED)
    assert "1 of its tasks still running" in verdict.message


def test_an_unknown_word_is_quoted() -> None:
    assert "DESTROYED" in of_connector(listed("DESTROYED"), WantedState.RUNNING).message


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (conditions.creating(KEY), ("Unknown", "Progressing", RECONCILING)),
        (conditions.progressing("x"), ("Unknown", "Progressing", RECONCILING)),
        (conditions.refused(Refusal("h", "ConfigInvalid", "x", 1)), ("False", "ConfigInvalid", STALLED)),
        (conditions.refused(Refusal("h", "PluginNotFound", "x", 1)), ("False", "PluginNotFound", STALLED)),
        (conditions.config_invalid("x"), ("False", "ConfigInvalid", STALLED)),
        (conditions.conflict("x"), ("False", "Conflict", STALLED)),
        (conditions.not_adopted(KEY, Difference(extra=("x",))), ("False", "NotAdopted", STALLED)),
        (conditions.deleting("x"), ("False", "Deleting", RECONCILING)),
    ],
)
def test_the_other_situations(verdict: Verdict, expected: tuple[str, str, Phase]) -> None:
    assert row(verdict) == expected


def test_not_adopted_lists_the_keys() -> None:
    message = conditions.not_adopted(KEY, Difference(("a",), ("b",), ("c",))).message
    assert "changed a; missing b; unwanted c" in message
    assert str(KEY) in message


def test_a_blocked_deletion_says_what_blocks_and_the_exact_command_that_lets_go() -> None:
    problem = Verdict(ready="False", reason="Unauthorized", message="token refused.", phase=STALLED)
    verdict = conditions.deletion_blocked(KEY, "payments", "orders-s3", problem)
    assert row(verdict) == ("False", "DeletionBlocked", RECONCILING)
    assert "(Unauthorized: token refused)" in verdict.message
    assert verdict.message.endswith(
        "kubectl patch lensesconnector orders-s3 -n payments --type=merge "
        """-p '{"spec":{"deletionPolicy":"Retain"}}'"""
    )


@pytest.mark.parametrize("observed", [Observed.absent(), listed("RUNNING"), listed(None)])
def test_every_message_is_a_sentence(observed: Any) -> None:
    for wanted in WantedState:
        message = of_connector(observed, wanted).message
        assert message[0].isupper() or message[0].isdigit()
        assert message.endswith(".")
