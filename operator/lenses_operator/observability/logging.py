"""Log lines for machines (json) or people (text)."""

from __future__ import annotations

import logging
import sys
from typing import Literal

from pythonjsonlogger.json import JsonFormatter

OURS = "lenses_operator"
EXTRA = ("resource", "connector", "environment", "operation")


class TextFormatter(logging.Formatter):
    """One line, our extra fields at the end as key=value."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        extra = " ".join(f"{name}={getattr(record, name)}" for name in EXTRA if hasattr(record, name))
        return f"{line} [{extra}]" if extra else line


def configure(log_format: Literal["json", "text"], level: str) -> None:
    """To standard error. Libraries only speak up when something is wrong: their debug lines may quote requests."""
    handler = logging.StreamHandler(sys.stderr)
    if log_format == "json":
        handler.setFormatter(
            JsonFormatter(
                "%(asctime)s %(levelname)s %(name)s %(message)s",
                rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            )
        )
    else:
        handler.setFormatter(TextFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level)
