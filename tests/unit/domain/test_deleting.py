"""What releases a finalizer: an accepted DELETE and its absence, or two denials half a minute apart."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenses_operator.domain.deleting import (
    ABSENCE,
    DELETE_AGAIN,
    HIDDEN,
    Await,
    Delete,
    Deleting,
    Release,
    ResetOffsets,
    StopFirst,
    decide_deletion,
)
from lenses_operator.domain.observed import Observed
from unit.domain.seen import listed, tasks

ABSENT = Observed.absent()
BEGUN = Deleting(0.0)
ONCE = BEGUN.denied(1.0).looked(ABSENT, 2.0)
TWICE = ONCE.denied(2.0 + ABSENCE).looked(ABSENT, 3.0 + ABSENCE)


@pytest.mark.parametrize(
    ("observed", "so_far", "now", "expected"),
    [
        pytest.param(listed(), BEGUN, 0, Delete(), id="there"),
        pytest.param(ABSENT, BEGUN, 0, Delete(), id="not shown: asked for all the same"),
        pytest.param(listed(), BEGUN.accepted(0), 1, Await(0.0), id="there, DELETE accepted just now"),
        pytest.param(listed(), BEGUN.accepted(0), DELETE_AGAIN, Delete(), id="there for too long: asked again"),
        pytest.param(ABSENT, BEGUN.accepted(0), 1, Release("gone"), id="gone after our own DELETE"),
        pytest.param(ABSENT, BEGUN.denied(1), 1, Delete(), id="denied, and not looked at since"),
        pytest.param(ABSENT, ONCE, 3, Await(ABSENCE - 1), id="one proof"),
        pytest.param(ABSENT, ONCE, 2 + ABSENCE, Delete(), id="one proof, half a minute old: asked again"),
        pytest.param(ABSENT, TWICE, 3 + ABSENCE, Release("not-found"), id="two proofs"),
    ],
)
def test_deletion(observed: Observed, so_far: Deleting, now: float, expected: Any) -> None:
    assert decide_deletion(observed, so_far, now=now, with_offsets=False) == expected


def test_a_second_look_is_no_second_denial() -> None:
    assert decide_deletion(ABSENT, ONCE.looked(ABSENT, 100.0), now=100.0, with_offsets=False) == Delete()


def test_what_is_seen_again_begins_everything_anew() -> None:
    assert TWICE.looked(listed(), 50.0) == Deleting(0.0)
    gone = BEGUN.accepted(1.0).looked(ABSENT, 2.0)
    assert gone.looked(listed(), 3.0).accepted_at is None, "another one, for which nothing was accepted"
    assert BEGUN.accepted(1.0).looked(listed(), 2.0).accepted_at == 1.0, "on its way out"


@pytest.mark.parametrize(
    ("observed", "so_far", "now", "expected"),
    [
        (listed(), BEGUN, 0, StopFirst()),
        (listed("STOPPED", tasks("RUNNING")), BEGUN, 0, Await(0.0)),
        (listed("STOPPED", ()), BEGUN, 0, ResetOffsets()),
        (listed("STOPPED", ()), Deleting(0.0, offsets_reset=True), 0, Delete()),
        (ABSENT, BEGUN.looked(ABSENT, 0.0), 5, Await(HIDDEN - 5)),
        (ABSENT, BEGUN.looked(ABSENT, 0.0), HIDDEN, Delete()),
    ],
)
def test_with_offsets(observed: Observed, so_far: Deleting, now: float, expected: Any) -> None:
    assert decide_deletion(observed, so_far, now=now, with_offsets=True) == expected


STEPS = st.lists(st.tuples(st.floats(0.1, 40.0), st.sampled_from(["accepted", "denied", "unclear", "seen", "unseen"])))


@given(STEPS, st.booleans())
def test_nothing_is_released_without_our_own_delete(steps: list[tuple[float, str]], with_offsets: bool) -> None:
    so_far, now, accepted, denials, observed = Deleting(0.0), 0.0, False, 0, ABSENT
    for seconds, step in steps:
        now += seconds
        match step:
            case "accepted":
                so_far, accepted = so_far.accepted(now), True
            case "denied":
                so_far, denials = so_far.denied(now), denials + 1
            case "seen" | "unseen":
                observed = listed() if step == "seen" else ABSENT
                denials = 0 if step == "seen" else denials
                so_far = so_far.looked(observed, now)
        match decide_deletion(observed, so_far, now=now, with_offsets=with_offsets):
            case Release(why="gone"):
                assert accepted
                assert not observed.present
            case Release(why="not-found"):
                assert denials >= 2
                assert not observed.present
