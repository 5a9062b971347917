"""How often each of many lists is asked for, where all of them together have a budget."""

from __future__ import annotations

from dataclasses import dataclass

REGULAR = 0.9
"""The share of the budget that goes to regular lists. The rest is for what cannot wait for its turn."""
BURST = 5.0
"""Seconds' worth of the budget that may be asked for at once, after a quiet time: a few lists never wait."""
URGENT_AT_MOST = 3
"""Urgent lists in a row while regular ones wait: they come first, and never alone."""


def stretched(interval: float, lists: int, per_second: float) -> float:
    """Seconds between two of the same list: all are asked for equally often."""
    return max(interval, lists / (REGULAR * per_second))


def while_lost(interval: float, lost: int, every: float) -> float:
    """The same for one of `lost` lists of an environment that does not answer, each usually asked for `every` so often.

    The environment as a whole is asked about once in the interval, by one of them or another: what has something to do
    there waits for it.
    """
    return min(every, interval * max(lost, 1))


@dataclass(frozen=True)
class Allowance:
    """A token bucket: `left` lists at the time `at`."""

    per_second: float
    left: float
    at: float

    @classmethod
    def full(cls, per_second: float, now: float) -> Allowance:
        return cls(per_second, max(1.0, BURST * per_second), now)

    def later(self, now: float) -> Allowance:
        """With what has come in since."""
        most = max(1.0, BURST * self.per_second)
        return Allowance(self.per_second, min(most, self.left + (now - self.at) * self.per_second), now)

    def without_one(self) -> Allowance:
        return Allowance(self.per_second, self.left - 1, self.at)

    @property
    def ready(self) -> bool:
        # A hair less than one: what is waited for exactly would else be missed by a rounding, and waited for again.
        return self.left >= 1 - 1e-6

    @property
    def wait(self) -> float:
        """Seconds until there is one."""
        return max(0.0, (1 - self.left) / self.per_second)


def urgent_next(*, urgent: bool, regular: bool, in_a_row: int) -> bool:
    """Whether the next one is urgent; `urgent`, `regular`: whether one waits; `in_a_row`: urgent ones just before."""
    return urgent and (not regular or in_a_row < URGENT_AT_MOST)
