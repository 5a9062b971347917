"""The invariants, each over the whole record: a list of what went against it, in plain words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from itertools import pairwise

from chaos.real.cast import PASSWORD_KEY, Key, mark_of
from invariants.history import LAG, Effect, History, KubeWrite, Name, Version
from invariants.shown import forms, unsound

Check = Callable[[History], list[str]]
RELEASE_LAG = 8.0
"""Seconds between the last look that proved absence and the finalizer's removal: a retry of the patch included."""
AFTERMATH = 30.0
"""Seconds after a lie about a configuration within which it may still be acted on: a status that is not read again."""


def _who(effect: Effect) -> str:
    return f"{effect.at:.2f} {effect.op} of {'/'.join(effect.key)} (request {effect.seq})"


def _by_operator(history: History, *ops: str) -> list[Effect]:
    return [one for one in _all_by_operator(history, *ops) if one.at >= history.recent]


def _all_by_operator(history: History, *ops: str) -> list[Effect]:
    return [one for one in history.effects if not one.outside and one.op in ops and one.at <= history.until]


def _held_configs(history: History, key: Key, begin: float, end: float) -> list[dict[str, str]]:
    """What Lenses held under this name at any moment of this time; what happened at its end is left out."""
    held: list[dict[str, str]] = []
    last: dict[str, str] | None = None
    for effect in history.of(key):
        if effect.at >= end:
            break
        if effect.op in ("create", "put", "config", "delete"):
            if effect.at >= begin:
                held += [config for config in (effect.before, last) if config is not None]
            last = effect.after
    return [*held, *([last] if last is not None else [])]


def unasked_deletes(history: History) -> list[str]:
    """A connector is deleted only for a resource that owns it and is being deleted, or wants another configuration."""
    return [
        f"{_who(effect)}: nobody asked for it"
        for effect in _by_operator(history, "delete")
        if not _delete_is_due(history, effect)
    ]


def _delete_is_due(history: History, effect: Effect) -> bool:
    begin = history.horizon(effect.decided)
    doubled = history.during(history.doubled, effect.arrived, effect.key)
    lied = history.during(history.lies, effect.arrived, effect.key, AFTERMATH)
    held = _held_configs(history, effect.key, begin if doubled else effect.decided, effect.at)
    held.append(effect.before or {})
    earlier = _held_configs(history, effect.key, 0.0, effect.at)
    for name, version in history.about(effect.key, begin, effect.at):
        if version.is_owner and version.deleting:
            if any(v.spec.get("deletionPolicy") != "Retain" for v in history.lately(name, begin, effect.at)):
                return True
        elif version.is_owner:
            wanted = history.wanted(name, version, begin, effect.at)
            if lied or any(config != one for config in wanted for one in held):
                return True
            if doubled and any(_secret_alone(config, one) for config in wanted for one in earlier):
                return True
            if _unread_change(history, name, version, effect):
                return True
    return False


def _unread_change(history: History, name: Name, version: Version, effect: Effect) -> bool:
    """The spec has changed in a key that Lenses did not show when the operator looked for the first time, as status
    says: what the connector has there, nobody can know. Since the operator's own write it does."""
    last = max((one.at for one in history.of(effect.key) if _writes(one) and one.at < effect.arrived), default=0.0)
    applied = (version.found or {}).get("status", {}).get("appliedConfig") or {}
    asked = [
        wanted
        for one in history.lately(name, last, effect.arrived)
        if one.uid == version.uid
        for wanted in history.wanted(name, one, last, effect.arrived)
    ]
    return any(len({wanted.get(key) for wanted in asked}) > 1 for key in applied.get("notCompared", []))


def _writes(effect: Effect) -> bool:
    return effect.op in ("create", "put") and not effect.outside


def _secret_alone(one: dict[str, str], other: dict[str, str]) -> bool:
    """What Lenses masks: which value it has there an operator knows from its own writes only, not from another's."""
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)} == {PASSWORD_KEY}


def unwanted_creates(history: History) -> list[str]:
    """What is created is what a living resource with our finalizer wants or, after a refusal, what was there."""
    wrong = []
    for effect in _by_operator(history, "create"):
        begin = history.horizon(effect.decided)
        owners = [
            (name, version)
            for name, version in history.about(effect.key, begin, effect.arrived)
            if not version.deleting and version.finalized and version.is_owner
        ]
        if not owners:
            wrong.append(f"{_who(effect)}: no resource wants it, holds our finalizer and owns it")
            continue
        wanted = [one for name, version in owners for one in history.wanted(name, version, begin, effect.arrived)]
        earlier = _held_configs(history, effect.key, 0.0, effect.arrived)
        asked = {key: value for key, value in (effect.after or {}).items() if key != "added.by"}
        if asked not in wanted and asked not in earlier:
            wrong.append(f"{_who(effect)}: nobody wants this configuration")
    return wrong


