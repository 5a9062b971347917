"""What is remembered between passes: each value has one module that replaces it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from lenses_operator.controllers import connector
from lenses_operator.controllers.connector.memory import Memory
from lenses_operator.controllers.redaction import Confidential

PACKAGE = Path(connector.__path__[0])
BESIDE = {"deleting": "delete", "unconfirmed": "report"}
"""Values that are defined elsewhere."""
FOR_GOOD = {"uid", "confidential", "pacing"}


def owners() -> dict[str, str]:
    """The module of each value's class."""
    values = {name: next(iter(get_args(hint)), hint) for name, hint in get_type_hints(Memory).items()}
    defined = {name: BESIDE.get(name, value.__module__.rpartition(".")[2]) for name, value in values.items()}
    return {name: module for name, module in defined.items() if name not in FOR_GOOD}


def targets(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.Assign(targets=found):
            for one in found:
                yield from one.elts if isinstance(one, ast.Tuple) else [one]
        case ast.AugAssign(target=one) | ast.AnnAssign(target=one):
            yield one


def replaced(module: Path) -> set[str]:
    """The fields of memory that a module assigns."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        for target in targets(node):
            match target:
                case ast.Attribute(value=ast.Name(id="memory") | ast.Attribute(attr="memory"), attr=name):
                    found.add(name)
    return found


def test_each_value_is_replaced_by_its_owner_alone() -> None:
    by_module = {path.stem: replaced(path) for path in PACKAGE.glob("*.py")}
    found = {name: {module for module, names in by_module.items() if name in names} for name in owners()}
    assert found == {name: {owner} for name, owner in owners().items()}
    assert not set().union(*by_module.values()) & FOR_GOOD


def test_connectors_that_nothing_has_happened_to_share_their_values() -> None:
    one, other = (Memory(uid, Confidential()) for uid in ("one", "other"))
    shared: dict[str, Any] = {field.name: getattr(one, field.name) for field in fields(Memory)}
    for name in owners():
        assert getattr(other, name) is shared[name]
        hash(shared[name])  # it is frozen
