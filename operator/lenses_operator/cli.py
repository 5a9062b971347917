"""The command line. A command's module is imported when the command is run: `run` needs none of the others."""

from __future__ import annotations

import asyncio
import signal
import sys
from importlib import import_module
from importlib.metadata import version as installed_version

import click

from lenses_operator.settings import Settings, SettingsError

COMMANDS = {
    "export": "Manifests for connectors that Lenses has already.",
    "migrate": "Manifests from other operators' resources and Connect's own files.",
    "offsets": "Offsets operations.",
}
"""Name of the module in `commands`, which holds a click command of that name, and the line `--help` shows."""


class Commands(click.Group):
    """The commands below, and those of COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *COMMANDS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        found: click.Command = getattr(import_module(f"lenses_operator.commands.{cmd_name}"), cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Without importing any of them."""
        del ctx
        own = {name: command.get_short_help_str(100) for name, command in self.commands.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted((own | COMMANDS).items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Runs Kafka connectors from Kubernetes resources through the Lenses API."""


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(installed_version("lenses-operator"))


@main.command()
def run() -> None:
    """Run the operator until it is told to stop. Settings come from LENSES_OPERATOR_* variables."""
    # As process 1 of a container nothing would end it before it handles the signal by itself, a second from now.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    from lenses_operator import app
    from lenses_operator.kube.api import KubeError
    from lenses_operator.observability import logging

    try:
        settings = Settings.load()
        logging.configure(settings.log_format, settings.log_level)
        asyncio.run(app.run(settings))
    except SettingsError as error:
        for line in str(error).splitlines():
            click.echo(f"lenses-operator: {line}", err=True)
        sys.exit(2)
    except (KubeError, OSError) as error:
        click.echo(f"lenses-operator: {error}", err=True)
        sys.exit(1)