def double_creates(history: History) -> list[str]:
    """Between two creations of a connector it went away."""
    there: set[Key] = set()
    wrong = []
    for effect in history.effects:
        if effect.op == "create":
            if effect.key in there:
                wrong.append(f"{_who(effect)}: it existed")
            there.add(effect.key)
        elif effect.op == "delete":
            there.discard(effect.key)
    return wrong


def vain_puts(history: History) -> list[str]:
    """A configuration is not put over an identical one: that bounces the connector."""
    return [
        f"{_who(effect)}: it had this configuration"
        for effect in _by_operator(history, "put")
        if effect.before == effect.after
        and not history.during(history.lies, effect.arrived, effect.key, AFTERMATH)
        and not history.during(history.doubled, effect.arrived, effect.key)
        and not any(
            _unread_change(history, name, version, effect)
            for name, version in history.about(effect.key, history.horizon(effect.decided), effect.arrived)
        )
    ]


def foreign_touches(history: History) -> list[str]:
    """Nothing is changed of a connector that no resource owns."""
    wrong = []
    for effect in _by_operator(history, "delete", "put", "state", "task", "alter", "reset"):
        about = history.about(effect.key, history.horizon(effect.arrived), effect.arrived)
        if not any(version.is_owner for _, version in about):
            wrong.append(f"{_who(effect)}: no resource owns it")
    return wrong


def unproven_releases(history: History) -> list[str]:
    """A finalizer goes when the connector is gone, or is left by policy, or was never owned."""
    wrong = []
    for name, versions in history.versions.items():
        if name[0] != "LensesConnector":
            continue
        for before, after in pairwise(versions):
            if after.sure < history.recent:
                continue
            released = before.deleting and before.finalized and not (after.finalized and after.uid == before.uid)
            if released and before.is_owner and not _is_let_go(history, name, before, after):
                wrong.append(f"{after.sure:.2f} {'/'.join(name)} released, but {'/'.join(before.connector)} was there")
    return wrong


def _is_let_go(history: History, name: Name, before: Version, after: Version) -> bool:
    begin = history.horizon(after.since) - RELEASE_LAG
    same = [version for version in history.lately(name, begin, after.sure) if version.uid == before.uid]
    if any(version.spec.get("deletionPolicy") == "Retain" for version in same):
        return True
    gone = True
    for effect in history.of(before.connector):
        if effect.op == "delete":
            if begin <= effect.gone_at <= after.sure:
                return True
            gone = effect.gone_at <= after.sure
        elif effect.op in ("create", "config", "put"):
            if gone and effect.at >= begin:
                return True  # it was away within this time
            if effect.at <= after.sure:
                gone = False
    return gone


def repeated_offsets(history: History) -> list[str]:
    """An operation is carried out once per generation. A repetition while the first request was on its way is Lenses'
    own window: it has no compare-and-set, and both find the connector stopped."""
    wrong = []
    altered: dict[tuple[Key, int], list[Effect]] = defaultdict(list)
    for effect in _all_by_operator(history, "alter"):
        mark = mark_of(effect.detail or [])
        if mark is not None:
            altered[effect.key, mark].append(effect)
    for (_, mark), effects in altered.items():
        for first, second in pairwise(effects):
            if second.arrived > first.at and not _may_be_repeated(history, mark, first, second):
                wrong.append(f"{_who(second)}: {mark} was set before, at {first.at:.2f}")
    return wrong


def _may_be_repeated(history: History, mark: int, first: Effect, second: Effect) -> bool:
    """One of two operators wrote an old status over the other's Applied; or nobody could write Applied before other
    offsets came, so that an operator that begins anew finds no sign of the first request."""
    if any(span.begin <= second.at and span.end + LAG >= first.at for span in history.doubled):
        return True
    between = [one for one in history.of(first.key) if first.at < one.at < second.arrived]
    lost = any(one.op == "reset" or (one.op == "alter" and mark_of(one.detail or []) != mark) for one in between)
    return lost and not any(
        version.sure < second.arrived and _applied_mark(version) == mark
        for name, versions in history.versions.items()
        if name[0] == "LensesConnectorOffsets"
        for version in versions
    )


