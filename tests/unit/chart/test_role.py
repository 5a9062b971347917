"""The role for Lenses that the documentation and the chart's notes give is one and the same, and the doctor's."""

from __future__ import annotations

import re
from typing import Any

import yaml

from harness.paths import CHART, ROOT
from lenses_operator.diagnosis.environment_findings import CONFIGURATION, PERMISSIONS
from lenses_operator.diagnosis.visible import ACCESS


def documented() -> dict[str, Any]:
    page = (ROOT / "docs" / "security.md").read_text()
    [block] = re.findall(r"^```yaml\n(name: lenses-operator\n.*?)^```$", page, re.DOTALL | re.MULTILINE)
    role: dict[str, Any] = yaml.safe_load(block)
    return role


def noted() -> dict[str, Any]:
    notes = (CHART / "templates" / "NOTES.txt").read_text()
    found = re.search(r"^     name: lenses-operator\n(?:     .*\n)+", notes, re.MULTILINE)
    assert found is not None
    role: dict[str, Any] = yaml.safe_load(found[0])
    return role


def actions(role: dict[str, Any]) -> list[str]:
    return [action for statement in role["policy"] for action in statement["action"]]


def test_both_say_the_same() -> None:
    assert actions(documented()) == actions(noted())
    assert len(actions(documented())) == 12
    assert {statement["effect"] for statement in documented()["policy"]} == {"allow"}


def test_resources_have_a_type() -> None:
    """Agents up to 6.2.8 are documented to ignore those that have none."""
    for role in (documented(), noted()):
        assert all(one.count(":") == 2 for one in role["policy"][1]["resource"])


def test_what_the_doctor_names_is_in_it() -> None:
    assert {ACCESS, CONFIGURATION, *PERMISSIONS.values()} <= {*actions(documented())}
