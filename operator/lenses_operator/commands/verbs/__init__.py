"""`kubectl lenses restart`, `pause` and the other verbs: one write to each resource, and what becomes of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from lenses_operator.commands.durations import SECONDS
from lenses_operator.commands.kubernetes import kube_options, names_argument, run, selector_option
from lenses_operator.kube.access import Access

EPILOG = """\b
Examples:
  kubectl lenses {name} orders-s3
  kubectl lenses {name} orders-s3 orders-jdbc -n payments --wait
  kubectl lenses {name} -l team=payments --wait --timeout 5m

Exit code 0: done, 1: not done for one of them, 130: Ctrl-C; what was asked for stays asked for."""
GIT = """

Where Argo CD, Flux or helm keeps the resource as a file says, it says so and changes nothing without --force: they put
it back."""


def _verb(name: str, text: str, *, spec: bool) -> click.Command:
    """`spec`: it changes a field that a file may have."""

    def command(
        access: Access, names: tuple[str, ...], selector: str, everything: bool, wait: bool, timeout: float, **rest: Any
    ) -> None:
        if bool(names) + bool(selector) + everything != 1:
            raise click.UsageError("Say which: names, -l LABELS or --all.")
        if not wait and click.get_current_context().get_parameter_source("timeout") is ParameterSource.COMMANDLINE:
            raise click.UsageError("--timeout has no effect without --wait: add it.")
        from lenses_operator.commands.verbs.perform import How, Which, perform
        from lenses_operator.commands.verbs.verb import VERBS

        how = How(rest.get("force", False), timeout if wait else None)
        sys.exit(run(perform(access, VERBS[name], Which(names, selector), how)))

    made: Callable[..., Any] = kube_options(command)
    if spec:
        made = click.option("--force", is_flag=True, help="Even if GitOps or helm manages the resource.")(made)
    made = click.option(
        "--timeout", type=SECONDS, default="2m", show_default=True, help="How long --wait waits: 90s, 5m, 1h."
    )(made)
    made = click.option("--wait", is_flag=True, help="Wait for the result.")(made)
    made = click.option("--all", "everything", is_flag=True, help="All of the namespace.")(made)
    made = names_argument()(selector_option(made))
    return click.command(name, help=text + (GIT if spec else ""), epilog=EPILOG.format(name=name))(made)


restart = _verb(
    "restart",
    "Restart failed tasks, or the whole connector where nothing failed.\n\n"
    "The annotation connect.lenses.io/restart asks the operator, which restarts the connector itself if it failed. One "
    "that is paused, stopped or suspended is not restarted.",
    spec=False,
)
reconcile = _verb(
    "reconcile",
    "Reconcile connectors now, including the check for drift.\n\nThe annotation connect.lenses.io/reconcile asks it.",
    spec=False,
)
pause = _verb("pause", "Pause connectors: tasks stay assigned and process nothing.", spec=True)
resume = _verb("resume", "Let paused or stopped connectors run.", spec=True)
stop = _verb("stop", "Stop connectors: their tasks are shut down.", spec=True)
suspend = _verb(
    "suspend",
    "Suspend the management of connectors; they keep running.\n\n"
    "It reports how they are and changes nothing in Lenses, nor starts an offsets operation.",
    spec=True,
)
unsuspend = _verb("unsuspend", "Let the operator manage connectors again.", spec=True)
