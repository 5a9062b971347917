"""The wall's time as people read it: whole seconds, and always those of now."""

from __future__ import annotations

from datetime import UTC, datetime

from lenses_operator.controllers.clocks import WallClock


def test_it_follows_the_wall_in_whole_seconds_also_where_that_is_set_back() -> None:
    told = [0.0, 1.9, 2.0, 2.99, 3.0, 1.0, 1_800_000_000.5]
    seconds = iter(told)
    clock = WallClock(lambda: next(seconds))
    assert [clock() for _ in told] == [datetime.fromtimestamp(int(at), UTC) for at in told]
