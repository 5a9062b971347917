"""`kubectl lenses adopt`: connectors that exist get resources, one after the other."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from lenses_operator.commands.access import LensesAccess, lenses_options
from lenses_operator.commands.durations import SECONDS
from lenses_operator.commands.kubernetes import kube_options, run
from lenses_operator.kube.access import Access

EPILOG = """\b
Examples:
  kubectl lenses adopt --environment prod --cluster connect-eu
  kubectl lenses adopt --environment prod --cluster connect-eu \\
    --name 'orders-*' -n payments --out connectors --apply

Exit code 0: all of them can be, or were, taken over; 1: not all; 130: Ctrl-C."""


@click.command(epilog=EPILOG)
@click.option("--environment", required=True, help="The Lenses environment.")
@click.option("--cluster", required=True, help="The Connect cluster.")
@click.option("--name", "globs", multiple=True, metavar="GLOB", help="Only connectors named like this; repeatable.")
@click.option("-l", "--label", "labels", multiple=True, metavar="KEY=VALUE", help="A label of the resources.")
@click.option("--apply", is_flag=True, help="Take them over. Without it nothing is changed.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Write the manifests there too, as `export` does."
)
@click.option("--timeout", type=SECONDS, default="2m", show_default=True, help="How long one of them may take.")
@kube_options
@lenses_options
def adopt(
    environment: str,
    cluster: str,
    globs: tuple[str, ...],
    labels: tuple[str, ...],
    apply: bool,
    out: Path | None,
    timeout: float,
    access: Access,
    lenses_url: str,
    token_file: Path,
    ca_file: Path | None,
) -> None:
    """Take over connectors that exist, one after the other.

    Shows what would be: `export`, then `plan`. With --apply each gets its resource, and the next one comes once it is
    Ready; the first surprise ends it. Nothing is changed in Lenses: a connector that is not as its resource asks is
    left alone.
    """
    pairs = [one.partition("=") for one in labels]
    if not all(key and equals for key, equals, _ in pairs):
        raise click.UsageError("--label: write it as KEY=VALUE.")
    from lenses_operator.commands.adopt.adopting import Wish, adopting

    wish = Wish(environment, cluster, globs, {key: value for key, _, value in pairs}, out, timeout, apply)
    sys.exit(run(adopting(access, LensesAccess(lenses_url, token_file, ca_file), wish)))
