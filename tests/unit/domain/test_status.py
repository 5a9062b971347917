"""The next status: what was seen stays, what is not ours never shows, and nothing changes where nothing did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenses_operator.domain.observed import Observed
from lenses_operator.domain.status import Report, next_status, shows_the_same, summary
from lenses_operator.domain.traces import TRACE_LIMIT
from lenses_operator.lenses.models import Task
from lenses_operator.resources.conditions import Phase
from lenses_operator.resources.connector import ConnectorStatus, LensesConnector, Ownership, OwnershipState
from unit.domain.seen import applied, detailed, listed, tasks
from unit.resources.make import NOW, resource, verdict

LATER = NOW + timedelta(hours=1)
OWNED = OwnershipState.OWNED
FAILED = Task(id=0, state="FAILED", worker_id="w1:8083", trace="Boom\nCaused by: Bang")


def report(observed: Observed | None = None, **changes: Any) -> Report:
    base: dict[str, Any] = {"verdict": verdict(), "ownership": OWNED, "observed": observed, "applied": applied()}
    return Report(**(base | changes))


def after(status: ConnectorStatus, **changes: Any) -> LensesConnector:
    return resource(**changes).model_copy(update={"status": status})


def settled() -> LensesConnector:
    first = next_status(resource(), report(detailed(tasks=(FAILED,)), topics=("b", "a")), NOW)
    return after(first)


def test_details_are_shown_whole() -> None:
    status = settled().status
    assert (status.state, status.type, status.version, status.worker_id, status.lrn) == (
        "RUNNING",
        "source",
        "4.3.1",
        "w1:8083",
        "lrn:1",
    )
    assert status.tasks[0].model_dump() == {
        "id": 0,
        "state": "FAILED",
        "worker_id": "w1:8083",
        "error": "Boom\nCaused by: Bang",
    }
    assert status.tasks_summary == "0/1"
    assert status.topics == ("a", "b")
    assert status.observed_generation == 1


def test_what_was_seen_stays_while_lenses_is_silent() -> None:
    before = settled()
    said = verdict(ready="Unknown", reason="LensesUnavailable", message="silent", phase=Phase.RECONCILING)
    status = next_status(before, report(None, verdict=said), LATER)
    assert status.model_copy(update={"conditions": ()}) == before.status.model_copy(update={"conditions": ()})
    assert status.ready is not None
    assert status.ready.reason == "LensesUnavailable"


def test_the_list_keeps_worker_and_error_from_the_last_details() -> None:
    status = next_status(settled(), report(listed(tasks=tasks("FAILED", "RUNNING"))), LATER)
    assert status.worker_id == "w1:8083"
    assert status.version == "4.3.1"
    assert [(task.worker_id, task.error) for task in status.tasks] == [
        ("w1:8083", "Boom\nCaused by: Bang"),
        (None, None),
    ]


def test_a_task_in_another_state_has_neither() -> None:
    status = next_status(settled(), report(listed(tasks=tasks("RUNNING"))), LATER)
    assert (status.tasks[0].worker_id, status.tasks[0].error) == (None, None)


def test_a_trace_beside_a_task_that_did_not_fail_is_no_error() -> None:
    status = next_status(resource(), report(detailed(tasks=(Task(id=0, state="RUNNING", trace="old"),))), NOW)
    assert status.tasks[0].error is None


def test_a_trace_is_cut() -> None:
    long = Task(id=0, state="FAILED", trace="€" * 2000)
    error = next_status(resource(), report(detailed(tasks=(long,))), NOW).tasks[0].error
    assert error is not None
    assert TRACE_LIMIT - 10 < len(error.encode()) <= TRACE_LIMIT


def test_tasks_come_in_order_of_id() -> None:
    shown = tuple(Task(id=number, state="RUNNING") for number in (10, 2, 0))
    assert [task.id for task in next_status(resource(), report(listed(tasks=shown)), NOW).tasks] == [0, 2, 10]


@pytest.mark.parametrize("state", [None, ""])
def test_a_state_that_cannot_be_read_is_unknown(state: str | None) -> None:
    assert next_status(settled(), report(listed(state)), LATER).state == "UNKNOWN"


def test_nothing_of_a_connector_that_is_gone_stays() -> None:
    status = next_status(settled(), report(Observed.absent()), LATER)
    assert seen_of(status) == [None, None, None, None, None, (), None, None]


@pytest.mark.parametrize("observed", [None, detailed()])
@pytest.mark.parametrize("state", [OwnershipState.CONFLICT, OwnershipState.NOT_ADOPTED])
def test_nothing_of_a_connector_that_is_not_ours_is_shown(state: OwnershipState, observed: Observed | None) -> None:
    status = next_status(settled(), report(observed, ownership=state, hide=True, topics=("planted",)), LATER)
    assert seen_of(status) == [None, None, None, None, None, (), None, None]
    assert status.applied_config is None
    assert "orders" not in str(status.to_wire())


def seen_of(status: ConnectorStatus) -> list[object]:
    return [
        status.state,
        status.type,
        status.version,
        status.worker_id,
        status.lrn,
        status.tasks,
        status.tasks_summary,
        status.topics,
    ]


def test_topics_stay_until_they_are_read_again() -> None:
    assert next_status(settled(), report(detailed()), LATER).topics == ("a", "b")
    assert next_status(settled(), report(detailed(), topics=()), LATER).topics == ()


def test_ownership_is_dated_when_it_moves_and_only_then() -> None:
    before = settled()
    assert before.status.ownership.since == NOW
    assert next_status(before, report(detailed()), LATER).ownership.since == NOW
    moved = next_status(before, report(detailed(), ownership=OwnershipState.NONE), LATER).ownership
    assert (moved.state, moved.since) == (OwnershipState.NONE, LATER)


def test_the_generation_is_the_one_that_was_looked_at() -> None:
    status = next_status(after(settled().status, generation=5), report(detailed()), LATER)
    assert status.observed_generation == 5
    assert {condition.observed_generation for condition in status.conditions} == {5}


TASKS = st.lists(
    st.builds(
        Task,
        id=st.integers(0, 5),
        state=st.sampled_from(["RUNNING", "FAILED", "UNASSIGNED", ""]),
        worker_id=st.sampled_from([None, "w1", "w2"]),
        trace=st.one_of(st.none(), st.text(max_size=40)),
    ),
    unique_by=lambda task: task.id,
).map(tuple)
STATES = st.sampled_from([None, "", "RUNNING", "PAUSED", "DESTROYED"])
REPORTS = st.builds(
    report,
    st.one_of(
        st.none(),
        st.just(Observed.absent()),
        st.builds(listed, STATES, TASKS),
        st.builds(detailed, STATES, TASKS),
    ),
    verdict=st.builds(
        verdict,
        ready=st.sampled_from(["True", "False", "Unknown"]),
        reason=st.sampled_from(["Running", "Progressing"]),
        phase=st.sampled_from(Phase),
    ),
    ownership=st.sampled_from(OwnershipState),
    applied=st.sampled_from([None, applied(), applied(added=("x",))]),
    topics=st.sampled_from([None, (), ("b", "a")]),
    hide=st.booleans(),
)


@given(REPORTS, REPORTS)
def test_the_same_report_again_changes_nothing(first: Report, second: Report) -> None:
    once = next_status(after(next_status(resource(), first, NOW)), second, LATER)
    assert next_status(after(once), second, LATER + timedelta(hours=1)) == once


@given(REPORTS)
def test_a_status_comes_back_from_the_api_server_as_it_was_written(some: Report) -> None:
    status = next_status(resource(), some, NOW)
    assert ConnectorStatus.model_validate(status.to_wire()) == status


def test_nothing_that_is_not_known_is_written() -> None:
    wire = next_status(resource(), report(None, applied=None), NOW).to_wire()
    assert set(wire) == {"observedGeneration", "conditions", "ownership"}
    assert wire["ownership"] == {"state": "Owned", "since": "2026-03-01T12:00:00Z"}


def test_a_claim_given_back_is_told_in_full() -> None:
    given_back = ConnectorStatus(ownership=Ownership(state=OwnershipState.NONE, since=NOW))
    assert given_back.to_wire()["ownership"] == {"state": "None", "since": "2026-03-01T12:00:00Z"}


@pytest.mark.parametrize(
    ("states", "text"), [((), "0/0"), (("RUNNING", "FAILED", "RUNNING"), "2/3"), (("PAUSED",), "0/1")]
)
def test_the_summary_is_running_of_existing(states: tuple[str, ...], text: str) -> None:
    assert summary(tasks(*states)) == text


@pytest.mark.parametrize(
    ("observed", "same"),
    [
        (listed("RUNNING", tasks("FAILED")), True),
        (listed("PAUSED", tasks("FAILED")), False),
        (listed("RUNNING", tasks("RUNNING")), False),
        (listed("RUNNING", tasks("FAILED", "RUNNING")), False),
        (listed("RUNNING", ()), False),
        (listed(None, tasks("FAILED")), False),
    ],
)
def test_the_list_is_enough_where_it_shows_what_status_says(observed: Observed, same: bool) -> None:
    assert shows_the_same(settled().status, observed) is same
