"""The command line: `lenses-operator run`, `offsets restore` and `version`."""

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


@main.group()
def offsets() -> None:
    """Offsets operations."""


@offsets.command()
@click.argument("name")
@click.option("-n", "--namespace", default="default", show_default=True, help="The LensesConnectorOffsets' namespace.")
def restore(name: str, namespace: str) -> None:
    """Print a resource that sets the offsets there were before operation NAME; `| kubectl create -f -` goes back."""
    from lenses_operator.kube.api import KubeError, one_object
    from lenses_operator.resources.offsets import PLURAL, LensesConnectorOffsets
    from lenses_operator.restore import NothingToRestoreError, restoring

    try:
        body = asyncio.run(one_object(PLURAL, namespace, name))
        click.echo(restoring(LensesConnectorOffsets.parse(body) if body else None), nl=False)
    except (KubeError, NothingToRestoreError) as error:
        click.echo(f"lenses-operator: {error}", err=True)
        sys.exit(1)
