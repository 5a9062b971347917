"""Where the bearer token comes from. Reprs and errors never show one."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Protocol

_UNSHOWN = "the token file, whose name is not shown since it may be the token itself,"
_LIMIT = 64 * 1024  # bytes; a file beyond that is not a token


class TokenSource(Protocol):
    """A token that may change while the process runs."""

    def current(self) -> str:
        """The token to send now."""

    def refresh(self) -> bool:
        """Reads again, since Lenses refused the token; True if it is another one now."""


class StaticToken:
    """A token that never changes. Raises ValueError for one that no header can carry."""

    def __init__(self, value: str) -> None:
        self._value = _checked(value, "the token")

    def __repr__(self) -> str:
        return "StaticToken(***)"

    def current(self) -> str:
        return self._value

    def refresh(self) -> bool:
        return False


class TokenFile:
    """A token in a file, such as a mounted Secret, re-read when the file changes.

    Raises ValueError naming the path when there is no usable token at the start. Later a file that vanishes or
    holds none leaves the last token in use: a mount is empty for a moment while Kubernetes replaces it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._stamp()
        try:
            self._value = self._read()
        except OSError as failure:
            shown = f"token file {path}" if path.is_absolute() else _UNSHOWN
            raise ValueError(f"{shown} cannot be read: {failure.strerror}") from None

    def __repr__(self) -> str:
        return f"TokenFile({str(self._path)!r})"

    def current(self) -> str:
        # One stat per request costs microseconds; it follows the symlinks that a Secret's mount swaps.
        if self._stamp() != self._seen:
            self.refresh()
        return self._value

    def refresh(self) -> bool:
        before = self._value
        stamp = self._stamp()  # taken before reading: a write in between is then seen by the next look
        with contextlib.suppress(OSError, ValueError):
            self._value = self._read()
        self._seen = stamp
        return self._value != before

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = os.stat(self._path)
        except OSError:
            return ()
        return (found.st_mtime_ns, found.st_ino, found.st_dev, found.st_size)

    def _read(self) -> str:
        with self._path.open("rb") as file:
            content = file.read(_LIMIT + 1)
        if len(content) > _LIMIT:
            raise ValueError(f"token file {self._path} is larger than {_LIMIT} bytes")
        return _checked(content.decode("utf-8", "replace"), f"token file {self._path}")


def _checked(value: str, what: str) -> str:
    """A header library quotes what it refuses, so nothing that it would refuse may get there."""
    token = value.strip()
    if not token:
        raise ValueError(f"{what} is empty")
    if not all("!" <= character <= "~" for character in token):
        raise ValueError(f"{what} holds a character that no token has (white space inside, control or non-ASCII)")
    return token
