"""`kubectl lenses errors`: the trace of each failed task."""

from __future__ import annotations

import sys

import click

from lenses_operator.commands.access import LensesAccess, optional_lenses_options
from lenses_operator.commands.completing import connectors
from lenses_operator.commands.kubernetes import kube_options, run
from lenses_operator.kube.access import Access

EPILOG = """\b
Examples:
  kubectl lenses errors orders-jdbc
  kubectl lenses errors orders-jdbc -n payments --task 1

Exit code 0: shown, or nothing has failed; 1: it could not be read."""


@click.command(epilog=EPILOG)
@click.argument("name", shell_complete=connectors)
@click.option("--task", type=click.IntRange(min=0), metavar="N", help="Only of this task.")
@kube_options
@optional_lenses_options
def errors(name: str, task: int | None, access: Access, lenses: LensesAccess | None) -> None:
    """Show the trace of each failed task of a connector.

    The resource's status has a trace's first lines and its root cause. With access to Lenses it is shown whole, without
    the values of the Secrets that the connector uses.
    """
    from lenses_operator.commands.errors.show import show

    sys.exit(run(show(access, lenses, name, task)))
