"""The advice in a module's messages, as its source has it: what tells the reader to do something."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

VERBS = (
    "add|ask|change|check|clear|compare|correct|create|delete|drop|edit|fix|give|grant|install|look|make|move|name|pause|"
    "put|quote|raise|remove|rename|repair|restart|retry|see|set|shorten|split|start|stop|switch|turn|unset|upgrade|use|"
    "wait|write"
)
"""Of every advice that a message of this project has given, and some more."""
NO_ORDER = r"(?:the|a|an|its|this|their|no|any|to|not|may|can|cannot|could|would|must|that|of|same)"
ORDER = re.compile(rf"(?<![\w.-])(?<!{{)({VERBS})(?![\w.(:=-])", re.IGNORECASE)
HOLE = "…"


def messages(module: Path) -> list[str]:
    """Every text of the module but docstrings, with the module's own constants filled in and … for what it is given."""
    tree = ast.parse(module.read_text())
    known: dict[str, str] = {}
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str()) | ast.JoinedStr() as value):
                known[name] = _text(value, known)
    docstrings = {
        node.value for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    inner = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    return [
        _text(node, known)
        for node in ast.walk(tree)
        if (isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)))
        and node not in docstrings
        and node not in inner
    ]


def _text(node: ast.expr, known: dict[str, str]) -> str:
    match node:
        case ast.Constant(value=str() as value):
            return value
        case ast.JoinedStr(values=values):
            return "".join(_text(value, known) for value in values)
        case ast.FormattedValue(value=ast.Name(id=name)):
            return known.get(name, HOLE)
        case _:
            return HOLE


def not_followed(modules: Iterable[Path], followed: Iterable[str]) -> list[str]:
    """Each advice that no text of `followed` has, with the words around it."""
    phrases = sorted(set(followed), key=len, reverse=True)
    return [
        f"{module.name}: {text[max(0, found.start() - 40) : found.end() + 40]}"
        for module in modules
        for text in messages(module)
        if " " in text.strip()
        for found in ORDER.finditer(text)
        if not re.search(rf"\b{NO_ORDER} $", text[: found.start()], re.IGNORECASE)
        and not any(_spans(text, phrase, found.start()) for phrase in phrases)
    ]


def _spans(text: str, phrase: str, place: int) -> bool:
    return any(found.start() <= place < found.end() for found in re.finditer(re.escape(phrase), text))
