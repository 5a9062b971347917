"""docs/metrics.md names what there is, and nothing else."""

from __future__ import annotations

import json
import logging
import re

import pytest

from harness.paths import ROOT
from lenses_operator.observability.logging import FIELDS, about, configure
from unit.observability.full import Full

DOC = (ROOT / "docs" / "metrics.md").read_text()


def rows(columns: int) -> list[list[str]]:
    cells = [
        line.strip("| ").split(" | ") for line in DOC.replace("| |", "|  |").splitlines() if line.startswith("| `")
    ]
    return [[cell.strip() for cell in row] for row in cells if len(row) == columns]


def words(cell: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", cell))


def test_every_metric_with_its_type_and_labels() -> None:
    said = {row[0].strip("`"): (row[1], words(row[2])) for row in rows(4)}
    there = {}
    for family in Full().families().values():
        if family.name.startswith("lenses_operator_"):
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            there[family.name + ("_total" if family.type == "counter" else "")] = (family.type, labels)
    assert said == there


def test_every_field_of_a_line() -> None:
    assert {name for row in rows(2) for name in words(row[0])} == set(FIELDS)


def test_the_line_shown_is_one_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    [shown] = [json.loads(line) for line in DOC.splitlines() if line.startswith('{"time"')]
    root, own = logging.getLogger(), logging.getLogger("lenses_operator")
    before = list(root.handlers), root.level, own.level
    try:
        configure("json", "INFO")
        with about(**{name: shown[name] for name in FIELDS if name in shown}):
            logging.getLogger(shown["logger"]).info("%s", shown["message"])
    finally:
        root.handlers = before[0]
        root.setLevel(before[1])
        own.setLevel(before[2])
    assert json.loads(capsys.readouterr().err) | {"time": shown["time"]} == shown
