"""How far a `go build -v` is: the packages that it has compiled, of all that the program is made of.

Packages that are in Go's cache are compiled by nobody and named by nobody, so that a build may be over long before the
count is; and before the first package it downloads modules, which are counted as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

DOWNLOADING = "go: downloading "


@dataclass(frozen=True)
class Progress:
    """`of`: all packages, 0 where that is not known."""

    compiled: int
    downloaded: int
    of: int

    @classmethod
    def read(cls, log: Iterable[str], of: int) -> Progress:
        """Out of what the go command has printed so far: a package's path stands alone in its line."""
        compiled: set[str] = set()
        downloaded = 0
        for line in log:
            if line.startswith(DOWNLOADING):
                downloaded += 1
            elif _is_package(line):
                compiled.add(line.strip())
        return cls(len(compiled), downloaded, of)

    def __str__(self) -> str:
        if not self.compiled:
            return f"modules downloaded: {self.downloaded:,}" if self.downloaded else ""
        return f"packages compiled: {self.compiled:,}" + (f" of {self.of:,}" if self.of else "")


def downloads(log: Iterable[str]) -> str:
    """The same of a `go list`, which names packages that nobody compiles."""
    return str(Progress.read((line for line in log if line.startswith(DOWNLOADING)), 0))


def packages(listed: str) -> int:
    """How many `go list -deps` names."""
    return sum(1 for line in listed.splitlines() if _is_package(line))


def _is_package(line: str) -> bool:
    """Not a remark of the go command (`go: …`), nor a compiler's (`# package`, then `file.go:1:2: …`)."""
    word = line.strip()
    return bool(word) and not any(sign in word for sign in (" ", ":", "#", "\t"))


def listing(build: tuple[str, ...]) -> tuple[str, ...] | None:
    """The command that lists the packages of such a `go build`; None for anything else."""
    if build[:2] != ("go", "build"):
        return None
    return ("go", "list", "-deps", *(word for word in build[2:-1] if word.startswith("-modfile=")), build[-1])


def talking(build: tuple[str, ...]) -> tuple[str, ...]:
    """The same build, which names each package that it compiles."""
    return (*build[:2], "-v", *build[2:]) if listing(build) else build
