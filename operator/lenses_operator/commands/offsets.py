"""`lenses-operator offsets`: offsets as files, to go back from an operation and to take them along."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import NoReturn

import click
from pydantic import ValidationError

from lenses_operator.commands.access import LensesAccess, lenses_options
from lenses_operator.commands.output import say
from lenses_operator.kube.api import KubeError, one_object
from lenses_operator.lenses.errors import LensesError
from lenses_operator.offsets_files.export import NothingToExportError, exporting, moves_on
from lenses_operator.offsets_files.restore import NothingToRestoreError, restoring
from lenses_operator.resources.connector import PLURAL as CONNECTORS
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import PLURAL, LensesConnectorOffsets

RESTORE = """\b
Example:
  lenses-operator offsets restore orders-s3-rewind -n payments | kubectl create -f -

The operation of that name keeps what it takes in its status. Exit code 1: it keeps nothing, or cannot be read."""

_UNREADABLE = "the resource does not fit this version's CRD; `lenses-operator doctor` compares the CRDs"

EXPORT = """\b
Examples:
  lenses-operator offsets export orders-s3 -n payments > orders-s3-offsets.yaml
  lenses-operator offsets export orders-s3 -n payments --to orders-s3-new | kubectl create -f -

Stop the connector first (state: stopped) for a copy that is complete. Exit code 1: there are no offsets, or they cannot
be read."""


@click.group()
def offsets() -> None:
    """Take offsets from a connector, and go back from an offsets operation."""


@offsets.command(epilog=RESTORE)
@click.argument("name")
@click.option("-n", "--namespace", default="default", show_default=True, help="The LensesConnectorOffsets' namespace.")
def restore(name: str, namespace: str) -> None:
    """Print a resource that sets the offsets there were before operation NAME."""
    try:
        body = asyncio.run(one_object(PLURAL, namespace, name))
        click.echo(restoring(LensesConnectorOffsets.parse(body) if body else None), nl=False)
    except (KubeError, NothingToRestoreError) as error:
        _end(str(error))
    except ValidationError:
        _end(_UNREADABLE)


@offsets.command(epilog=EXPORT)
@click.argument("name")
@click.option("-n", "--namespace", default="default", show_default=True, help="The LensesConnector's namespace.")
@click.option("--to", metavar="OTHER", help="The LensesConnector to set them at. Default: NAME itself.")
@lenses_options
def export(name: str, namespace: str, to: str | None, lenses_url: str, token_file: Path, ca_file: Path | None) -> None:
    """Print a resource that sets the offsets LensesConnector NAME has now, to the letter."""
    access = LensesAccess(lenses_url, token_file, ca_file)
    try:
        connector, text = asyncio.run(_offsets(access, namespace, name))
        click.echo(exporting(connector, text, to or name), nl=False)
    except (KubeError, LensesError, NothingToExportError) as error:
        _end(str(error))
    except ValidationError:
        _end(_UNREADABLE)
    if warning := moves_on(connector):
        say(f"lenses-operator: {warning}")


async def _offsets(access: LensesAccess, namespace: str, name: str) -> tuple[LensesConnector, str]:
    body = await one_object(CONNECTORS, namespace, name)
    if body is None:
        raise NothingToExportError(f"there is no LensesConnector {name} in namespace {namespace}")
    connector = LensesConnector.parse(body)
    async with access.client() as client:
        return connector, (await client.get_offsets(*connector.connector)).text


def _end(why: str) -> NoReturn:
    say(f"lenses-operator: {why}")
    sys.exit(1)
