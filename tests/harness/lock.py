"""The locks in requirements/ as data, and what was noted when they were reviewed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.metadata import requires

from packaging.requirements import Requirement

from harness.paths import ROOT

RUNTIME = ROOT / "requirements" / "runtime.txt"
DEVELOPMENT = ROOT / "requirements" / "dev.txt"
REVIEWED = ROOT / "requirements" / "reviewed.toml"
PROJECT = "lenses-operator"
IMAGE = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.0",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.11.0",
    "python_version": "3.11",
    "sys_platform": "linux",
}
"""What markers are judged by: the image's, whatever this machine has."""


@dataclass(frozen=True)
class Locked:
    """`hashes`: SHA-256, one of each file that may be installed."""

    version: str
    marker: str
    hashes: tuple[str, ...]


@dataclass(frozen=True)
class Reviewed:
    """`needed_by`: who asks for it directly, the project itself included."""

    version: str
    licence: str
    needed_by: tuple[str, ...]
    reviewed: date


def locked(text: str) -> dict[str, Locked]:
    """By name, from a requirements file with hashes."""
    found = {}
    for match in re.finditer(r"^(\S+?)==(\S+)(?: ; (.*?))?((?: \\\n    --hash=\S+)*)$", text, re.MULTILINE):
        name, version, marker, hashes = match.groups()
        found[name] = Locked(version, marker or "", tuple(re.findall(r"sha256:([0-9a-f]{64})\b", hashes)))
    return found


def reviewed() -> dict[str, Reviewed]:
    table = tomllib.loads(REVIEWED.read_text())["packages"]
    return {name: Reviewed(**(row | {"needed_by": tuple(row["needed_by"])})) for name, row in table.items()}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def needs(name: str, extras: frozenset[str] = frozenset()) -> Mapping[str, frozenset[str]]:
    """What an installed package asks for in the image: names, and which of their extras."""
    found: dict[str, frozenset[str]] = {}
    for line in requires(name) or ():
        asked = Requirement(line)
        if asked.marker is None or any(asked.marker.evaluate(IMAGE | {"extra": extra}) for extra in {"", *extras}):
            found[normal(asked.name)] = found.get(normal(asked.name), frozenset()) | frozenset(asked.extras)
    return found


def graph(roots: Mapping[str, frozenset[str]]) -> dict[str, set[str]]:
    """For the project and everything below it: what it asks for. `roots`: what the project does."""
    found: dict[str, set[str]] = {PROJECT: set(roots)}
    waiting = list(roots.items())
    seen: dict[str, frozenset[str]] = {}
    while waiting:
        name, extras = waiting.pop()
        if name in seen and extras <= seen[name]:
            continue
        seen[name] = seen.get(name, frozenset()) | extras
        asked = needs(name, seen[name])
        found[name] = set(asked)
        waiting += asked.items()
    return found


def roots_of(lines: list[str]) -> dict[str, frozenset[str]]:
    """Requirements as pyproject.toml has them."""
    asked = [Requirement(line) for line in lines]
    return {normal(one.name): frozenset(one.extras) for one in asked}
