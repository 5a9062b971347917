"""How often each list is asked for, and whose turn it is."""

from __future__ import annotations

import pytest

from lenses_operator.domain.polling import (
    BURST,
    REGULAR,
    URGENT_AT_MOST,
    Allowance,
    stretched,
    urgent_next,
    while_lost,
)


@pytest.mark.parametrize(
    ("lists", "seconds"),
    [(0, 15), (1, 15), (135, 15), (270, 30), (5000, 5000 / 9)],
)
def test_the_interval_is_stretched_where_the_lists_are_too_many(lists: int, seconds: float) -> None:
    assert stretched(15, lists, 10) == pytest.approx(seconds)
    assert lists / stretched(15, lists, 10) <= REGULAR * 10 + 1e-9


@pytest.mark.parametrize(("lost", "seconds"), [(0, 15), (1, 15), (4, 60), (1000, 500)])
def test_an_environment_that_is_down_is_asked_about_once_in_the_interval(lost: int, seconds: float) -> None:
    assert while_lost(15, lost, 500) == seconds


def test_where_nothing_is_stretched_a_lost_list_is_asked_for_as_any_other() -> None:
    assert while_lost(15, 20, 15) == 15


def test_an_allowance_is_spent_and_comes_again_and_never_grows_beyond_a_burst() -> None:
    left = Allowance.full(10, now=100)
    for _ in range(int(BURST * 10)):
        assert left.ready
        left = left.without_one()
    assert not left.ready
    assert left.wait == pytest.approx(0.1)
    assert left.later(100.1).ready
    assert left.later(1e6).left == BURST * 10


def test_less_than_one_a_second_is_one_now_and_then() -> None:
    left = Allowance.full(0.1, now=0).without_one()
    assert not left.later(9.9).ready
    assert left.later(10).ready


def test_what_is_urgent_comes_first_and_never_alone() -> None:
    assert not urgent_next(urgent=False, regular=True, in_a_row=0)
    assert urgent_next(urgent=True, regular=False, in_a_row=1000)
    in_a_row, turns = 0, []
    for _ in range(2 * (URGENT_AT_MOST + 1)):
        turn = urgent_next(urgent=True, regular=True, in_a_row=in_a_row)
        in_a_row = in_a_row + 1 if turn else 0
        turns.append(turn)
    assert turns == 2 * [*URGENT_AT_MOST * [True], False]
