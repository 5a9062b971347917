"""Wanted configuration against what Lenses shows, knowing that Lenses masks, resolves, rewrites and adds values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lenses_operator.domain.masks import is_masked as is_masked
from lenses_operator.domain.masks import may_be_masked
from lenses_operator.domain.sensitive import is_secret_key

# Connect itself adds the connector's name to its configuration (seen on 4.3.1).
ALWAYS_ADDED = frozenset({"name"})


@dataclass(frozen=True)
class Baseline:
    """What Lenses showed right after our own write: keys shown otherwise than written, and keys the server added."""

    not_compared: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Difference:
    """Keys only, never values."""

    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing or self.extra)

    def describe(self) -> str:
        """`changed a, b; missing c; unwanted d`."""
        parts = (("changed", self.changed), ("missing", self.missing), ("unwanted", self.extra))
        return "; ".join(f"{word} {', '.join(keys)}" for word, keys in parts if keys)


def hides(key: str, shown: str) -> bool:
    """Whether what Lenses shows for a key is a mask of a value that it hides."""
    return is_masked(shown) or (is_secret_key(key) and may_be_masked(shown))


def may_be_resolved(wanted: str, shown: str) -> bool:
    """Whether a value may be what a config provider has made of a reference. One that shows a reference itself has not
    been resolved, and can be compared."""
    return "${" in wanted and "${" not in shown


def compare(
    wanted: Mapping[str, str], seen: Mapping[str, str], baseline: Baseline | None, hidden: Collection[str] = ()
) -> Difference:
    """What is to be repaired. Keys that cannot be read count as equal: hidden or masked ones, those outside the
    baseline and, where no baseline was ever taken, those that a config provider may have resolved (`${…}` is wanted,
    and something without it is shown).
    """
    known = baseline or Baseline()
    unreadable = frozenset(hidden) | known.not_compared
    changed, missing = [], []
    for key, value in wanted.items():
        if key in unreadable:
            continue
        if key not in seen:
            missing.append(key)
        elif seen[key] != value and not _is_unreadable(key, value, seen[key], baseline):
            changed.append(key)
    passed_over = known.added | ALWAYS_ADDED | frozenset(hidden)
    extra = [key for key in seen if key not in wanted and key not in passed_over]
    return Difference(tuple(sorted(changed)), tuple(sorted(missing)), tuple(sorted(extra)))


def _is_unreadable(key: str, wanted: str, shown: str, baseline: Baseline | None) -> bool:
    return hides(key, shown) or (baseline is None and may_be_resolved(wanted, shown))


def may_have_become(
    sent: Mapping[str, str],
    seen: Mapping[str, str],
    baseline: Baseline | None = None,
    hidden: Collection[str] = (),
    ours: Collection[str] = (),
) -> bool:
    """Whether what is seen may be what a server has made of what was sent: it adds keys, and has its own notation of
    numbers. Keys that are `ours` were not added by the server."""
    found = compare(sent, seen, baseline, hidden)
    kept = any(key in ours for key in found.extra)
    return not (found.missing or kept) and all(_same_number(sent[key], seen[key]) for key in found.changed)


def _same_number(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def unreadable_keys(
    wanted: Mapping[str, str], seen: Mapping[str, str], baseline: Baseline | None, hidden: Collection[str] = ()
) -> list[str]:
    """Wanted keys whose value in Lenses cannot be known: those that `compare` takes for equal unseen."""

    def unreadable(key: str, value: str) -> bool:
        if key in hidden or (baseline is not None and key in baseline.not_compared):
            return True
        shown = seen.get(key)
        return shown is not None and shown != value and _is_unreadable(key, value, shown, baseline)

    return sorted(key for key, value in wanted.items() if unreadable(key, value))


def baseline_of(wanted: Mapping[str, str], seen: Mapping[str, str], hidden: Collection[str] = ()) -> Baseline:
    """Taken right after our own write: whatever differs now is notation, not drift."""
    not_compared = {key for key, value in wanted.items() if seen.get(key) != value} | (set(hidden) & set(wanted))
    added = {key for key in seen if key not in wanted} - ALWAYS_ADDED
    return Baseline(frozenset(not_compared), frozenset(added))


def changed_keys(before: Mapping[str, str] | None, after: Mapping[str, str]) -> str:
    """For the Event of an update: `changed a, b; removed c`; empty where the former config is not known."""
    if before is None:
        return ""
    changed = sorted(key for key, value in after.items() if before.get(key) != value)
    removed = sorted(key for key in before if key not in after and key not in ALWAYS_ADDED)
    parts = (("changed", changed), ("removed", removed))
    return "; ".join(f"{word} {', '.join(keys)}" for word, keys in parts if keys)
