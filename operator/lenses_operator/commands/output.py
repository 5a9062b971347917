"""What commands print: one JSON or YAML document for programs, and lines for people. Tables are in `terminal`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import click

from lenses_operator.resources.text import STAND_IN, escaped, plain

F = TypeVar("F", bound=Callable[..., Any])
Format = Literal["table", "json", "yaml"]


def output_option(command: F) -> F:
    """Adds -o/--output; the command gets `output`, a Format."""
    choice = click.Choice(["table", "json", "yaml"])
    return click.option("-o", "--output", type=choice, default="table", show_default=True, help="How to print it.")(
        command
    )


def print_document(document: object, output: Format) -> None:
    """One JSON or YAML document on standard output."""
    if output == "json":
        click.echo(escaped(json.dumps(document, indent=2, ensure_ascii=False)))
    else:
        import yaml  # here: nothing else that `doctor` does in a pod needs it

        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
        if text != plain(text):
            text = yaml.safe_dump(document, sort_keys=False)
        click.echo(text, nl=False)


def say(text: str) -> None:
    """One line on standard error. Names come from elsewhere: nothing in them steers the terminal or makes a line."""
    click.echo("".join(one if one.isprintable() else STAND_IN for one in text), err=True)


def complain(text: str) -> None:
    """One line on standard error that begins with the program's name."""
    context = click.get_current_context(silent=True)
    program = context.find_root().info_name if context else None
    say(f"{program or 'lenses-operator'}: {text}")
