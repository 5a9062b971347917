"""What commands print: tables for people, one JSON or YAML document for programs, progress for whoever waits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

import click
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from lenses_operator.resources.text import STAND_IN, escaped, plain

F = TypeVar("F", bound=Callable[..., Any])
Format = Literal["table", "json", "yaml"]


def output_option(command: F) -> F:
    """Adds -o/--output; the command gets `output`, a Format."""
    choice = click.Choice(["table", "json", "yaml"])
    return click.option("-o", "--output", type=choice, default="table", show_default=True, help="How to print it.")(
        command
    )


class _Console(Console):
    """What is printed comes from Lenses, clusters and files: nothing in it steers the terminal."""

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*(plain(one) if isinstance(one, str) else one for one in objects), **options)


def console(*, stderr: bool = False) -> Console:
    """Colours at a terminal only, unless NO_COLOR says none; lines are not cut where they go into a pipe."""
    return _Console(stderr=stderr, highlight=False, soft_wrap=True, markup=False)


def print_document(document: object, output: Format) -> None:
    """One JSON or YAML document on standard output."""
    if output == "json":
        click.echo(escaped(json.dumps(document, indent=2, ensure_ascii=False)))
    else:
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


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on standard error while there is a terminal; call what it gives after each step."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    terminal = console(stderr=True)
    with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
