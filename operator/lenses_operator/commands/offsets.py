"""`lenses-operator offsets`: the way back from an offsets operation."""

from __future__ import annotations

import asyncio
import sys

import click

from lenses_operator.kube.api import KubeError, one_object
from lenses_operator.resources.offsets import PLURAL, LensesConnectorOffsets
from lenses_operator.restore import NothingToRestoreError, restoring


@click.group()
def offsets() -> None:
    """Offsets operations."""


@offsets.command()
@click.argument("name")
@click.option("-n", "--namespace", default="default", show_default=True, help="The LensesConnectorOffsets' namespace.")
def restore(name: str, namespace: str) -> None:
    """Print a resource that sets the offsets there were before operation NAME; `| kubectl create -f -` goes back."""
    try:
        body = asyncio.run(one_object(PLURAL, namespace, name))
        click.echo(restoring(LensesConnectorOffsets.parse(body) if body else None), nl=False)
    except (KubeError, NothingToRestoreError) as error:
        click.echo(f"lenses-operator: {error}", err=True)
        sys.exit(1)
