"""Every command explains itself, and the list of them costs no import of what they need."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from harness.paths import ROOT
from harness.waiting import HANG
from lenses_operator.cli import COMMANDS, DAILY, main

HEAVY = ("aiohttp", "httpx", "kopf", "kubernetes.aio.client.api_client", "pydantic", "rich", "yaml")


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = dict(commands(main))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_and_option_is_explained(path: tuple[str, ...]) -> None:
    command = ALL[path]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.opts
    printed = CliRunner().invoke(main, [*path, "--help"])
    assert printed.exit_code == 0
    if not isinstance(command, click.Group):
        names = ("kubectl lenses", "lenses-operator")
        assert any(f"{name} {' '.join(path)}" in (command.epilog or "") for name in names), "an example"
        assert "Example" in printed.output


@pytest.mark.parametrize("path", [(), *ALL], ids=" ".join)
def test_help_fits_a_terminal(path: tuple[str, ...]) -> None:
    printed = CliRunner().invoke(main, [*path, "--help"], terminal_width=80).output
    assert [line for line in printed.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("path", [(), *ALL], ids=" ".join)
def test_no_word_stands_twice(path: tuple[str, ...]) -> None:
    """As after a sentence was changed by hand, across the end of a line too."""
    printed = CliRunner().invoke(main, [*path, "--help"], terminal_width=80).output
    assert re.findall(r"(?<![\w-])([a-z]+)\s+\1(?![\w-])", printed) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_in_the_list_is_the_beginning_of_its_help(name: str) -> None:
    command = ALL[(name,)]
    assert command.get_short_help_str(200).rstrip(".") == COMMANDS[name].rstrip(".")


@pytest.mark.parametrize("variables", [{}, {"_LENSES_OPERATOR_COMPLETE": "bash_complete", "COMP_CWORD": "1"}])
def test_listing_imports_none_of_them(variables: dict[str, str]) -> None:
    """Completion asks at each key press."""
    code = (
        "import sys, lenses_operator.cli as cli\n"
        "try: cli.main(prog_name='lenses-operator', args=['--help'])\n"
        "except SystemExit: pass\n"
        "print('LOADED', *sys.modules)"
    )
    printed, loaded = run(code, {"COMP_WORDS": "lenses-operator ", **variables} if variables else {})
    assert all(path[0] in printed for path in ALL)
    assert not {*HEAVY} & loaded


def run(code: str, variables: dict[str, str]) -> tuple[str, set[str]]:
    """What it printed, and the modules it loaded, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=HANG,
        env={"PYTHONPATH": str(ROOT / "operator"), **variables},
    )
    printed, _, loaded = done.stdout.partition("LOADED")
    return printed, {*loaded.split()}


def test_help_and_wrong_usage_need_no_client() -> None:
    """They come at once."""
    lines = [*([*path, "--help"] for path in ALL if path[0] in DAILY), ["pause"], ["status", "a", "-A"]]
    code = (
        "import sys, lenses_operator.cli as cli\n"
        f"for words in {lines!r}:\n"
        "    try: cli.main(prog_name='kubectl lenses', args=words)\n"
        "    except SystemExit: pass\n"
        "print('LOADED', *sys.modules)"
    )
    printed, loaded = run(code, {})
    assert printed.count("Usage: ") == len([path for path in ALL if path[0] in DAILY])
    assert not {"aiohttp", "kubernetes.aio.client.api_client"} & loaded


def test_the_index_names_every_command_once() -> None:
    table = (ROOT / "docs" / "cli" / "README.md").read_text().partition("\n## ")[0]
    named = re.findall(r"^\| \[?`([a-z ]+)`", table, re.MULTILINE)
    assert sorted(named) == sorted(" ".join(path) for path in ALL if not isinstance(ALL[path], click.Group))


@pytest.mark.parametrize("words", [("status",), ("offsets", "show", "orders"), ("adopt",), ("doctor",)])
def test_a_kubeconfig_that_is_not_there_is_named(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, [*words, "--kubeconfig", "/no/such/file"])
    assert done.exit_code == 2
    assert "File '/no/such/file' does not exist" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pause", "orders", "--timeout", "5m"), "no effect without --wait"),
        (("doctor", "--environment", "prod", "--skip-kubernetes", "--context", "prod"), "with --skip-kubernetes"),
        (("plan", "-f", ".", "--context", "prod"), "no effect without --cluster-refs"),
    ],
)
def test_an_option_that_would_do_nothing_alone_is_not_passed_over(words: tuple[str, ...], said: str) -> None:
    lenses = {"LENSES_OPERATOR_LENSES_URL": "http://127.0.0.1:1", "LENSES_OPERATOR_LENSES_TOKEN_FILE": __file__}
    done = CliRunner().invoke(main, words, env=lenses)
    assert said in " ".join(done.stderr.split())
    assert done.exit_code == (1 if words[0] == "plan" else 2)
