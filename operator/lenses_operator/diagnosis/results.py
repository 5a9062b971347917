"""What a check found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Verdict(StrEnum):
    """SKIPPED: not tried, the message says why, the remedy what to look for instead."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "not tried"


@dataclass(frozen=True)
class Result:
    """One line of the report. `seen`: the answer as it came, where it was not the one that was to be expected."""

    group: str
    check: str
    verdict: Verdict
    message: str
    remedy: str = ""
    seen: str = ""

    def without(self, secret: str) -> Result:
        """Its texts with that value cut out: a server may quote what it was sent."""

        def clean(text: str) -> str:
            return text.replace(secret, "***") if secret else text

        return replace(self, message=clean(self.message), remedy=clean(self.remedy), seen=clean(self.seen))


def ok(group: str, check: str, message: str) -> Result:
    return Result(group, check, Verdict.OK, message)


def warning(group: str, check: str, message: str, remedy: str, seen: str = "") -> Result:
    return Result(group, check, Verdict.WARNING, message, remedy, seen)


def failed(group: str, check: str, message: str, remedy: str, seen: str = "") -> Result:
    return Result(group, check, Verdict.FAILED, message, remedy, seen)


def skipped(group: str, check: str, message: str, remedy: str = "") -> Result:
    return Result(group, check, Verdict.SKIPPED, message, remedy)


def healthy(results: Iterable[Result]) -> bool:
    """Whether nothing failed."""
    return all(result.verdict is not Verdict.FAILED for result in results)


def counts(results: Iterable[Result]) -> dict[str, int]:
    """How many there are of each verdict."""
    found = Counter(result.verdict for result in results)
    return {verdict.value: found[verdict] for verdict in Verdict}


def some(names: Sequence[str], limit: int = 5) -> str:
    """The first few of many names."""
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")
