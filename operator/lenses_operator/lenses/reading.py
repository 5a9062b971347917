"""From the bytes of an answer to its model: how much is read at all, and in pieces where it is much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from lenses_operator.aside import AT_ONCE, aside
from lenses_operator.lenses import answers, errors
from lenses_operator.lenses.models import OffsetsText, offsets_of
from lenses_operator.lenses.pieces import LONGEST, TooLong, elements_at, members, nothing_after, skip
from lenses_operator.lenses.transport import Answer, Call

T = TypeVar("T")

MOST_OBJECTS = 150_000
"""In one answer: each becomes more than a KiB, and 64 MiB of them more than a pod has. 30,000 connectors of 3 tasks."""
MOST_VALUES = 1_000_000
"""In one answer, told by its commas: 64 MiB of bare numbers or words would become a gigabyte."""
PIECE = 64 * 1024
"""Characters of a long list that are read in one go."""
MIB = 1024 * 1024


@dataclass(frozen=True)
class Form(Generic[T]):
    """What an answer is read as. `bulk`: the list in it that may be long, and what that is a list of."""

    adapter: TypeAdapter[T]
    bulk: str = ""
    items: TypeAdapter[Any] | None = None


async def read(call: Call, answer: Answer, form: Form[T]) -> T:
    """Raises UnusableAnswer."""
    return await aside(len(answer.body), parse, call, answer, form)


async def read_offsets(call: Call, answer: Answer) -> OffsetsText:
    """Raises UnusableAnswer."""
    return await aside(len(answer.body), _offsets, call, answer)


def parse(call: Call, answer: Answer, form: Form[T]) -> T:
    """Raises UnusableAnswer."""
    _refuse_too_many(call, answer)
    try:
        if len(answer.body) <= AT_ONCE or (form.items is None and len(answer.body) <= LONGEST):
            return form.adapter.validate_json(answer.body)
        return _in_pieces(answer.body.decode(), form)
    except ValidationError as failure:
        first = _first(failure)
    except _ItemError as schema_mismatch:
        first = schema_mismatch.first
    except TooLong as failure:
        raise answers.unusable(call.operation, answer.status, answer.body, f"{_size(answer)}, {failure}") from None
    except (ValueError, RecursionError):
        first = None
    # Raised out here: the ValidationError, which may quote the answer, is not to travel along as context.
    if first is None or first["type"] == "json_invalid":
        raise answers.unusable(call.operation, answer.status, answer.body)
    where = ".".join(map(str, first["loc"])) or "the answer"
    raise answers.unusable(call.operation, answer.status, answer.body, f"{where}: {first['type']}")


def _offsets(call: Call, answer: Answer) -> OffsetsText:
    _refuse_too_many(call, answer)
    try:
        return offsets_of(answer.body.decode())
    except ValueError as failure:
        why = "not UTF-8" if isinstance(failure, UnicodeError) else str(failure)
    raise answers.unusable(call.operation, answer.status, answer.body, why)


def _refuse_too_many(call: Call, answer: Answer) -> None:
    if _count(answer.body, b"{") + _count(answer.body, b"[") > MOST_OBJECTS:
        message = f"the answer of {_size(answer)} holds more than {MOST_OBJECTS} objects and lists"
    elif _count(answer.body, b",") > MOST_VALUES:
        message = f"the answer of {_size(answer)} holds more than {MOST_VALUES} values"
    else:
        return
    raise errors.UnusableAnswer(call.operation, message, status=answer.status)


def _size(answer: Answer) -> str:
    return f"{len(answer.body) / MIB:.1f} MiB"


def _count(body: bytes, mark: bytes) -> int:
    return sum(body.count(mark, at, at + MIB) for at in range(0, len(body), MIB))


class _ItemError(Exception):
    """An item that does not fit, and its place in the whole."""

    def __init__(self, first: ErrorDetails) -> None:
        super().__init__()
        self.first = first


def _in_pieces(text: str, form: Form[T]) -> T:
    """What is left of the answer without its long list is read as a whole.

    Raises ValidationError, _ItemError, ValueError and RecursionError.
    """
    items = form.items
    begin = skip(text, 0)
    if items is not None and not form.bulk and text[begin : begin + 1] == "[":
        whole, end = _items(text, begin, items, ())
        nothing_after(text, end)
        return form.adapter.validate_python(whole)
    found: list[Any] | None = None
    kept, at = [], 0
    for key, begin, end in members(text):
        if items is not None and key == form.bulk and text[begin] == "[":
            kept += [text[at:begin], "[]"]
            at = end
            found, _ = _items(text, begin, items, (key,))
        elif key == form.bulk:
            found = None  # of a member that is there twice the last one counts
    rest = "".join([*kept, text[at:]])
    if len(rest) > LONGEST:
        raise TooLong(f"it has more than {LONGEST} characters beside what is read of it")
    if found is None:
        return form.adapter.validate_json(rest)
    return form.adapter.validate_python(from_json(rest) | {form.bulk: tuple(found)})


def _items(text: str, at: int, items: TypeAdapter[Any], place: tuple[str, ...]) -> tuple[list[Any], int]:
    """Of the array that begins here, and where it ends. It is not copied: it is about as long as the answer."""
    found: list[Any] = []
    first, last = -1, -1
    for _, begin, end in elements_at(text, at):
        if begin < 0:
            at = end
            break
        if first < 0:
            first = begin
        last = end
        if last - first >= PIECE:
            found += _piece(text[first:last], items, place, len(found))
            first = -1
    if first >= 0:
        found += _piece(text[first:last], items, place, len(found))
    return found, at


def _piece(text: str, items: TypeAdapter[Any], place: tuple[str, ...], before: int) -> Any:
    try:
        return items.validate_json(f"[{text}]")
    except ValidationError as failure:
        first = _first(failure)
    number, *rest = first["loc"] or (0,)
    first["loc"] = (*place, before + number if isinstance(number, int) else number, *rest)
    raise _ItemError(first)


def _first(failure: ValidationError) -> ErrorDetails:
    return failure.errors(include_url=False, include_context=False, include_input=False)[0]
