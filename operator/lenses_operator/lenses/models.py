"""Requests to Lenses and its answers, in Kafka Connect's terms.

Answers are read with tolerance where the API is known to vary (ids as text or number, states outside the enum,
missing fields, fields of later versions) and frozen afterwards. No model shows configuration values, validation
texts or traces in its repr: values of Secrets come back in all of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SkipValidation, WrapValidator, model_validator
from pydantic.alias_generators import to_camel

from lenses_operator.interning import Shared
from lenses_operator.lenses.pieces import elements, members

StateAction = Literal["pause", "resume", "stop", "restart"]
"""What a connector can be told. `start` is left out: the API does not say what it does."""

Json: TypeAlias = Any
"""A JSON value; numbers are int or Decimal, never float. Typed loosely: a connector decides its own shape."""


class ConnectorState(StrEnum):
    """The documented states. Models keep the raw word, which compares equal to these."""

    RUNNING = "RUNNING"
    UNASSIGNED = "UNASSIGNED"
    PAUSED = "PAUSED"
    FAILED = "FAILED"
    RESTARTING = "RESTARTING"
    STOPPED = "STOPPED"


class Model(BaseModel):
    """Camel case on the wire, snake case here; unknown fields are ignored, inputs never quoted in errors."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=True,
    )


def _absent_as_empty(value: object) -> object:
    return () if value is None else value


def _text(value: object) -> object:
    """The text Connect itself would make of a value."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return str(value)
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        case _:
            return value


def _texts(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return {key: _text(item) for key, item in value.items() if item is not None}


Config = Annotated[Mapping[str, str], BeforeValidator(_texts)]
_or_empty = BeforeValidator(lambda value: "" if value is None else value)
Word = Annotated[str, _or_empty]


def _one_word(value: object) -> object:
    """A state is a word, known or not; a sentence is none, and what it may quote nobody could cut out of a list."""
    return None if isinstance(value, str) and len(value.split()) > 1 else value


StateWord = Annotated[Shared | None, BeforeValidator(_one_word)]
TaskWord = Annotated[Shared, BeforeValidator(lambda value: _one_word(value) or "")]


class ListedTask(Model):
    """One task as the list shows it. `state` is the raw word, empty when missing."""

    id: int = Field(ge=0, lt=2**31)
    state: TaskWord = ""


class Task(ListedTask):
    """One task of a connector in full. `trace` may quote values of Secrets."""

    worker_id: Shared | None = None
    trace: str | None = Field(default=None, repr=False)


ListedTasks = Annotated[tuple[ListedTask, ...], BeforeValidator(_absent_as_empty)]
Tasks = Annotated[tuple[Task, ...], BeforeValidator(_absent_as_empty)]


class ConnectorListItem(Model):
    """A connector as the list shows it. `state` is the raw word or None when missing.

    Lists of some builds carry tasks' traces (6.2.2, seen by others). They are not read: what a list tells is kept as
    long as it is the last one, and only details are redacted.
    """

    name: str = Field(min_length=1)
    cluster: Shared = Field(min_length=1)
    lrn: Word = ""
    state: StateWord = None
    tasks: ListedTasks = ()
    class_name: Shared | None = None
    type: StateWord = None


DETAILS = frozenset(
    {"name", "lrn", "state", "type", "className", "workerId", "version", "author", "icon", "cluster", "tasks", "code"}
)
"""Fields beside `config` that the details have, and that `__errors` may name as well."""


class ConnectorDetails(ConnectorListItem):
    """A connector in full.

    `config` is None when Lenses sent none: unknown, not empty. `config_hidden` and `hidden_keys` say what Lenses
    withheld by permission; a key in `hidden_keys` may be masked or missing in `config`.
    """

    tasks: Tasks = ()
    worker_id: str | None = None
    version: str | None = None
    config: Config | None = Field(default=None, repr=False)
    config_hidden: bool = False
    hidden_keys: frozenset[str] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _read_hidden(cls, data: Any) -> Any:
        errors = data.get("__errors") if isinstance(data, Mapping) else None
        if not isinstance(errors, list):
            return data
        fields = {str(error["field"]) for error in errors if isinstance(error, Mapping) and "field" in error}
        keys = frozenset(field.removeprefix("config.") for field in fields - {"config"})
        return {**data, "config_hidden": "config" in fields, "hidden_keys": keys}

    @property
    def hidden_in_config(self) -> frozenset[str]:
        """Those of `hidden_keys` that can be nothing but a key of the configuration."""
        return self.hidden_keys - DETAILS


class ConnectorRequest(Model):
    """A connector to create or to validate. The configuration may hold Secrets, so its repr leaves it out."""

    name: str = Field(min_length=1)
    cluster: str = Field(min_length=1)
    configuration: Mapping[str, str] = Field(repr=False)


class Plugin(Model):
    """A connector class that a cluster has installed."""

    class_name: str = Field(alias="class")
    cluster: str
    name: str | None = None
    type: str | None = None
    version: str | None = None


class ValidationField(Model):
    """Connect's verdict on one key. `errors` may quote values, so the repr shows the name alone."""

    name: str
    errors: Annotated[tuple[str, ...], BeforeValidator(_absent_as_empty)] = Field(default=(), repr=False)
    value: Annotated[str | None, BeforeValidator(_text)] = Field(default=None, repr=False)


