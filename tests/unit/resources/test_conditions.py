"""Conditions as kstatus reads them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenses_operator.resources.conditions import MESSAGE_LIMIT, Phase, Verdict, shorten
from lenses_operator.resources.text import plain
from unit.resources.make import NOW, verdict

LATER = NOW + timedelta(minutes=5)
VERDICTS = st.builds(
    verdict,
    ready=st.sampled_from(["True", "False", "Unknown"]),
    reason=st.sampled_from(["Running", "TaskFailed"]),
    phase=st.sampled_from(Phase),
)


@pytest.mark.parametrize(
    ("phase", "types"),
    [
        (Phase.SETTLED, ["Ready"]),
        (Phase.RECONCILING, ["Ready", "Reconciling"]),
        (Phase.STALLED, ["Ready", "Stalled"]),
    ],
)
def test_ready_always_and_at_most_one_beside_it(phase: Phase, types: list[str]) -> None:
    found = verdict(phase=phase).conditions(1, NOW, ())
    assert [condition.type for condition in found] == types
    assert all(condition.status == "True" for condition in found[1:])


@given(st.lists(VERDICTS, min_size=1))
def test_never_reconciling_and_stalled_at_once_and_neither_unless_true(said: list[Verdict]) -> None:
    found: tuple[object, ...] = ()
    for step, one in enumerate(said):
        conditions = one.conditions(step, NOW + timedelta(minutes=step), found)  # type: ignore[arg-type]
        types = [condition.type for condition in conditions]
        assert types[0] == "Ready"
        assert types[1:] == ([one.phase.value] if one.phase.value else [])
        assert all(condition.observed_generation == step for condition in conditions)
        found = conditions


def test_the_transition_time_moves_with_the_status_and_with_nothing_else() -> None:
    first = verdict(ready="False", reason="TaskFailed", message="a", phase=Phase.STALLED).conditions(1, NOW, ())
    same = verdict(ready="False", reason="ConnectorFailed", message="b", phase=Phase.STALLED).conditions(
        2, LATER, first
    )
    assert [condition.last_transition_time for condition in same] == [NOW, NOW]
    assert same[0].reason == "ConnectorFailed"
    moved = verdict(ready="True").conditions(3, LATER, same)
    assert [condition.last_transition_time for condition in moved] == [LATER]


def test_a_condition_that_comes_back_begins_anew() -> None:
    first = verdict(ready="Unknown", phase=Phase.RECONCILING).conditions(1, NOW, ())
    gone = verdict(ready="Unknown", phase=Phase.SETTLED).conditions(1, NOW, first)
    back = verdict(ready="Unknown", phase=Phase.RECONCILING).conditions(1, LATER, gone)
    assert {condition.type: condition.last_transition_time for condition in back} == {
        "Ready": NOW,
        "Reconciling": LATER,
    }


def test_both_carry_reason_and_message() -> None:
    said = verdict(ready="False", reason="Conflict", message="why", phase=Phase.STALLED)
    assert {(c.reason, c.message) for c in said.conditions(1, NOW, ())} == {("Conflict", "why")}


def test_a_message_is_short_enough_to_store() -> None:
    message = verdict(message="x" * 40_000).conditions(1, NOW, ())[0].message
    assert len(message) == MESSAGE_LIMIT
    assert message.endswith("x…")


@given(st.text(), st.integers(1, 50))
def test_shortening_never_exceeds_the_limit_and_leaves_short_texts_alone(text: str, limit: int) -> None:
    text = plain(text)
    short = shorten(text, limit)
    assert len(short) <= limit
    assert (short == text) == (len(text) <= limit) or text.endswith("…")


def test_another_request_id_is_no_other_message() -> None:
    first = verdict(message="No answer (request id 0190-a). Wait.").conditions(1, NOW, ())
    again = verdict(message="No answer (request id 0190-b). Wait.").conditions(1, LATER, first)
    assert again == first
    other = verdict(message="Not found (request id 0190-c). Wait.").conditions(1, LATER, first)
    assert [condition.message for condition in other] == ["Not found (request id 0190-c). Wait."]


def test_a_verdict_that_repeats_another() -> None:
    first = verdict(message="No (request id a)")
    assert verdict(message="No (request id b)").repeats(first)
    assert not verdict(message="No (request id b)", reason="TaskFailed").repeats(first)
    assert not verdict(message="Yes (request id a)").repeats(first)
    assert not first.repeats(None)
