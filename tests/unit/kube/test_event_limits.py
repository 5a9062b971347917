"""How much one resource may say, and when it may speak again."""

from __future__ import annotations

import pytest

from lenses_operator.kube import event_limits as module
from lenses_operator.kube.event_limits import BURST, REFILL, REFUSED, SIMILAR, WINDOW, Limits

AT = 1_700_000_000.0


def burst(limits: Limits, now: float, uid: str = "a") -> int:
    """How many it may say at once."""
    said = 0
    while not limits.judge(uid, f"R{said}", "", now).silent:
        said += 1
    return said


def test_a_burst_and_then_one_for_every_refill() -> None:
    limits = Limits()
    assert burst(limits, AT) == BURST
    assert burst(limits, AT + REFILL - 1) == 0
    assert burst(limits, AT + REFILL + 1) == 1
    assert burst(limits, AT + 3 * REFILL + 1) == 2
    assert burst(limits, AT + 1000 * REFILL) == BURST
    assert burst(limits, AT, "another") == BURST


def test_a_clock_that_is_set_back_takes_nothing_and_gives_nothing() -> None:
    limits = Limits()
    assert burst(limits, AT) == BURST
    assert burst(limits, AT - 3600) == 0
    assert burst(limits, AT - 3600 + REFILL + 1) == 1


def test_similar_ones_are_combined_until_their_reason_has_been_quiet_for_a_while() -> None:
    limits = Limits()

    def combined(message: str, now: float) -> bool:
        return limits.judge("a", "R", message, now).combined

    assert not any(combined(f"m{number}", AT) for number in range(SIMILAR))
    assert combined("new", AT)
    assert not combined("m0", AT), "a message that is known raises the count of its own Event"
    assert not limits.judge("a", "Other", "new", AT).combined
    assert combined("newer", AT + WINDOW)
    assert not combined("newer", AT + 2 * WINDOW + 1)


def test_after_a_refusal_it_is_silent_for_a_while() -> None:
    limits = Limits()
    limits.refused("a", AT)
    for now, refused in ((AT, True), (AT + REFUSED - 1, True), (AT + REFUSED, False)):
        assert limits.is_refused("a", now) is refused
        assert limits.judge("a", "R", "", now).silent is refused
    assert not limits.is_refused("b", AT)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    limits = Limits()
    for uid in ("a", "b"):
        burst(limits, AT, uid)
    assert burst(limits, AT, "a") == 0
    burst(limits, AT, "c")  # b is the one not heard of for longest
    assert burst(limits, AT, "a") == 0
    assert burst(limits, AT, "b") == BURST
