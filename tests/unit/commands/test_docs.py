"""The pages of the commands show what the commands do."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from harness.paths import ROOT
from lenses_operator.cli import DAILY, main
from lenses_operator.conversion.exporting import exported
from lenses_operator.conversion.text import connector_text
from lenses_operator.lenses.models import ConnectorDetails

PAGES = ROOT / "docs" / "cli"


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text()


def test_the_migration_shown_is_the_real_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`cat` of the source, the command with what it tells, `cat` of the result."""
    block = re.search(r"```console\n(.*?)```", page("migrate"), re.DOTALL)
    assert block is not None
    source, run, result = (part.partition("\n") for part in block[1].split("$ ")[1:])
    monkeypatch.chdir(tmp_path)
    Path(source[0].removeprefix("cat ")).write_text(source[2])
    arguments, _, out = run[0].partition(" > ")
    assert result[0] == f"cat {out}"
    done = CliRunner().invoke(main, arguments.split()[1:])
    assert done.exit_code == 0
    assert done.stderr == run[2]
    assert done.stdout == result[2]


def test_the_manifest_shown_is_what_is_written() -> None:
    block = re.search(r"```yaml\n# [^\n]*\n(.*?)```", page("export"), re.DOTALL)
    assert block is not None
    shown = yaml.safe_load(block[1])
    spec = shown["spec"]
    values = {
        key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in spec["config"].items()
    }
    config = values | {one["key"]: "planted" for one in spec["configFrom"]}
    config |= {"connector.class": spec["class"], "tasks.max": str(spec["tasksMax"])}
    details = ConnectorDetails(name=spec["name"], cluster=spec["cluster"], state="RUNNING", config=config)
    name, namespace = shown["metadata"]["name"], shown["metadata"]["namespace"]
    assert connector_text(exported("prod", details, name, namespace).manifest) == block[1]


def options(command: click.Command) -> set[str]:
    return {word for parameter in command.params for word in parameter.opts if word.startswith("--")}


EVERYDAY = [
    *(name for name in DAILY if name != "offsets"),
    *(f"offsets {name}" for name in ("show", "set", "reset", "restore", "copy")),
]


@pytest.mark.parametrize("command", EVERYDAY)
def test_what_a_command_for_every_day_prints_is_shown(command: str) -> None:
    """tests/integration/docs runs it, and compares."""
    text = "".join(path.read_text() for path in sorted(PAGES.glob("*.md")))
    told = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    shown = [re.search(rf"^\$ kubectl lenses {command}\b[^\n]*\n(?!\$)[^\n]+", block, re.MULTILINE) for block in told]
    assert any(shown)


@pytest.mark.parametrize("command", EVERYDAY)
def test_every_option_for_every_day_is_named(command: str) -> None:
    """In the page that the index refers to; those that reach the cluster in the index itself."""
    index = page("README")
    found = re.search(rf"\[`{command}`\]\((\w+)\.md", index)
    assert found is not None
    named = set(re.findall(r"(--[a-z-]+)", page(found[1])))
    context = click.Context(main)
    one: click.Command | None = main
    for word in command.split():
        assert isinstance(one, click.Group)
        one = one.get_command(context, word)
    assert one is not None
    assert options(one) <= named | {"--kubeconfig", "--context", "--namespace"}


@pytest.mark.parametrize("name", ["export", "migrate"])
def test_every_option_is_there(name: str) -> None:
    command = getattr(importlib.import_module(f"lenses_operator.commands.{name}"), name)
    commands = command.commands.values() if isinstance(command, click.Group) else [command]
    documented = set(re.findall(r"`(--[a-z-]+)`", page(name)))
    for one in commands:
        assert options(one) - {"--filename", "--ask-types"} <= documented
        assert documented <= options(one) | {word for p in one.params for word in p.secondary_opts}