class ValidationResult(Model):
    """What Connect says of a configuration; valid when `errors` is empty (the API answers 200 either way)."""

    class_name: str = Field(alias="class")
    fields: Annotated[tuple[ValidationField, ...], BeforeValidator(_absent_as_empty)] = Field(
        default=(), alias="configuration", repr=False
    )

    @property
    def errors(self) -> dict[str, tuple[str, ...]]:
        """Key to its messages, in Connect's order; only keys that have any."""
        found: dict[str, tuple[str, ...]] = {}
        for field in self.fields:
            if field.errors:
                found[field.name] = found.get(field.name, ()) + field.errors
        return found


class EnvironmentStatus(Model):
    """Missing where this Lenses does not say."""

    agent_connected: bool | None = Field(default=None, alias="agent_connected")


class EnvironmentInfo(Model):
    """An environment as HQ shows it; not part of the Kafka Connect API's description, so all else is optional."""

    name: Word = ""
    display_name: Word = Field(default="", alias="display_name")
    status: EnvironmentStatus | None = None


class EnvironmentList(Model):
    """Those that a token may see."""

    items: Annotated[tuple[EnvironmentInfo, ...], BeforeValidator(_absent_as_empty)]


class ClusterInfo(Model):
    """A Connect cluster that answers."""

    name: str
    version: str


class OffsetsText(Model):
    """Offsets as read: `text` is the exact JSON of the array, `entries` how many it holds."""

    text: str = Field(repr=False)
    entries: int


class OffsetEntry(Model):
    """One partition and its offset; `offset` is None when null or absent, which Connect treats alike."""

    partition: SkipValidation[Json]
    offset: SkipValidation[Json] = None


class FieldError(Model):
    """One field that the API refused. `error` may quote the value."""

    field: Word = ""
    error: Word = Field(default="", repr=False)


class ConnectorList(Model):
    """The answer of the list; the API leaves `data` optional."""

    data: Annotated[tuple[ConnectorListItem, ...], BeforeValidator(_absent_as_empty)] = ()


class ConnectorName(NamedTuple):
    """What is left of a connector in a list, for callers that need no more."""

    cluster: str
    name: str


def _named(value: Any, read: Callable[[Any], ConnectorListItem]) -> ConnectorName:
    """What has been read already stays."""
    if isinstance(value, ConnectorName):
        return value
    item = read(value)
    return ConnectorName(item.cluster, item.name)


if TYPE_CHECKING:
    NamedItem = ConnectorName
else:
    NamedItem = Annotated[ConnectorListItem, WrapValidator(_named)]


class ConnectorNames(Model):
    """A ConnectorList that keeps names alone; each item is parsed as a whole."""

    data: Annotated[tuple[NamedItem, ...], BeforeValidator(_absent_as_empty)] = ()


class PluginList(Model):
    """The answer of the plugin list; the API leaves `data` optional."""

    data: Annotated[tuple[Plugin, ...], BeforeValidator(_absent_as_empty)] = ()


class Message(Model):
    """What altering and resetting offsets answers."""

    message: str


def _no_constant(word: str) -> Json:
    raise ValueError(f"{word} is not JSON")


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("a number is out of all bounds") from None


_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_no_constant)
_BLANK = " \t\n\r"


def parse_offsets(text: str) -> list[OffsetEntry]:
    """The entries of a JSON array of `{partition, offset}`; numbers as int or Decimal.

    Raises ValueError for anything else; the message never quotes the text.
    """
    try:
        array = text.lstrip(_BLANK).startswith("[")
        entries: Json = [value for value, _, _ in elements(text, _DECODER)] if array else _DECODER.decode(text)
    except (ValueError, RecursionError) as failure:
        raise ValueError(f"offsets are not JSON: {_plain(failure)}") from None
    if not isinstance(entries, list):
        raise ValueError("offsets are not a JSON array")  # noqa: TRY004  (one kind of error for the caller)
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or "partition" not in entry:
            raise ValueError(f"offsets[{index}] is not an object with a partition")
    return [OffsetEntry(partition=entry["partition"], offset=entry.get("offset")) for entry in entries]


def offsets_of(body: str) -> OffsetsText:
    """Cuts the `offsets` array out of an answer without re-writing a character of it.

    Raises ValueError when the body is not such an answer. An absent or null array is an empty one.
    """
    text = member_text(body, "offsets") or "[]"
    if text == "null":
        text = "[]"
    return OffsetsText(text=text, entries=len(parse_offsets(text)))


def member_text(body: str, wanted: str) -> str | None:
    """The exact text of one member of a JSON object; the last one wins, as in every JSON parser."""
    found = None
    try:
        if body.lstrip(_BLANK).startswith("{"):
            for key, begin, end in members(body, _DECODER):
                if key == wanted:
                    found = body[begin:end]
            return found
        _DECODER.decode(body)
    except (ValueError, RecursionError) as failure:
        raise ValueError(f"the answer is not JSON: {_plain(failure)}") from None
    raise ValueError("the answer is not a JSON object")


def _plain(failure: Exception) -> str:
    match failure:
        case json.JSONDecodeError():
            return f"{failure.msg} at character {failure.pos}"
        case RecursionError():
            return "nested too deeply"
        case _:
            return str(failure)
