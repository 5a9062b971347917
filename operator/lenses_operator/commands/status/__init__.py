"""`kubectl lenses status`: how connectors and their tasks are, and why one fails."""

from __future__ import annotations

import sys

import click

from lenses_operator.commands.kubernetes import kube_options, names_argument, run, selector_option
from lenses_operator.commands.output import Format, output_option
from lenses_operator.kube.access import Access

EPILOG = """\b
Examples:
  kubectl lenses status -n payments
  kubectl lenses status -A --failing
  kubectl lenses status orders-s3 orders-jdbc -o json
  kubectl lenses status --watch

Exit code 0: all of them are Ready, 1: not all, or something could not be read."""


@click.command(epilog=EPILOG)
@names_argument()
@kube_options
@click.option("-A", "--all-namespaces", is_flag=True, help="Of every namespace.")
@selector_option
@click.option("--failing", is_flag=True, help="Only what is not Ready.")
@click.option(
    "-w", "--watch", is_flag=True, help="Keep running and show changes: in place at a terminal, else line by line."
)
@output_option
def status(
    names: tuple[str, ...],
    access: Access,
    all_namespaces: bool,
    selector: str,
    failing: bool,
    watch: bool,
    output: Format,
) -> None:
    """Show how connectors and their tasks are, and why one fails.

    They are grouped by environment and Connect cluster, with the root cause of each failed task and the offsets
    operations below them. READY is the reason of the condition Ready, AGE the time since something last changed.
    """
    if names and (selector or all_namespaces):
        raise click.UsageError("Give names or -l and -A, not both.")
    if watch and output != "table":
        raise click.UsageError("--watch prints no -o json or yaml; kubectl get -w -o json does.")
    if watch:
        from lenses_operator.commands.status.watching import follow

        run(follow(access, frozenset(names), selector, failing=failing, everywhere=all_namespaces))
        return
    from lenses_operator.commands.status.once import show

    sys.exit(run(show(access, names, selector, output, failing=failing, everywhere=all_namespaces)))
