"""What an offsets operation asks, sends and finds: exact JSON text on the way out, comparison on the way back."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lenses_operator.lenses.models import member_text, offsets_of, parse_offsets
from lenses_operator.lenses.pieces import elements
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import DEEPEST, Action, LensesConnectorOffsets, OffsetsSpec
from lenses_operator.resources.json_depth import is_deeper

SHOWN_ENTRIES = 500
SHOWN_BYTES = 256 * 1024
MOST_DEEP = 100
"""Nesting up to which offsets are shown; the model that writes a status gives up at some 250."""
ENTRY = 100
"""Characters that one of `spec.offsets` counts for."""
WORTH_KEEPING = 8 * 1024
KEPT_TEXTS = 16
"""Of more than a mebibyte each, at the most."""
_TEXTS: OrderedDict[bytes, str | OffsetsInvalid] = OrderedDict()
MAX_ZEROS = 64
"""Beyond them a number is compared in its scientific form: `1e999999999` must not become a gigabyte of zeros."""
SINK_KEYS = {"kafka_topic", "kafka_partition"}
"""Of every sink's partitions, in Connect's own words."""
SEEKS_BY_ITSELF = (
    "io.lenses.streamreactor.connect.aws.s3.sink",
    "io.lenses.streamreactor.connect.gcp.storage.sink",
    "io.lenses.streamreactor.connect.datalake.sink",
)


class OffsetsInvalid(ValueError):  # noqa: N818 - the name is the condition's reason
    """The entries cannot be sent; the message names the entry and what to do."""


def weight(spec: OffsetsSpec) -> int:
    """What the time that `request_text` takes at the first time depends on: characters, about."""
    return len(spec.offsets_json or "") + ENTRY * len(spec.offsets)


def request_text(spec: OffsetsSpec) -> str | None:
    """The JSON array to send, to the letter; None for Reset. Raises OffsetsInvalid.

    Many a pass asks it again; of a long one the answer is kept.
    """
    if spec.action is not Action.ALTER:
        return None
    if weight(spec) < WORTH_KEEPING:
        return _text_of(spec)
    digest = hashlib.sha256((spec.offsets_json or spec.model_dump_json(include={"offsets"})).encode()).digest()
    known = _TEXTS.get(digest)
    if known is None:
        try:
            known = _text_of(spec)
        except OffsetsInvalid as error:
            known = error.with_traceback(None)
        _TEXTS[digest] = known
        while len(_TEXTS) > KEPT_TEXTS:
            _TEXTS.popitem(last=False)
    if isinstance(known, OffsetsInvalid):
        raise OffsetsInvalid(str(known))
    return known


def _text_of(spec: OffsetsSpec) -> str:
    if spec.offsets_json is not None:
        text, where = _array_of(spec.offsets_json), "spec.offsetsJson"
    else:
        entries = [
            {"partition": entry.partition, "offset": None if entry.drop else entry.offset} for entry in spec.offsets
        ]
        text, where = json.dumps(entries, ensure_ascii=False), "spec.offsets"
    try:
        _check(text, where)
    except RecursionError:
        raise OffsetsInvalid(f"{where} is nested too deeply.") from None
    return text


def _array_of(text: str) -> str:
    """The text of a GET as it is, or its array alone."""
    if not text.lstrip().startswith("{"):
        return text.strip()
    try:
        return offsets_of(text).text
    except ValueError as error:
        raise OffsetsInvalid(f"spec.offsetsJson: {error}. Give the JSON that a GET of the offsets answers.") from None


def _check(text: str, where: str) -> None:
    try:
        entries = parse_offsets(text)
    except ValueError as error:
        raise OffsetsInvalid(f"{where}: {error}.") from None
    if not entries:
        raise OffsetsInvalid(f"{where} has no entry; to forget all offsets use action: Reset.")
    seen: dict[str, int] = {}
    for index, (entry, (plain, _, _)) in enumerate(zip(entries, elements(text), strict=True)):
        if not isinstance(entry.partition, dict) or not entry.partition:
            raise OffsetsInvalid(f"{where}[{index}].partition must be an object with at least one field.")
        if not isinstance(plain, dict) or "offset" not in plain:
            raise OffsetsInvalid(f'{where}[{index}] has no offset; to forget this partition\'s write "offset": null.')
        if entry.offset is not None and not isinstance(entry.offset, dict):
            raise OffsetsInvalid(f"{where}[{index}].offset must be an object, or null to forget this partition's.")
        if is_deeper([entry.partition, entry.offset], DEEPEST + 1):
            raise OffsetsInvalid(f"{where}[{index}] is nested too deeply: more than {DEEPEST} levels.")
        key = _partition_key(entry.partition)
        if key in seen:
            raise OffsetsInvalid(f"{where}[{index}] names the same partition as {where}[{seen[key]}].")
        seen[key] = index


def usable(spec: OffsetsSpec) -> bool:
    """Whether there is something to send, or to reset."""
    try:
        request_text(spec)
    except OffsetsInvalid:
        return False
    return True


class _TooDeep:
    """In the place of what Lenses shows nested too deeply to be compared: like nothing, not even itself."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return False


