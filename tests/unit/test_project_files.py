"""What people meet who report, ask or contribute: the forms ask for what helps, and the pages name what is there."""

from __future__ import annotations

import re
from typing import Any

import click
import pytest
import yaml

from harness.paths import ROOT
from lenses_operator.cli import main

FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
KINDS = {"markdown", "textarea", "input", "dropdown", "checkboxes"}
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()


def form(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / name).read_text())
    return found


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_forms_are_what_github_takes(path: Any) -> None:
    body = form(path.name)
    assert set(body) <= {"name", "description", "title", "labels", "body"}
    assert body["name"]
    assert body["description"]
    fields = [one for one in body["body"] if one["type"] != "markdown"]
    assert len({one["id"] for one in fields}) == len(fields)
    for one in body["body"]:
        assert one["type"] in KINDS
        assert set(one) <= {"type", "id", "attributes", "validations"}
        assert one["attributes"].get("label") or one["attributes"].get("value")


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_forms_ask_for_doctor(path: Any) -> None:
    """By a command line that there is."""
    (field,) = [one for one in form(path.name)["body"] if one.get("id") == "doctor"]
    said = re.findall(r"lenses-operator doctor ([^`]*)`", field["attributes"]["description"])
    assert said
    doctor = main.get_command(click.Context(main), "doctor")
    assert doctor is not None
    known = {word for option in doctor.params for word in option.opts}
    for words in said:
        assert {word for word in words.split() if word.startswith("-")} <= known
    assert form("bug.yml")["body"][2]["validations"]["required"] is True


def test_make_targets_and_paths_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for words in re.findall(r"(?:`|&& |^)make ([a-z][a-z -]*)", CONTRIBUTING, re.MULTILINE):
        for target in words.split():
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for path in re.findall(r"`((?:operator|tests|crds|helm|requirements|\.github|\.ci)/?[\w./-]*)`", CONTRIBUTING):
        assert (ROOT / path).exists(), path


def test_what_is_supported_begins_where_the_chart_does() -> None:
    chart = yaml.safe_load((ROOT / "helm" / "lenses-operator" / "Chart.yaml").read_text())
    (oldest,) = re.findall(r">=(\d+\.\d+)", chart["kubeVersion"])
    assert f"from {oldest} on" in " ".join((ROOT / "SECURITY.md").read_text().split())
