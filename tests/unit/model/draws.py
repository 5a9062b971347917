"""How Lenses may be and how it may mislead, as hypothesis draws it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from doubles.hostile import SWITCHES
from doubles.incarnation import Habits

CONNECTORS = ("orders", "bills")
lies = st.lists(
    st.one_of(*(st.tuples(st.just(name), st.sampled_from(values)) for name, values in sorted(SWITCHES.items()))),
    min_size=1,
    max_size=4,
    unique_by=lambda way: way[0],
).map(tuple)
_habits = st.builds(
    Habits,
    password=st.sampled_from(["shown", "masked", "hidden"]),
    rewrites=st.booleans(),
    adds=st.booleans(),
    takes=st.sampled_from([0.0, 0.3, 2.0]),
    lag=st.sampled_from([0.0, 1.5]),
)


def all_habits(draw: st.DrawFn) -> dict[str, Habits]:
    """Whether there is writing in place is Lenses' own affair."""
    in_place = draw(st.booleans())
    return {name: replace(draw(_habits), in_place=in_place) for name in CONNECTORS}