def _partition_key(partition: object) -> str:
    """Alike for `0` and `"0"`: sinks take both for the same partition."""
    try:
        return json.dumps(_alike(partition), sort_keys=True)
    except RecursionError:
        return "nested too deeply"


def _comparable(offset: object) -> Any:
    try:
        return _alike(offset)
    except RecursionError:
        return _TooDeep()


def _alike(value: Any) -> Any:
    """Numbers and their string form are the same, and a field that is absent is the same as null.

    Strings are compared to the letter: `"007"` and `"7"` may be two files.
    """
    if isinstance(value, dict):
        return {key: _alike(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_alike(item) for item in value]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _digits(value)
    return value


def _digits(value: int | Decimal) -> str:
    """Every digit, and the same for `1`, `1.0` and `10e-1`. No arithmetic: a context would round, or overflow."""
    sign, digits, exponent = Decimal(value).as_tuple()
    assert isinstance(exponent, int), "JSON has neither NaN nor infinity"
    plain = "".join(map(str, digits)).lstrip("0")
    kept = plain.rstrip("0")
    exponent += len(plain) - len(kept)
    minus = "-" if sign and kept else ""
    if not kept:
        return "0"
    if 0 <= exponent < MAX_ZEROS:
        return f"{minus}{kept}{'0' * exponent}"
    return f"{minus}{kept}e{exponent}"


def differences(asked: str | None, read: str) -> list[str]:
    """What a read-back does not show as it was asked; `asked` None: everything was to be forgotten."""
    found = {_partition_key(entry.partition): entry for entry in parse_offsets(read)}
    if asked is None:
        left = [entry for entry in found.values() if entry.offset is not None]
        return [f"{len(left)} partitions still have an offset"] if left else []
    rows = []
    for entry in parse_offsets(asked):
        now = found.get(_partition_key(entry.partition))
        offset = now.offset if now else None
        if _comparable(offset) != _comparable(entry.offset):
            rows.append(f"{_shown(entry.partition)} is at {_shown(offset)} instead of {_shown(entry.offset)}")
    return rows


@dataclass(frozen=True)
class Step:
    """One partition, before and after, each to the letter; None: no offset. `same`: nothing changes for it."""

    partition: str
    before: str | None
    after: str | None
    same: bool


def steps(now: str, asked: str | None) -> list[Step]:
    """What a request would do, partition by partition as asked; None: everything is forgotten."""
    there = {_partition_key(entry.partition): (text, entry) for text, entry in _entries(now)}
    if asked is None:
        return [
            Step(_member(text, "partition") or "", before, None, before is None)
            for text, _ in there.values()
            for before in [_member(text, "offset")]
        ]
    found = []
    for text, entry in _entries(asked):
        known = there.get(_partition_key(entry.partition))
        before = _member(known[0], "offset") if known else None
        same = _comparable(known[1].offset if known else None) == _comparable(entry.offset)
        found.append(Step(_member(text, "partition") or "", before, _member(text, "offset"), same))
    return found


def _entries(text: str) -> list[tuple[str, Any]]:
    return list(zip(entry_texts(text), parse_offsets(text), strict=True))


def _member(entry: str, name: str) -> str | None:
    text = member_text(entry, name)
    return None if text == "null" else text


def gone_on(asked: str | None, before: str, read: str) -> bool:
    """Whether a partition is neither where it was nor where the request puts it: the connector has run since, or
    its offsets were changed by something else. A request carried out in part leaves each at one of the two."""
    if read == before:
        return False
    was, now = _places(before), _places(read)
    put = {} if asked is None else was | _places(asked)
    return any(now.get(key) not in (was.get(key), put.get(key)) for key in was | now | put)


def _places(text: str) -> dict[str, Any]:
    return {_partition_key(entry.partition): _comparable(entry.offset) for entry in parse_offsets(text)}


def _shown(value: object) -> str:
    if value is None:
        return "no offset"
    try:
        return json.dumps(_plain(value), ensure_ascii=False)[:200]
    except RecursionError:
        return "something nested too deeply to be shown"


@dataclass(frozen=True)
class Shown:
    """Offsets for people: cut, with the true number of partitions."""

    partitions: int
    offsets: tuple[Any, ...]
    truncated: bool


def shown(text: str, room: int = SHOWN_BYTES) -> Shown:
    """At most 500 entries or 256 KiB, and no more than `room`; numbers as Kubernetes can keep them."""
    entries = parse_offsets(text)
    kept: list[Any] = []
    size = 0
    for entry in entries[:SHOWN_ENTRIES]:
        try:
            row = {"partition": _plain(entry.partition), "offset": _plain(entry.offset)}
        except RecursionError:
            break
        size += len(json.dumps(row).encode())
        if size > min(SHOWN_BYTES, room):
            break
        kept.append({name: value for name, value in row.items() if value is not None})
    return Shown(len(entries), tuple(kept), len(kept) < len(entries))


def size_of(rows: tuple[Any, ...]) -> int:
    """Bytes of what `shown` keeps, in the object as Kubernetes stores it."""
    return len(json.dumps(rows, ensure_ascii=False).encode())


def _plain(value: Any, depth: int = 0) -> Any:
    """What JSON in Kubernetes cannot hold as a number is shown as text; `before` keeps it to the letter.

    Raises RecursionError where it is nested more deeply than a status can be written.
    """
    if depth > MOST_DEEP:
        raise RecursionError
    if isinstance(value, dict):
        return {_plain(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, str):
        return value.encode(errors="replace").decode()  # half a surrogate pair is no text that Kubernetes could keep
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return str(value)
    return value


def entry_texts(text: str) -> list[str]:
    """Each entry of a JSON array, to the letter."""
    return [text[begin:end] for _, begin, end in elements(text)]


def unknown_before(asked: str, before: str) -> list[str]:
    """Entries that forget the partitions which were asked for and had no offset before."""
    known = {_partition_key(entry.partition) for entry in parse_offsets(before)}
    return [
        f'{{"partition":{member_text(text, "partition")},"offset":null}}'
        for text, entry in zip(entry_texts(asked), parse_offsets(asked), strict=True)
        if entry.offset is not None and _partition_key(entry.partition) not in known
    ]


def added_partitions(asked: str | None, before: str | None) -> list[str]:
    """Partitions of a source that are given an offset and had none before, as JSON. A sink's are its topics'."""
    if asked is None or before is None:
        return []
    known = {_partition_key(entry.partition) for entry in parse_offsets(before)}
    return [
        _shown(entry.partition)
        for entry in parse_offsets(asked)
        if entry.offset is not None
        and _partition_key(entry.partition) not in known
        and not (isinstance(entry.partition, dict) and entry.partition.keys() >= SINK_KEYS)
    ]


def next_in_line(operations: Iterable[LensesConnectorOffsets]) -> LensesConnectorOffsets | None:
    """Of those that address one connector: the one under way, else the oldest that is not finished."""
    open_ones = [one for one in operations if one.operates and not one.finished and not one.metadata.deleting]
    return min(open_ones, key=lambda one: (not one.under_way, one.age_order), default=None)


def holds(operation: LensesConnectorOffsets | None, connector: LensesConnector) -> bool:
    """Whether the operation keeps the connector stopped. Derived from the objects each time, stored nowhere."""
    if operation is None or connector.metadata.deleting:
        return False
    return operation.under_way or (not connector.spec.suspend and usable(operation.spec))


def seek_hint(class_name: str) -> str:
    """Some sinks keep their own position; a day can be lost looking for it."""
    if not class_name.startswith(SEEKS_BY_ITSELF):
        return ""
    return " This sink seeks to the position in its own index in the bucket, which altered offsets do not change."
