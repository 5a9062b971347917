"""One line at a terminal that says what is waited for; nothing elsewhere."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lenses_operator.resources.text import one_row

CLEAR = "\r\x1b[2K"


@contextmanager
def waiting_line() -> Iterator[Callable[[str], None]]:
    """On standard error, gone at the end; call what it gives with the line as it is now, empty before other output."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return

    def show(text: str) -> None:
        room = shutil.get_terminal_size().columns - 1
        text = one_row(text)
        sys.stderr.write(CLEAR + (text if len(text) <= room else f"{text[: room - 1]}…"))
        sys.stderr.flush()

    try:
        yield show
    finally:
        show("")
