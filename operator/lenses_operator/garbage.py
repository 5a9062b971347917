"""Python's garbage collector: a round of it holds up everything for as long as it takes to go through its objects.

So a round is of few objects, and what stays by the thousand, resources and what the lists of Lenses say, is in none.
"""

from __future__ import annotations

import gc

YOUNG = 3_000
"""Objects made between two rounds: at Python's 700 they take a good part of a start's time, at 10,000 one held the
event loop for 20 ms."""
MIDDLING, OLD = 5, 80
"""Rounds after which those that have survived one are gone through too, and rounds of these after which all are."""
STEP = 100
"""Resources that come until they are taken out of the rounds: that begins with a round of all that is in them, of which
what is under way takes half by now."""


def begin() -> None:
    """Before anything is read."""
    gc.set_threshold(YOUNG, MIDDLING, OLD)


class LongLived:
    """Takes all there is out of the rounds, once garbage is gone, each time that so much more is there to stay.

    What of it is given up later is freed all the same, except where objects refer to each other in a circle; of what
    is under way at one moment such circles are few.
    """

    def __init__(self) -> None:
        self._kept = 0

    def listed(self, count: int) -> None:
        """Hardly anything is garbage yet: looking for it would be one long round for next to nothing."""
        self._kept = count
        gc.collect(1)
        gc.freeze()

    def holds(self, count: int) -> None:
        """`count`: of the resources that are known now."""
        self._kept = min(self._kept, count)
        if count >= self._kept + STEP:
            self._kept = count
            gc.collect()
            gc.freeze()
