"""The command line. A command's module is imported when the command is run: `run` needs none of the others."""

from __future__ import annotations

import asyncio
import signal
import sys
from importlib import import_module
from importlib.metadata import version as installed_version
from typing import NoReturn

import click
from click.shell_completion import CompletionItem

COMMANDS = {
    "completion": "Print a script that completes commands and options in a shell.",
    "doctor": "Check a live installation and say what to do; changes nothing.",
    "export": "Write a LensesConnector for each connector that exists.",
    "migrate": "Convert connectors described elsewhere into LensesConnector manifests.",
    "offsets": "Take offsets from a connector, and go back from an offsets operation.",
    "plan": "Show what applying manifests would do in Lenses, without doing any of it.",
}
"""Name of the module in `commands`, which holds a click command of that name, and the line `--help` shows."""


EPILOG = """\b
Examples:
  lenses-operator run                                     # in the pod: settings come from the environment
  lenses-operator doctor --service-account ops/lenses-operator
  lenses-operator offsets restore orders-s3-rewind -n payments | kubectl create -f -

Each command says more: lenses-operator COMMAND --help"""

VERSION = """\b
Example:
  lenses-operator version"""

RUN = """\b
Example:
  LENSES_OPERATOR_LENSES_URL=https://lenses.example.com LENSES_OPERATOR_LENSES_TOKEN_FILE=token lenses-operator run

Kubernetes is reached as the pod's ServiceAccount, elsewhere through KUBECONFIG. Exit code 0: told to stop, 1: something
keeps it from running, 2: a setting is wrong or missing; each has a line that names it."""


class Commands(click.Group):
    """The commands below, and those of COMMANDS, none of which is imported to list or to complete their names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *COMMANDS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        found: click.Command = getattr(import_module(f"lenses_operator.commands.{cmd_name}"), cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(self._lines())

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [CompletionItem(name, help=line) for name, line in self._lines() if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def _lines(self) -> list[tuple[str, str]]:
        own = {name: command.get_short_help_str(100) for name, command in self.commands.items()}
        return sorted((own | COMMANDS).items())


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
def main() -> None:
    """Runs Kafka connectors from Kubernetes resources through the Lenses API, and helps whoever does so.

    Only `run` changes anything; the other commands read, print and end.
    """


@main.command(epilog=VERSION)
def version() -> None:
    """Print the version."""
    click.echo(installed_version("lenses-operator"))


@main.command(epilog=RUN)
def run() -> None:
    """Run the operator until it is told to stop.

    Settings come from variables with the prefix LENSES_OPERATOR_; docs/settings.md lists them.
    """
    # As process 1 of a container nothing would end it before it handles the signal by itself, a second from now.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    from lenses_operator import app
    from lenses_operator.kube.api import KubeError
    from lenses_operator.observability import logging
    from lenses_operator.settings import Settings, SettingsError

    try:
        settings = Settings.load()
        logging.configure(settings.log_format, settings.log_level)
        asyncio.run(app.run(settings))
    except SettingsError as error:
        _end(str(error), 2)
    except (KubeError, OSError) as error:
        _end(str(error), 1)


def _end(why: str, status: int) -> NoReturn:
    from lenses_operator.commands.output import say

    for line in why.splitlines():
        say(f"lenses-operator: {line}")
    sys.exit(status)
