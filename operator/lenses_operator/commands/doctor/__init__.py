"""`lenses-operator doctor`: looks at a live installation, says what is wrong and what to do, and changes nothing."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from lenses_operator.commands.access import LensesAccess, lenses_options
from lenses_operator.commands.doctor import printing
from lenses_operator.commands.doctor.cluster import LEASE, Scope, look
from lenses_operator.commands.doctor.each_environment import examine, sees
from lenses_operator.commands.doctor.way import way_to_lenses
from lenses_operator.commands.kubernetes import cluster_options
from lenses_operator.commands.output import Format, output_option
from lenses_operator.diagnosis.census import Census
from lenses_operator.diagnosis.results import Result, healthy
from lenses_operator.diagnosis.rights import Account, Lease
from lenses_operator.kube.access import Access, own_namespace
from lenses_operator.lenses.tokens import TokenFile
from lenses_operator.variables import PREFIX

EPILOG = """\b
Examples:
  lenses-operator doctor --lenses-url https://lenses.example.com \\
      --token-file token --service-account lenses-operator/lenses-operator
  lenses-operator doctor --environment prod --skip-kubernetes -o json
  kubectl exec deploy/lenses-operator -- lenses-operator doctor

Exit code 0: nothing failed (there may be warnings), 1: something failed, 2: wrong usage."""


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    lenses: LensesAccess
    environments: tuple[str, ...]
    scope: Scope | None
    verbose: bool


def _account(_: click.Context, __: click.Parameter, value: str | None) -> Account | None:
    if value is None:
        return None
    namespace, _slash, name = value.partition("/")
    if not namespace or not name or "/" in name:
        raise click.BadParameter("give NAMESPACE/NAME")
    return Account(namespace, name)


def _names(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for value in values for name in re.split(r"[,\s]+", value) if name)


@click.command(epilog=EPILOG)
@lenses_options
@click.option(
    "--environment",
    "environments",
    multiple=True,
    metavar="ENV",
    help="A Lenses environment to check; may be repeated. Default: those that LensesConnectors name.",
)
@click.option(
    "-n",
    "--namespace",
    "namespaces",
    multiple=True,
    envvar=PREFIX + "WATCH_NAMESPACES",
    callback=_names,
    help="A namespace the operator watches; may be repeated. Default: all of them.",
)
@click.option(
    "-l",
    "--selector",
    default="",
    envvar=PREFIX + "LABEL_SELECTOR",
    help="The labels of the resources the operator manages. Default: all of them.",
)
@click.option(
    "--service-account",
    metavar="NAMESPACE/NAME",
    callback=_account,
    help="The operator's ServiceAccount, to check its rights from outside. In a pod: its own.",
)
@click.option("--skip-kubernetes", is_flag=True, help="Check Lenses only; needs --environment.")
@cluster_options
@click.option("-v", "--verbose", is_flag=True, help="Print each call with status and duration on standard error.")
@output_option
def doctor(
    lenses_url: str,
    token_file: Path,
    ca_file: Path | None,
    environments: tuple[str, ...],
    namespaces: tuple[str, ...],
    selector: str,
    service_account: Account | None,
    skip_kubernetes: bool,
    access: Access,
    verbose: bool,
    output: Format,
) -> None:
    """Check a live installation and say what to do; changes nothing.

    Looks at the way to Lenses, the token, the environments it sees with their agents and Connect clusters, what the
    token may do, which names get through, and in Kubernetes at the CRDs, the operator's rights, its lease and resources
    that are stuck. Only reads are sent, and `validate`, which changes nothing; what only a change could prove is
    reported as not tried.
    """
    if skip_kubernetes and not environments:
        raise click.UsageError("--skip-kubernetes reads no resources that name environments: give --environment")
    if skip_kubernetes and access.named:
        raise click.UsageError("--kubeconfig and --context have no effect with --skip-kubernetes: leave them out")
    lenses = LensesAccess(lenses_url.rstrip("/"), token_file, ca_file)
    scope = (
        None
        if skip_kubernetes
        else Scope(namespaces, selector, service_account, _election(), access, _switched_on("WATCH_REFERENCES"))
    )
    results = asyncio.run(_examined(Request(lenses, environments, scope, verbose)))
    printing.report(results, output)
    sys.exit(0 if healthy(results) else 1)


def _switched_on(setting: str, default: str = "") -> bool:
    return os.environ.get(PREFIX + setting, default).lower() in ("1", "on", "t", "true", "y", "yes")


def _election() -> Lease | None:
    """As the operator's own variables say, in its pod."""
    if not _switched_on("LEADER_ELECTION", "true"):
        return None
    namespace = os.environ.get(PREFIX + "LEADER_ELECTION_NAMESPACE", "") or own_namespace()
    return Lease(namespace, os.environ.get(PREFIX + "LEADER_ELECTION_NAME", LEASE))


async def _examined(request: Request) -> list[Result]:
    say = printing.call if request.verbose else None
    async with request.lenses.client(printing.lenses_call if request.verbose else None) as client:
        census = Census(datetime.now(UTC))
        cluster = await look(request.scope, census, say) if request.scope else []
        wanted = census.wanted
        environments = request.environments or tuple(sorted(wanted))
        token = TokenFile(request.lenses.token_file).current()
        results = await way_to_lenses(request.lenses, token, environments, say)
        if healthy(results):
            results += await sees(client, _users(request.environments, census))
            for name in environments:  # one after the other: each lists all that it has
                results += await examine(client, name, wanted.get(name, {}))
    return [result.without(token) for result in [*results, *cluster]]


def _users(given: tuple[str, ...], census: Census) -> dict[str, list[str]]:
    """Environment to those that name it."""
    users = {name: ["--environment"] for name in given}
    for name, resources in census.users.items():
        users[name] = [*users.get(name, []), *resources]
    return users
