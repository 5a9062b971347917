"""Offsets as files: `offsets export`, and `offsets restore` into a pipe."""

from __future__ import annotations

import asyncio

import click
from pydantic import ValidationError

from lenses_operator.commands.access import LensesAccess
from lenses_operator.commands.kubernetes import end, explained
from lenses_operator.commands.output import complain
from lenses_operator.kube.access import Access
from lenses_operator.kube.errors import KubeError
from lenses_operator.kube.session import session
from lenses_operator.lenses.errors import LensesError
from lenses_operator.offsets_files.export import NothingToExportError, exporting, moves_on
from lenses_operator.offsets_files.restore import NothingToRestoreError, restoring
from lenses_operator.resources.connector import PLURAL as CONNECTORS
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import PLURAL, LensesConnectorOffsets

UNREADABLE = "the resource does not fit this version's CRD; `lenses-operator doctor` compares the CRDs"


def print_restore(access: Access, name: str) -> None:
    """Ends the program with 1 where there is nothing to restore."""
    try:
        body = asyncio.run(_operation(access, name))
        click.echo(restoring(LensesConnectorOffsets.parse(body) if body else None), nl=False)
    except KubeError as error:
        end(explained(error))
    except NothingToRestoreError as error:
        end(str(error))
    except ValidationError:
        end(UNREADABLE)


async def _operation(access: Access, name: str) -> dict[str, object] | None:
    async with session(access) as cluster:
        return await cluster.get(PLURAL, cluster.home, name)


def print_export(access: Access, lenses: LensesAccess, name: str, to: str | None) -> None:
    """Ends the program with 1 where there is nothing to export."""
    try:
        connector, text = asyncio.run(_offsets(access, lenses, name))
        click.echo(exporting(connector, text, to or name), nl=False)
    except KubeError as error:
        end(explained(error))
    except (LensesError, NothingToExportError) as error:
        end(str(error))
    except ValidationError:
        end(UNREADABLE)
    if warning := moves_on(connector, "export"):
        complain(warning)


async def _offsets(access: Access, lenses: LensesAccess, name: str) -> tuple[LensesConnector, str]:
    async with session(access) as cluster:
        body = await cluster.get(CONNECTORS, cluster.home, name)
    if body is None:
        raise NothingToExportError(f"there is no LensesConnector {name} in namespace {cluster.home}")
    connector = LensesConnector.parse(body)
    async with lenses.client() as client:
        return connector, (await client.get_offsets(*connector.connector)).text
