"""How much one resource may say by Events: a pure count, by the time each Event is about."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

BURST = 25
REFILL = 300.0
"""Seconds after which a resource that has used up its burst may say one more."""
SIMILAR = 10
"""Different messages of one reason within WINDOW; further ones are combined into one Event."""
WINDOW = 600.0
REFUSED = 60.0
"""Seconds without a try after a 403: its namespace is terminating, and every other Event of it will be refused too."""
REMEMBERED = 4096


@dataclass(frozen=True)
class Judgement:
    """Neither: write it as it is."""

    silent: bool = False
    combined: bool = False


@dataclass
class _Similar:
    last: float
    messages: set[str] = field(default_factory=set)


@dataclass
class _Account:
    tokens: float
    at: float
    silent_until: float = 0.0
    similar: dict[str, _Similar] = field(default_factory=dict)


class Limits:
    """By resource, the least recently heard of forgotten beyond REMEMBERED."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[str, _Account] = OrderedDict()

    def judge(self, uid: str, reason: str, message: str, now: float) -> Judgement:
        """`now` in seconds that only grow: by a wall clock that is set back a resource would fall silent."""
        account = self._account(uid, now)
        account.tokens = min(BURST, account.tokens + max(0.0, now - account.at) / REFILL)
        account.at = now
        if account.tokens < 1 or now < account.silent_until:
            return Judgement(silent=True)
        account.tokens -= 1
        return Judgement(combined=self._similar(account, reason, message, now))

    def refused(self, uid: str, now: float) -> None:
        """The API server takes no Event about it: 403."""
        self._account(uid, now).silent_until = now + REFUSED

    def is_refused(self, uid: str, now: float) -> bool:
        return now < self._account(uid, now).silent_until

    @staticmethod
    def _similar(account: _Account, reason: str, message: str, now: float) -> bool:
        """Whether its reason came with too many different messages; the window starts over after a quiet one."""
        found = account.similar.setdefault(reason, _Similar(now))
        if now - found.last > WINDOW:
            found.messages.clear()
        found.last = now
        if message in found.messages:
            return False
        if len(found.messages) >= SIMILAR:
            return True
        found.messages.add(message)
        return False

    def _account(self, uid: str, now: float) -> _Account:
        account = self._accounts.setdefault(uid, _Account(BURST, now))
        self._accounts.move_to_end(uid)
        while len(self._accounts) > REMEMBERED:
            self._accounts.popitem(last=False)
        return account
