"""`lenses-operator plan`: what applying manifests would do, for pull requests. Reads only."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import click

from lenses_operator.commands.access import LensesAccess, lenses_options
from lenses_operator.commands.kubernetes import cluster_options
from lenses_operator.commands.output import Format, output_option, print_document, say
from lenses_operator.commands.plan_text import print_plan
from lenses_operator.commands.terminal import progress
from lenses_operator.domain.policy import Policy
from lenses_operator.domain.references import RefName
from lenses_operator.kube.access import Access
from lenses_operator.manifests.documents import ManifestError, Manifests, read
from lenses_operator.manifests.references import Located
from lenses_operator.planning.cluster import Cluster, ClusterError
from lenses_operator.planning.lenses_view import LensesView
from lenses_operator.planning.others import read_others
from lenses_operator.planning.planner import Options, Planner
from lenses_operator.planning.result import ERRORS, Result
from lenses_operator.policy_file import PolicyFileError, load_policy


class _UsageError(click.UsageError):
    exit_code = ERRORS


EXAMPLES = """\b
Examples:
  lenses-operator plan -f connectors/
  kustomize build overlays/prod \\
    | lenses-operator plan -f - --cluster-refs -o json
"""


class _Command(click.Command):
    """A wrong option ends it with 1 like every other error, since 2 means that there is something to do."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _errors_end_with_1():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _errors_end_with_1():
            return super().invoke(ctx)


@contextmanager
def _errors_end_with_1() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        raise _UsageError(error.format_message(), error.ctx) from error


def _secret(_context: click.Context, _option: click.Parameter, value: str | None) -> Located | None:
    if not value:
        return None
    namespace, _slash, name = value.partition("/")
    if not namespace or not name or "/" in name:
        raise click.BadParameter("give it as NAMESPACE/SECRET")
    return Located(namespace, RefName("Secret", name))


@click.command(cls=_Command, epilog=EXAMPLES)
@click.option(
    "-f",
    "--filename",
    "sources",
    type=click.Path(path_type=Path, allow_dash=True),
    multiple=True,
    required=True,
    help="A file, a directory with all below it, or - for standard input. May be repeated.",
)
@click.option(
    "-e", "--environment", "environments", multiple=True, help="Only this Lenses environment. May be repeated."
)
@click.option("-n", "--namespace", default="default", show_default=True, help="For manifests that name no namespace.")
@click.option(
    "--cluster-refs",
    is_flag=True,
    help="Ask the Kubernetes cluster of your kubeconfig for Secrets and ConfigMaps that are not in the files, and for "
    "what the operator knows of each resource.",
)
@click.option(
    "--prune-against-cluster",
    "prune",
    is_flag=True,
    help="Also show which LensesConnectors of the files' namespaces are in no file. Implies --cluster-refs.",
)
@click.option(
    "--assume-owned/--assume-new",
    "owned",
    default=True,
    show_default=True,
    help="Without --cluster-refs: whether connectors that exist belong to these manifests or would be adopted.",
)
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The operator's policy file: which namespace may use which connectors.",
)
@click.option(
    "--digest-key",
    metavar="NAMESPACE/SECRET",
    callback=_secret,
    help="With --cluster-refs: the operator's Secret <release>-digest-key, by which a Secret that was only touched is "
    "told from one whose data has changed.",
)
@cluster_options
@lenses_options
@output_option
def plan(
    sources: tuple[Path, ...],
    environments: tuple[str, ...],
    namespace: str,
    cluster_refs: bool,
    prune: bool,
    owned: bool,
    policy_file: Path | None,
    digest_key: Located | None,
    access: Access,
    lenses_url: str,
    token_file: Path,
    ca_file: Path | None,
    output: Format,
) -> None:
    """Show what applying manifests would do in Lenses, without doing any of it.

    Each LensesConnector is checked against its schema, compared with Lenses, and if it would be created or changed,
    validated by Kafka Connect. Ends with 0 if nothing would be done, 2 if something would, 1 if something is wrong.
    """
    asked = cluster_refs or prune
    if access.named and not asked:
        raise click.UsageError("--kubeconfig and --context have no effect without --cluster-refs: add it")
    try:
        policy = load_policy(policy_file) if policy_file else Policy()
        manifests = read(sources, namespace)
        told = read_others(manifests, environments, namespace)
        options = Options(frozenset(environments), owned, prune, policy, digest_key)
        lenses = LensesAccess(lenses_url, token_file, ca_file)
        result = asyncio.run(_planned(lenses, access if asked else None, manifests, told, options))
    except (ManifestError, PolicyFileError, ClusterError) as error:
        say(f"lenses-operator: {error}")
        sys.exit(ERRORS)
    if output == "table":
        print_plan(result)
    else:
        print_document(result.data(), output)
    sys.exit(result.exit_code)


async def _planned(
    lenses: LensesAccess, access: Access | None, manifests: Manifests, told: Result, options: Options
) -> Result:
    """`access`: None where no cluster is asked."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(lenses.client())
        cluster: Cluster | None = None
        if access is not None:
            from lenses_operator.planning.kubernetes import kube_cluster

            cluster = await stack.enter_async_context(kube_cluster(access))
        step = stack.enter_context(progress("planning", len(manifests.connectors)))
        return await Planner(LensesView(client), cluster, options, step).plan(manifests, told)
