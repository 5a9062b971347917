"""`kubectl lenses offsets`: see them, change them, and go back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from lenses_operator.commands.access import LensesAccess, lenses_options
from lenses_operator.commands.completing import connectors, operations
from lenses_operator.commands.durations import SECONDS
from lenses_operator.commands.kubernetes import kube_options, run
from lenses_operator.kube.access import Access

F = TypeVar("F", bound=Callable[..., Any])

SHOW = """\b
Examples:
  kubectl lenses offsets show orders-s3
  kubectl lenses offsets show shop-postgres -o json > offsets.json

Exit code 1: they cannot be read."""

SET = """\b
Examples:
  kubectl lenses offsets set orders-s3 --topic orders \\
    --partition 0 --offset 1000
  kubectl lenses offsets set orders-s3 --topic orders --partition 1 --drop
  kubectl lenses offsets show shop-postgres -o json > offsets.json
  kubectl lenses offsets set shop-postgres --json offsets.json

Exit code 1: they were not set."""

RESET = """\b
Example:
  kubectl lenses offsets reset shop-postgres

Exit code 1: they were not reset."""

RESTORE = """\b
Examples:
  kubectl lenses offsets restore orders-s3-rewind
  lenses-operator offsets restore orders-s3-rewind | kubectl create -f -

The operation of that name keeps what it takes in its status. Exit code 1: it keeps nothing, or it was not restored."""

COPY = """\b
Example:
  kubectl lenses offsets copy orders-s3 --to orders-s3-new

Stop NAME first for a copy that is complete. Exit code 1: they were not copied."""

EXPORT = """\b
Examples:
  lenses-operator offsets export orders-s3 > orders-s3-offsets.yaml
  lenses-operator offsets export orders-s3 --to archive | kubectl create -f -

Stop the connector first (state: stopped) for a copy that is complete. Exit code 1: there are no offsets, or they cannot
be read."""


def changing(command: F) -> F:
    """Adds what all that changes offsets have: the command gets `access`, `yes`, `timeout`."""
    made: Any = kube_options(command)
    made = click.option("--timeout", type=SECONDS, default="10m", show_default=True, help="How long to wait for it.")(
        made
    )
    return click.option("--yes", is_flag=True, help="Without asking.")(made)  # type: ignore[no-any-return]


@click.group()
def offsets() -> None:
    """Show, set, reset, copy and restore connectors' offsets.

    What changes them makes a LensesConnectorOffsets, for which the operator stops the connector and lets it go on.
    """


@offsets.command(epilog=SHOW)
@click.argument("name", shell_complete=connectors)
@kube_options
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="json: to the letter, for `set --json`.",
)
def show(name: str, access: Access, output: Literal["table", "json"]) -> None:
    """Show the offsets that a connector has now."""
    from lenses_operator.commands.offsets.showing import show as shown

    sys.exit(run(shown(access, name, output)))


@offsets.command("set", epilog=SET)
@click.argument("name", shell_complete=connectors)
@click.option("--topic", help="Of a sink: the partitions' topic.")
@click.option("--partition", "partitions", multiple=True, help="A number with --topic, else JSON; may be repeated.")
@click.option("--offset", help="The first record to deliver, else JSON.")
@click.option("--drop", is_flag=True, help="Forget these partitions' offsets.")
@click.option(
    "--json", "file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), help="A file, - is stdin."
)
@changing
def set_offsets(
    name: str,
    topic: str | None,
    partitions: tuple[str, ...],
    offset: str | None,
    drop: bool,
    file: Path | None,
    access: Access,
    yes: bool,
    timeout: float,
) -> None:
    """Set offsets of a connector. Partitions that are not named stay as they are.

    The file for --json is what `show -o json` prints, edited; "offset": null forgets a partition's. It is sent to the
    letter.
    """
    from lenses_operator.commands.offsets.asked import asked_text, of_file
    from lenses_operator.commands.offsets.changing import change, setting

    if file is not None:
        if topic or partitions or offset or drop:
            raise click.UsageError("--json goes without --topic, --partition, --offset and --drop.")
        text = of_file(file)
    else:
        text = asked_text(topic, partitions, offset, drop=drop)
    sys.exit(change(access, setting(name, text), yes=yes, timeout=timeout))


@offsets.command(epilog=RESET)
@click.argument("name", shell_complete=connectors)
@changing
def reset(name: str, access: Access, yes: bool, timeout: float) -> None:
    """Forget all offsets of a connector, which then begins anew."""
    from lenses_operator.commands.offsets.changing import change, resetting

    sys.exit(change(access, resetting(name), yes=yes, timeout=timeout))


@offsets.command(epilog=RESTORE)
@click.argument("name", metavar="OPERATION", shell_complete=operations)
@changing
def restore(name: str, access: Access, yes: bool, timeout: float) -> None:
    """Set the offsets there were before OPERATION, a LensesConnectorOffsets.

    In a pipe, without --yes, the resource that does so is printed for kubectl create, and nothing is changed.
    """
    if not yes and not sys.stdout.isatty():
        from lenses_operator.commands.offsets.printing import print_restore

        print_restore(access, name)
        return
    from lenses_operator.commands.offsets.changing import change, restoring_from

    sys.exit(change(access, restoring_from(name), yes=yes, timeout=timeout))


@offsets.command(epilog=COPY)
@click.argument("name", shell_complete=connectors)
@click.option("--to", required=True, metavar="OTHER", shell_complete=connectors, help="The LensesConnector to set at.")
@changing
def copy(name: str, to: str, access: Access, yes: bool, timeout: float) -> None:
    """Set the offsets that NAME has now at another LensesConnector of the namespace.

    OTHER may run in another Connect cluster or environment.
    """
    from lenses_operator.commands.offsets.changing import change, copying

    sys.exit(change(access, copying(name, to), yes=yes, timeout=timeout))


@offsets.command(epilog=EXPORT)
@click.argument("name", shell_complete=connectors)
@kube_options
@click.option(
    "--to",
    metavar="OTHER",
    shell_complete=connectors,
    help="The LensesConnector to set them at. Default: NAME itself.",
)
@lenses_options
def export(name: str, access: Access, to: str | None, lenses_url: str, token_file: Path, ca_file: Path | None) -> None:
    """Print a resource that sets the offsets LensesConnector NAME has now, to the letter."""
    from lenses_operator.commands.offsets.printing import print_export

    print_export(access, LensesAccess(lenses_url, token_file, ca_file), name, to)
