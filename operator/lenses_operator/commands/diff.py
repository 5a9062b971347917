"""`kubectl lenses diff`: what runs in Lenses against what the resources ask for."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from lenses_operator.commands.access import LensesAccess, lenses_options
from lenses_operator.commands.kubernetes import kube_options, names_argument, run, selector_option
from lenses_operator.commands.output import Format, output_option
from lenses_operator.kube.access import Access

EPILOG = """\b
Examples:
  kubectl lenses diff orders-s3 -n payments
  kubectl lenses diff -l team=payments -o json

Exit code 0: no difference, 2: there are some, 1: something is wrong."""


@click.command(epilog=EPILOG)
@names_argument()
@kube_options
@selector_option
@lenses_options
@output_option
def diff(
    names: tuple[str, ...],
    access: Access,
    selector: str,
    lenses_url: str,
    token_file: Path,
    ca_file: Path | None,
    output: Format,
) -> None:
    """Show what runs in Lenses against what resources ask for.

    Marks and words are those of `plan`: what the operator would do now. Values of Secrets are not shown.
    """
    if names and selector:
        raise click.UsageError("Give names or -l, not both.")
    from lenses_operator.commands.comparing import diff_of

    sys.exit(run(diff_of(access, LensesAccess(lenses_url, token_file, ca_file), names, selector, output)))
