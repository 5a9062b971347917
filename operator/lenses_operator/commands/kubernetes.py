"""How a command reaches the cluster, told as kubectl is told it; and what is said where the cluster refuses."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from lenses_operator.commands.completing import connectors
from lenses_operator.commands.output import complain
from lenses_operator.kube.access import Access
from lenses_operator.kube.errors import KubeError

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
INTERRUPTED = 130
"""Exit code after Ctrl-C, as of every program that a signal ends."""
_FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)" in API group "[^"]*"'
    r'(?: in the namespace "(?P<namespace>[^"]*)")?'
)


def cluster_options(command: F) -> F:
    """Adds --kubeconfig and --context; the command gets `access`."""

    @wraps(command)
    def wrapped(*args: Any, kubeconfig: Path | None, context: str | None, **rest: Any) -> Any:
        return command(*args, access=Access(kubeconfig, context), **rest)

    made: Any = wrapped
    for option in (
        click.option("--context", help="The context of the kubeconfig. Default: the current one."),
        click.option(
            "--kubeconfig",
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            help="Default: KUBECONFIG, ~/.kube/config.",
        ),
    ):
        made = option(made)
    return made  # type: ignore[no-any-return]


def kube_options(command: F) -> F:
    """As `cluster_options`, and -n/--namespace."""

    @wraps(command)
    def wrapped(*args: Any, access: Access, namespace: str | None, **rest: Any) -> Any:
        return command(*args, access=replace(access, namespace=namespace), **rest)

    made: Any = cluster_options(wrapped)
    return click.option("-n", "--namespace", help="Default: the context's.")(made)  # type: ignore[no-any-return]


def names_argument(required: bool = False) -> Callable[[F], F]:
    """Adds NAME…, of LensesConnectors; the command gets `names`."""
    return click.argument("names", nargs=-1, required=required, metavar="[NAME]...", shell_complete=connectors)


def selector_option(command: F) -> F:
    """Adds -l/--selector; the command gets `selector`."""
    return click.option("-l", "--selector", default="", metavar="LABELS", help="Those with these labels.")(command)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Ends the program with 1 where Kubernetes does not do what is asked, with 130 at Ctrl-C."""
    logging.getLogger().addHandler(logging.NullHandler())  # the client's own words about a kubeconfig; ours are enough
    try:
        return asyncio.run(work)
    except KubeError as error:
        end(explained(error))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(INTERRUPTED)


def end(why: str) -> NoReturn:
    complain(why)
    sys.exit(1)


def explained(error: KubeError) -> str:
    """With the right that is missing, or what else it takes."""
    text = str(error)
    if error.status == 403 and (found := _FORBIDDEN.search(text)):
        return _missing_right(**found.groupdict())
    if error.status == 401:
        return f"{text}: log in to the cluster again"
    if error.not_found and "could not find the requested resource" in text:
        return (
            f"{text}: this cluster has no LensesConnectors; install the operator's chart, or choose another --context"
        )
    return text


def _missing_right(user: str, verb: str, resource: str, namespace: str | None) -> str:
    where = f"in namespace {namespace}" if namespace else "in the whole cluster"
    text = f"{user} has no right to {verb} {resource} {where}."
    if resource not in ("lensesconnectors", "lensesconnectoroffsets"):
        return text
    role = "view" if verb in ("get", "list", "watch") else "edit"
    if namespace is None:
        return f"{text} Name a namespace with -n instead of -A, or have a ClusterRoleBinding to {role} made."
    return f"{text} The chart adds it to the ClusterRole {role}: have a RoleBinding to that made there."
