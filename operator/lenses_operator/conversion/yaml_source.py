"""The objects of a YAML file with the line of each key, and what a JSON value of theirs was for Kafka Connect."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from lenses_operator.manifests.nodes import Path, Tree, trees


class Unreadable(ValueError):  # noqa: N818 - says what is the matter
    """The text cannot be read; `line` counts from 1, None where it is not known. The message holds no values."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class Lined(dict[str, Any]):
    """A mapping that knows the line of each key, how a plain scalar was written, and the comment behind it."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}
        self.written: dict[str, str] = {}
        self.comments: dict[str, str] = {}

    def mapping(self, key: str) -> Lined:
        """An empty one where there is none. Raises Unreadable where it is of another type."""
        found = self.get(key)
        if found is None:
            return Lined(self.line_of(key))
        if not isinstance(found, Lined):
            raise Unreadable(f"{key} is not a mapping", self.line_of(key))
        return found

    def line_of(self, key: str) -> int:
        return self.lines.get(key, self.line)


def documents(text: str) -> Iterator[Lined]:
    """Every object of the file; those of a `kind: List` one by one. Raises Unreadable."""
    for tree in trees(text.removeprefix("\ufeff")):
        for problem in tree.problems:
            raise Unreadable(problem.message, problem.line)
        found = lined(tree, (), tree.value)
        if not isinstance(found, Lined):
            raise Unreadable("a document is not a mapping", tree.line)
        yield from _items(found)


def lined(tree: Tree, at: Path, value: Any) -> Any:
    """`value`, which stands `at` this place of the tree, with the lines of what is in it."""
    told = _Told({one.path: one.written for one in tree.written}, {one.path: one.comment for one in tree.remarks})
    return _lined(tree, told, at, value)


def _items(found: Lined) -> Iterator[Lined]:
    if not str(found.get("kind", "")).endswith("List") or not isinstance(found.get("items"), list):
        yield found
        return
    for item in found["items"]:
        if not isinstance(item, Lined):
            raise Unreadable("an item of the list is not a mapping", found.line_of("items"))
        yield item


class _Told(NamedTuple):
    written: dict[Path, str]
    comments: dict[Path, str]


def _lined(tree: Tree, told: _Told, path: Path, value: Any) -> Any:
    if isinstance(value, list):
        return [_lined(tree, told, (*path, index), item) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    found = Lined(tree.lines[path])
    for key, inner in value.items():
        below = (*path, key)
        found[key] = _lined(tree, told, below, inner)
        found.lines[key] = tree.lines[below]
        if below in told.written or isinstance(inner, float):
            found.written[key] = told.written.get(below, str(inner))
        if below in told.comments:
            found.comments[key] = told.comments[below]
    return found


def as_text(value: object) -> str | None:
    """What Kafka Connect made of a JSON value that a Java program sent on; None where it is no scalar or no number."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | str():
            return str(value)
        case float() if math.isfinite(value):
            return _java(value)
        case _:
            return None


def _java(value: float) -> str:
    """As Java writes a double: 0.5, 1.0E-4, 1.0E21."""
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, _ = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{Decimal(repr(value)).adjusted()}"
