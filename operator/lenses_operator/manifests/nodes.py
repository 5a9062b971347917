"""A YAML stream as plain values, with the line of every field and a note of what would not arrive as written."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from lenses_operator.manifests.scalars import Scalar, as_json, plain_value

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from the root of a document."""
TAG = "tag:yaml.org,2002:"
PLAIN = TAG + "plain"
DEEP = 100
"""Nesting from which a document is refused: an alias inside itself has no end."""
MANY = 500_000
"""Nodes from which a document is refused: aliases of aliases grow without bound."""


@dataclass(frozen=True)
class Written:
    """A plain scalar whose value is not its text: `written` is the text in the file."""

    path: Path
    line: int
    written: str
    value: Scalar


@dataclass(frozen=True)
class Remark:
    """A comment on the line where a plain scalar ends. `comment`: from its `#` on."""

    path: Path
    line: int
    value: Scalar
    comment: str


@dataclass(frozen=True)
class Problem:
    """Something that must be fixed. `line` counts from 1."""

    line: int
    message: str
    path: Path = ()


@dataclass
class Tree:
    """One document. `lines`: the line of each field; a list's items and a map's values alike."""

    line: int
    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    written: list[Written] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""Where a YAML parser begins a new line."""
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """Keeps plain scalars apart from quoted ones; their values are ours to find."""

    def resolve(self, kind: type[yaml.Node], value: str, implicit: Any) -> str:
        if kind is yaml.ScalarNode and implicit[0]:
            return PLAIN
        found: str = super().resolve(kind, value, implicit)
        return found


def trees(text: str) -> Iterator[Tree]:
    """The documents of a stream, empty ones left out. A syntax error ends it: the last tree is its Problem alone."""
    loader, lines = _Loader(text), _BREAK.split(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None and not (node.tag == PLAIN and node.value == ""):
                yield _Reader(node, lines).tree
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = mark.line + 1 if mark else 1
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
        hint = "; render templates before planning them" if "{{" in text else ""
        yield Tree(line, problems=[Problem(line, f"not YAML: {what}{hint}")])
    except RecursionError:
        yield Tree(1, problems=[Problem(1, "nested too deeply")])
    finally:
        loader.dispose()


class _TooMuchError(Exception):
    pass


class _Reader:
    def __init__(self, root: yaml.Node, text: list[str]) -> None:
        """`text`: the lines of the whole stream."""
        self.tree = Tree(_line(root))
        self._text = text
        self._count = 0
        try:
            self.tree.value = self._value(root, ())
        except _TooMuchError as error:
            self._problem(root, (), str(error))

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self._count += 1
        if len(path) > DEEP or self._count > MANY:
            raise _TooMuchError("nested too deeply" if len(path) > DEEP else "too large once its aliases are resolved")
        self.tree.lines.setdefault(path, _line(node))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._mapping(node, path)

    def _mapping(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = None if _is_merge(key_node) else self._key(key_node, path)
            if key is None:
                continue
            if key in seen:
                where = ".".join(map(str, (*path, key)))
                message = f"{where} is given twice, first in line {seen[key]}; one of the two would be lost"
                self._problem(key_node, path, message)
                continue
            seen[key] = _line(key_node)
            self.tree.lines[(*path, key)] = _line(key_node)
            found[key] = self._value(value_node, (*path, key))
        for merged in self._merged(node, path):
            for key_node, value_node in merged:
                key = self._key(key_node, path)
                if key is not None and key not in found:
                    self.tree.lines[(*path, key)] = _line(key_node)
                    found[key] = self._value(value_node, (*path, key))
        return found

    def _merged(self, node: yaml.Node, path: Path, depth: int = 0) -> Iterator[list[tuple[yaml.Node, yaml.Node]]]:
        """What `<<` brings, the first to name a key first."""
        if depth > DEEP:
            raise _TooMuchError("nested too deeply")
        for key, value in node.value:
            if not _is_merge(key):
                continue
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if not isinstance(source, yaml.MappingNode):
                    self._problem(key, path, "<< takes a map, or a list of maps")
                    continue
                self._count += 1 + len(source.value)
                if self._count > MANY:
                    raise _TooMuchError("too large once its aliases are resolved")
                yield [pair for pair in source.value if not _is_merge(pair[0])]
                yield from self._merged(source, path, depth + 1)

    def _key(self, node: yaml.Node, path: Path) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self._problem(node, path, "a key must be text")
            return None
        value = as_json(plain_value(node.value)) if node.tag == PLAIN else node.value
        if isinstance(value, str):
            return value
        key = _key_text(value)
        if key != node.value:
            self._problem(node, path, f"the key {node.value} would become {key!r}: quote it")
        return key

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Scalar:
        if node.tag == TAG + "binary":
            try:
                return base64.b64decode(node.value).decode()
            except (binascii.Error, ValueError):
                self._problem(node, path, "!!binary holds no base64 of text")
                return None
        numeric = node.tag in (TAG + "int", TAG + "float", TAG + "bool", TAG + "null")
        if node.tag != PLAIN and not numeric:
            return str(node.value)
        raw = plain_value(node.value)
        if isinstance(raw, float) and not math.isfinite(raw):
            self._problem(node, path, f"{node.value} is no number that JSON has: quote it if it is text")
            return None
        value = as_json(raw)
        self._remark(node, path, value)
        if not isinstance(value, str) and _key_text(value) != node.value:
            self.tree.written.append(Written(path, _line(node), node.value, value))
        return value

    def _remark(self, node: yaml.ScalarNode, path: Path, value: Scalar) -> None:
        if node.style or node.end_mark.line >= len(self._text):
            return
        rest = self._text[node.end_mark.line][node.end_mark.column :]
        if rest[:1] in (" ", "\t") and rest.lstrip(" \t").startswith("#"):
            self.tree.remarks.append(Remark(path, _line(node), value, rest.strip()))

    def _problem(self, node: yaml.Node, path: Path, message: str) -> None:
        self.tree.problems.append(Problem(_line(node), message, path))


def _is_merge(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == PLAIN and node.value == "<<"


def _key_text(value: Scalar) -> str:
    """As JSON writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
