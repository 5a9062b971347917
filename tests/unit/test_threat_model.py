"""docs/threat-model.md names files and tests that are there; each threat has a guard and a test."""

from __future__ import annotations

import ast
import re

import pytest

from harness.paths import ROOT

PAGE = (ROOT / "docs" / "threat-model.md").read_text()
NAMED = re.findall(r"`((?:operator|tests|requirements|helm)/[^`]+)`", PAGE)
BOUNDARIES = PAGE.partition("## Boundaries")[2].partition("## What remains")[0]
THREATS = re.findall(r"^\| [A-Z] \|.*$", BOUNDARIES, re.MULTILINE)


@pytest.mark.parametrize("named", sorted(set(NAMED)))
def test_what_is_named_exists(named: str) -> None:
    path, _, test = named.partition("::")
    assert (ROOT / path).is_file()
    if test:
        functions = ast.FunctionDef | ast.AsyncFunctionDef
        assert test in {node.name for node in ast.parse((ROOT / path).read_text()).body if isinstance(node, functions)}


def test_every_threat_is_guarded_and_shown() -> None:
    assert len(THREATS) > 30
    for threat in THREATS:
        letter, what, guard, shown = (cell.strip() for cell in threat.strip("|").split("|"))
        assert letter in set("STRIDE")
        assert what
        assert guard
        tests = re.findall(r"`([^`]+)`", shown)
        assert tests, threat
        for one in tests:
            assert re.fullmatch(r"tests/(unit|integration|fuzz|node)/\S*test_\w+\.py(::test_\w+)?", one), threat


def test_every_boundary_has_a_table() -> None:
    parts = BOUNDARIES.split("\n### ")[1:]
    assert len(parts) >= 9
    assert all("\n| " in part for part in parts)
