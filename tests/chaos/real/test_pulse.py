"""A machine that takes its time is measured while it does so, and one that has time is not."""

from __future__ import annotations

import threading
import time

from chaos.real.pulse import PROMPT, Pulse
from harness.waiting import HANG, wait_until
from invariants.history import HOPS, LAG, History


def test_a_beat_under_way_counts_as_long_as_it_lasts() -> None:
    history, held, beating = History(), threading.Event(), threading.Event()

    def beat() -> None:
        beating.set()
        held.wait()

    pulse = Pulse(history.late, beat)
    pulse.start()
    try:
        assert beating.wait(30)
        since = time.time()
        wait_until("a second to be lost", lambda: history.horizon(time.time()) < since - LAG - HOPS, 30)
    finally:
        held.set()
        pulse.stop()
    [lost, *_] = history.late
    assert lost.end - lost.begin >= 1.0


def test_beats_that_were_prompt_are_forgotten() -> None:
    history, beats = History(), threading.Semaphore(0)
    pulse = Pulse(history.late, beats.release)
    pulse.start()
    try:
        assert all(beats.acquire(timeout=HANG) for _ in range(3))
    finally:
        pulse.stop()
    assert all(span.end - span.begin >= PROMPT for span in history.late)
