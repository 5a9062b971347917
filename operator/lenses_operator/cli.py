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

DAILY = {
    "adopt": "Take over connectors that exist, one after the other.",
    "diff": "Show what runs in Lenses against what resources ask for.",
    "errors": "Show the trace of each failed task of a connector.",
    "offsets": "Show, set, reset, copy and restore connectors' offsets.",
    "pause": "Pause connectors: tasks stay assigned and process nothing.",
    "reconcile": "Reconcile connectors now, including the check for drift.",
    "restart": "Restart failed tasks, or the whole connector where nothing failed.",
    "resume": "Let paused or stopped connectors run.",
    "status": "Show how connectors and their tasks are, and why one fails.",
    "stop": "Stop connectors: their tasks are shut down.",
    "suspend": "Suspend the management of connectors; they keep running.",
    "unsuspend": "Let the operator manage connectors again.",
}
"""For users of connectors: the commands of `kubectl lenses`."""
COMMANDS = DAILY | {
    "completion": "Print a script that completes commands and options in a shell.",
    "doctor": "Check a live installation and say what to do; changes nothing.",
    "export": "Write a LensesConnector for each connector that exists.",
    "migrate": "Convert connectors described elsewhere into LensesConnector manifests.",
    "plan": "Show what applying manifests would do in Lenses, without doing any of it.",
}
"""Name of a click command, in the module of `commands` that MODULES names, and the line `--help` shows."""
MODULES = dict.fromkeys(("pause", "reconcile", "restart", "resume", "stop", "suspend", "unsuspend"), "verbs")
"""Where it is not the command's own name."""


EPILOG = """\b
Examples:
  kubectl lenses status                   # the same program: kubectl-lenses
  lenses-operator doctor --service-account ops/lenses-operator
  lenses-operator run                     # in the pod

Each command says more: kubectl lenses COMMAND --help"""

VERSION = """\b
Example:
  lenses-operator version"""

RUN = """\b
Example:
  export LENSES_OPERATOR_LENSES_URL=https://lenses.example.com
  export LENSES_OPERATOR_LENSES_TOKEN_FILE=token
  lenses-operator run

Kubernetes is reached as the pod's ServiceAccount, elsewhere through KUBECONFIG. Exit code 0: asked to stop, 1:
something keeps it from running, 2: a setting is wrong or missing; each has a line that names it."""


class Commands(click.Group):
    """The commands below, and those of COMMANDS, none of which is imported to list or to complete their names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *COMMANDS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"lenses_operator.commands.{MODULES.get(cmd_name, cmd_name)}")
        found: click.Command = getattr(module, cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        for title, daily in (("Commands for every day", True), ("Commands for the operator and for files", False)):
            with formatter.section(title):
                formatter.write_dl([(name, line) for name, line in self._lines() if (name in DAILY) is daily])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [CompletionItem(name, help=line) for name, line in self._lines() if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def _lines(self) -> list[tuple[str, str]]:
        own = {name: command.get_short_help_str(100) for name, command in self.commands.items()}
        return sorted((own | COMMANDS).items())


@click.group("lenses-operator", cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(package_name="lenses-operator", message="%(version)s", help="Print the version and end.")
def main() -> None:
    """Runs Kafka connectors from Kubernetes resources through the Lenses API, and has commands for those who do.

    As `kubectl lenses` it is the same program. Only `run` writes to Lenses; the other commands read it, or change
    resources in Kubernetes.
    """


def kubectl_lenses() -> None:
    """The same under its second name, by which kubectl finds it."""
    main(prog_name="kubectl lenses", complete_var="_KUBECTL_LENSES_COMPLETE")


def kubectl_complete() -> None:
    """`kubectl_complete-lenses`, which kubectl runs for the completion of `kubectl lenses`."""
    from lenses_operator.commands.completing import print_completions

    print_completions(main)


@main.command(epilog=VERSION)
def version() -> None:
    """Print the version."""
    click.echo(installed_version("lenses-operator"))


@main.command(epilog=RUN)
def run() -> None:
    """Run the operator until it is asked to stop.

    Settings come from variables with the prefix LENSES_OPERATOR_; docs/settings.md lists them.
    """
    # As process 1 of a container nothing would end it before it handles the signal by itself, a second from now.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    from lenses_operator import app
    from lenses_operator.kube.api import KubeError
    from lenses_operator.observability import logging
    from lenses_operator.observability.loop_holds import LoopHolds
    from lenses_operator.settings import Settings, SettingsError

    try:
        settings = Settings.load()
        logging.configure(settings.log_format, settings.log_level)
        holds = LoopHolds()
        with asyncio.Runner(loop_factory=holds.loop) as runner:
            runner.run(app.run(settings, holds))
    except SettingsError as error:
        _end(str(error), 2)
    except (KubeError, OSError) as error:
        _end(str(error), 1)


def _end(why: str, status: int) -> NoReturn:
    from lenses_operator.commands.output import complain

    for line in why.splitlines():
        complain(line)
    sys.exit(status)
