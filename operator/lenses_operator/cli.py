"""The command line: `lenses-operator run` and `version`."""

from __future__ import annotations

import asyncio
import sys
from importlib.metadata import version as installed_version

import click

from lenses_operator.settings import Settings, SettingsError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Runs Kafka connectors from Kubernetes resources through the Lenses API."""


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(installed_version("lenses-operator"))


@main.command()
def run() -> None:
    """Run the operator until it is told to stop. Settings come from LENSES_OPERATOR_* variables."""
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
