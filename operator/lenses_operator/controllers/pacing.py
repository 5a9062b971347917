"""How often a request may be repeated for one connector: what Lenses shows may be seconds old, or wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

AT_MOST_EVERY = 1.0
"""Seconds between two requests of one kind for one connector, whatever has been seen meanwhile."""
SLOWEST = 60.0
WHILE_AWAY = 15.0
"""The slowest for what keeps a connector from running."""


@dataclass(frozen=True, slots=True)
class _Sent:
    at: float
    times: int
    about: object = None


@dataclass(slots=True)
class Pacing:
    """Of one connector. A request's name is what tells it from others, such as `delete` or `set_state pause`.

    The first goes out at once; the next after a second, then two, four … up to a minute, until `worked`. `about` is
    what it is to bring about: where that has changed, as with a corrected configuration, it starts over.
    """

    _sent: dict[str, _Sent] = field(default_factory=dict)

    def wait(self, request: str, now: float, slowest: float = SLOWEST, *, about: object = None) -> float:
        """Seconds until it may be sent."""
        last = self._sent.get(request)
        if last is None:
            return 0.0
        anew = not last.times or last.about != about
        pause = AT_MOST_EVERY if anew else min(slowest, AT_MOST_EVERY * 2.0 ** min(last.times - 1, 10))
        return max(0.0, last.at + pause - now)

    def sent(self, request: str, now: float, *, about: object = None) -> None:
        last = self._sent.get(request)
        times = last.times if last is not None and last.about == about else 0
        self._sent[request] = _Sent(now, times + 1, about)

    def worked(self, request: str) -> None:
        """What it asked for shows: the next one of its kind is another matter."""
        last = self._sent.get(request)
        if last is not None:
            self._sent[request] = _Sent(last.at, 0, last.about)
