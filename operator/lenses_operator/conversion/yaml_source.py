"""YAML files as kubectl reads them, with line numbers.

kubectl turns YAML into JSON on its way to the API server: `yes` becomes true, `0644` 420 and `1.0` 1, and this is what
other operators got to see. PyYAML's own ideas of plain scalars differ in places, so they are decided here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import yaml

_PLAIN = "!plain"
_WORDS: dict[str, object] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"), math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)


class Unreadable(ValueError):  # noqa: N818 - says what is the matter
    """The text cannot be read; `line` counts from 1, None where it is not known. The message holds no values."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class Lined(dict[str, Any]):
    """A mapping that knows the line of each key, and how a plain scalar was written."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}
        self.written: dict[str, str] = {}

    def mapping(self, key: str) -> Lined:
        """An empty one where there is none. Raises Unreadable where something else stands there."""
        found = self.get(key)
        if found is None:
            return Lined(self.line_of(key))
        if not isinstance(found, Lined):
            raise Unreadable(f"{key} is not a mapping", self.line_of(key))
        return found

    def line_of(self, key: str) -> int:
        return self.lines.get(key, self.line)


class _Loader(yaml.SafeLoader):
    """Every plain scalar without a tag gets one tag; what it means is decided when it is read."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own way


_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile("<<$"), ["<"])
_Loader.add_implicit_resolver(_PLAIN, re.compile(""), None)


def documents(text: str) -> Iterator[Lined]:
    """Every object of the file; those of a `kind: List` one by one. Raises Unreadable."""
    loader = _Loader(text.removeprefix("\ufeff"))
    try:
        while loader.check_node():
            node = loader.get_node()
            assert node is not None  # it has just been looked for
            if isinstance(node, yaml.ScalarNode) and node.tag == _PLAIN and not node.value:
                continue  # nothing between two `---`
            found = _Reader(loader).read(node)
            if not isinstance(found, Lined):
                raise Unreadable("a document is not a mapping", node.start_mark.line + 1)
            yield from _items(found)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise Unreadable(f"not YAML: {problem}", mark.line + 1 if mark else None) from None


def _items(found: Lined) -> Iterator[Lined]:
    if not str(found.get("kind", "")).endswith("List") or not isinstance(found.get("items"), list):
        yield found
        return
    for item in found["items"]:
        if not isinstance(item, Lined):
            raise Unreadable("an item of the list is not a mapping", found.line_of("items"))
        yield item


class _Reader:
    def __init__(self, loader: _Loader) -> None:
        self._loader = loader

    def read(self, node: yaml.Node) -> Any:
        match node:
            case yaml.MappingNode():
                return self._mapping(node)
            case yaml.SequenceNode():
                return [self.read(item) for item in node.value]
            case yaml.ScalarNode() if node.tag == _PLAIN:
                return plain(node.value)
            case yaml.ScalarNode():
                return _tagged(node)
        raise Unreadable("neither a mapping nor a list nor a scalar", node.start_mark.line + 1)

    def _mapping(self, node: yaml.MappingNode) -> Lined:
        own = {id(key) for key, _ in node.value}
        self._loader.flatten_mapping(node)
        found = Lined(node.start_mark.line + 1)
        taken: set[str] = set()
        for key, value in node.value:
            word = self.read(key)
            if isinstance(word, Lined | list):
                raise Unreadable("a key is not a scalar", key.start_mark.line + 1)
            name = word if isinstance(word, str) else key.value
            if id(key) in own:
                if name in taken:
                    raise Unreadable(f"{name} stands there twice", key.start_mark.line + 1)
                taken.add(name)
            found[name] = self.read(value)
            found.lines[name] = key.start_mark.line + 1
            if isinstance(value, yaml.ScalarNode) and value.tag == _PLAIN:
                found.written[name] = value.value
        return found


def _tagged(node: yaml.ScalarNode) -> object:
    match node.tag.rpartition(":")[2]:
        case "int" | "float" | "bool" | "null":
            return plain(node.value)
        case _:
            return node.value


def plain(word: str) -> object:
    """What kubectl makes of a plain scalar: str, int, float, bool or None."""
    if word in _WORDS:
        return _WORDS[word]
    digits = word.replace("_", "") if word[:1].isdigit() or word[:1] in "+-" else word
    found = _INTEGER.fullmatch(digits)
    if found:
        sign, *bases = found.groups()
        value = next(int(text, base) for text, base in zip(bases, (16, 2, 8, 10), strict=True) if text is not None)
        return -value if sign == "-" else value
    if _FLOAT.fullmatch(digits):
        number = float(digits)
        return int(number) if number.is_integer() and abs(number) < 1e21 else number
    return word


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