def _applied_mark(version: Version) -> int | None:
    """Of an Alter whose status says that it is done."""
    found = version.found or {}
    done = (found.get("status") or {}).get("appliedGeneration") == found.get("metadata", {}).get("generation")
    return mark_of(version.spec.get("offsets") or []) if found and done else None


def lost_offsets(history: History) -> list[str]:
    """What says that it is applied was applied: each number of an Alter was sent and taken."""
    sent = {(effect.key, mark_of(effect.detail or [])) for effect in _all_by_operator(history, "alter")}
    wrong = []
    for name, versions in history.versions.items():
        judged = [version for version in versions if version.sure <= history.until]
        if name[0] != "LensesConnectorOffsets" or not judged or judged[-1].found is None:
            continue
        last = judged[-1].found
        status, spec = last.get("status") or {}, last["spec"]
        if spec.get("action") != "Alter" or status.get("appliedGeneration") != last["metadata"]["generation"]:
            continue
        target = history.versions.get(("LensesConnector", name[1], spec["connectorRef"]["name"]), [])
        keys = {version.connector for version in target if version.found}
        if keys and not any((key, mark_of(spec["offsets"])) in sent for key in keys):
            wrong.append(f"{'/'.join(name)} says Applied, and {mark_of(spec['offsets'])} was never sent")
    return wrong


def unasked_resets(history: History) -> list[str]:
    """Offsets that are there are reset once for each Reset, and once for each deletion with offsets."""
    wrong = []
    done: Counter[Key] = Counter()
    for effect in _all_by_operator(history, "reset"):
        if effect.detail:  # there were some
            done[effect.key] += 1
    asked = _resets_asked(history)
    for key, number in done.items():
        if number > asked[key] and not any(history.during(history.doubled, e.at, key) for e in history.of(key)):
            wrong.append(f"offsets of {'/'.join(key)} were reset {number} times, asked for {asked[key]} times")
    return wrong


def _resets_asked(history: History) -> Counter[Key]:
    asked: Counter[Key] = Counter()
    for name, versions in history.versions.items():
        if name[0] == "LensesConnector":
            uids = {
                (v.uid, v.connector)
                for v in versions
                if v.deleting and v.spec.get("deletionPolicy") == "DeleteWithOffsets"
            }
            asked.update(key for _, key in uids)
        else:
            generations = {
                (v.uid, v.found["metadata"]["generation"], v.spec["connectorRef"]["name"])
                for v in versions
                if v.found and v.spec.get("action") == "Reset"
            }
            for _, _, target in generations:
                of_target = history.versions.get(("LensesConnector", name[1], target), [])
                asked.update({v.connector for v in of_target if v.found})
    return asked


def foreign_writes(history: History, operator: str) -> list[str]:
    """The operator writes status and its finalizer, Events, and nothing else."""
    return [
        f"{write.sure:.2f} {write.verb} of {'/'.join(write.name)}: {write.body}"
        for write in history.writes
        if write.user == operator and write.name[0].startswith("Lenses") and not _is_own(write)
    ]


def _is_own(write: KubeWrite) -> bool:
    if write.verb != "patch" or not isinstance(write.body, list):
        return False
    paths = {step["path"] for step in write.body if step["op"] != "test"}
    return paths == ({"/status"} if write.subresource == "status" else {"/metadata/finalizers"})


def disclosures(secrets: Iterable[str], texts: Iterable[tuple[str, str]]) -> list[str]:
    """A planted value, in whatever form, in a text; each text comes with where it is from."""
    planted = forms(secrets)
    return [f"{where} shows {form}" for where, text in texts for form in planted if form in text]


def unsound_statuses(history: History) -> list[str]:
    """Each status that was written is one that everybody can read."""
    return [
        f"{version.sure:.2f} {'/'.join(name)} {wrong}"
        for name, versions in history.versions.items()
        for version in versions
        if version.sure >= history.recent and version.conditions
        for wrong in unsound(version.conditions, version.observed)
    ]


CHECKS: tuple[Check, ...] = (
    unasked_deletes,
    unwanted_creates,
    double_creates,
    vain_puts,
    foreign_touches,
    unproven_releases,
    repeated_offsets,
    lost_offsets,
    unasked_resets,
    unsound_statuses,
)
