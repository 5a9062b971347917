"""The tables of the README and of docs/settings.md say what is there, and nothing else."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from harness.paths import ROOT
from lenses_operator.settings import Settings
from lenses_operator.variables import PREFIX

README = (ROOT / "README.md").read_text()
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
NO_VALUE = {
    "lenses_ca_file": "none",
    "lenses_proxy": "none",
    "policy_file": "none",
    "watch_namespaces": "all",
    "label_selector": "all",
} | {"leader_election_namespace": "its own"}
"""What the table says where the default is empty."""


def section(heading: str, text: str = README) -> str:
    """What stands below a heading, up to the next one."""
    return text.partition(f"{heading}\n")[2].partition("\n#")[0]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every row of its tables that begins with a word in code."""
    for line in text.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def code(cell: str) -> str:
    return cell.strip("` ")


def default_of(name: str) -> str:
    field = Settings.model_fields[name]
    if field.is_required():
        return "required"
    if name in NO_VALUE:
        assert not field.default
        return NO_VALUE[name]
    if isinstance(field.default, bool):
        return str(field.default).lower()
    return f"{field.default:g}" if isinstance(field.default, float) else str(field.default)


def test_settings() -> None:
    said = {code(row[0]): row[1] for row in rows(section("# Settings", SETTINGS))}
    assert said == {f"{PREFIX}{name}".upper(): default_of(name) for name in Settings.model_fields}


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~\[; ]", requirement)[0] for requirement in requirements}


def test_dependencies() -> None:
    runtime, _, development = section("### Dependencies").partition("For development")
    assert {code(row[0]) for row in rows(runtime)} == names(PROJECT["project"]["dependencies"])
    assert {code(row[0]) for row in rows(development)} == names(PROJECT["dependency-groups"]["dev"])
    assert all(len(row) == 3 and all(row) for row in rows(section("### Dependencies")))


def test_make_targets() -> None:
    mentioned = set(re.findall(r"`make ([a-z-]+)`", section("## Development")))
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert mentioned == targets - {"help"}
