"""How late the machine is: what a storm may blame nobody for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from math import inf

import httpx

from invariants.history import Span

EVERY = 0.2
PROMPT = 0.1
"""Seconds that a beat takes on a machine that has time."""


class Pulse:
    """Asks the API server and the Lenses server's loop for nothing, again and again: what that takes, others wait too.

    A beat that is under way counts as late already, for as long as it has lasted.
    """

    def __init__(self, late: list[Span], beat: Callable[[], object]) -> None:
        self._late, self._beat = late, beat
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            span = Span(time.time() + EVERY, inf, "late")  # a wait that lasts longer is late too
            self._late.append(span)
            if self._ended.wait(EVERY):
                return
            with suppress(httpx.TransportError, TimeoutError):  # no API server at all is another matter
                self._beat()
            span.end = time.time()
            if span.end - span.begin < PROMPT:
                self._late.remove(span)
