"""Log lines for machines (json) or people (text). Every line within a pass says which resource the pass is about."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Literal

from pythonjsonlogger.json import JsonFormatter

from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.text import one_row, plain

OURS = "lenses_operator"
FIELDS = (
    *("request", "kind", "namespace", "name"),
    *("environment", "cluster", "connector", "generation"),
    "operation",
)
"""In the order of a text line. `request` is the id of a pass, which its requests to Lenses carry too."""

_pass: ContextVar[Mapping[str, Any]] = ContextVar("pass", default=MappingProxyType({}))


@contextmanager
def about(**fields: Any) -> Iterator[None]:
    """Lines written in here carry these fields, from any module. A task started in here inherits them."""
    token = _pass.set({**_pass.get(), **fields})
    try:
        yield
    finally:
        _pass.reset(token)


def request_id() -> str:
    """Of the pass that is running; empty outside of one."""
    return str(_pass.get().get("request", ""))


def key_fields(key: ObjectKey) -> dict[str, Any]:
    """How a line names a resource."""
    return {"kind": key.kind, "namespace": key.namespace, "name": key.name}


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """The pass's, and what the line itself says: `extra={"resource": key}` or one of FIELDS."""
    own = record.__dict__
    said = {name: own[name] for name in FIELDS if name in own and name != "name"}  # a record's name is its logger's
    resource = own.get("resource")
    named = key_fields(resource) if isinstance(resource, ObjectKey) else {}
    found = {**_pass.get(), **named, **said}
    return {name: found[name] for name in FIELDS if found.get(name) is not None}


class TextFormatter(logging.Formatter):
    """One line, our fields at the end as key=value. Names and words come from elsewhere: none makes a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        fields = " ".join(f"{name}={one_row(str(value))}" for name, value in _fields(record).items())
        return f"{line} [{fields}]" if fields else line

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class' name
        return one_row(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the base class' name
        return plain(super().formatException(ei))


class JsonLines(JsonFormatter):
    """One object a line: time (RFC 3339, UTC), level, logger and message, then our fields."""

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s %(levelname)s %(name)s %(message)s",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        )
        self.converter = time.gmtime

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        super().add_fields(log_data, record, message_dict)
        log_data.pop("resource", None)
        log_data.update(_fields(record))


def configure(log_format: Literal["json", "text"], level: str) -> None:
    """To standard error. Libraries only speak up when something is wrong: their debug lines may quote requests."""
    handler = logging.StreamHandler(sys.stderr)
    if log_format == "json":
        handler.setFormatter(JsonLines())
    else:
        handler.setFormatter(TextFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level)
