"""What stays is in no round of the collector's; what is given up is freed all the same."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from lenses_operator.garbage import STEP, LongLived


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


class Held:
    """As a resource is: kept by whoever holds it, and by nothing in a circle."""


def frozen(counts: list[int]) -> list[int]:
    """Which of these, one after the other, have had all there was taken out of the rounds."""
    long_lived, found = LongLived(), []
    for count in counts:
        gc.unfreeze()
        long_lived.holds(count)
        if gc.get_freeze_count():
            found.append(count)
    return found


def test_by_steps_as_it_grows() -> None:
    assert frozen(list(range(4 * STEP))) == [STEP, 2 * STEP, 3 * STEP]
    assert frozen([1000, 1000 + STEP // 2, 1000 + 3 * STEP // 2]) == [1000, 1000 + 3 * STEP // 2]


def test_never_where_nothing_grows() -> None:
    assert frozen([5000, *[5001 - STEP, 5000] * 100, *range(5000, 4000, -1)]) == [5000]
    assert frozen(list(range(STEP))) == []


def test_again_after_most_has_gone() -> None:
    assert frozen([5000, 10, 5000]) == [5000, 5000]


def test_what_is_listed_at_the_start_counts() -> None:
    long_lived = LongLived()
    long_lived.listed(1000)
    assert gc.get_freeze_count()
    gc.unfreeze()
    long_lived.holds(1000 + STEP - 1)
    assert not gc.get_freeze_count()
    long_lived.holds(1000 + STEP)
    assert gc.get_freeze_count()


def test_garbage_is_gone_before() -> None:
    circle = Held()
    setattr(circle, "itself", circle)  # noqa: B010 - of a class that knows of none
    gone = weakref.ref(circle)
    gc.collect(1)  # it has survived a round
    del circle
    LongLived().holds(1000)
    assert gone() is None


def test_what_is_given_up_is_freed() -> None:
    held = [Held() for _ in range(10)]
    gone = [weakref.ref(one) for one in held]
    LongLived().holds(1000)
    assert not any(isinstance(one, Held) for one in gc.get_objects())
    held.clear()
    assert [one() for one in gone] == [None] * 10
