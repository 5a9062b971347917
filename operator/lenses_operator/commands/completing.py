"""Names of resources for a shell's completion: asked of the cluster, and nothing where it does not answer soon."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import click
from click.shell_completion import CompletionItem

PATIENCE = 3.0
"""Seconds after which whoever pressed the key gets nothing."""


def connectors(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """LensesConnectors that are not on the line yet."""
    given = context.params.get("names") or ()
    return [one for one in _names(context, "lensesconnectors", incomplete) if one.value not in given]


def operations(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """LensesConnectorOffsets."""
    return _names(context, "lensesconnectoroffsets", incomplete)


def _names(context: click.Context, plural: str, incomplete: str) -> list[CompletionItem]:
    from lenses_operator.kube.access import Access
    from lenses_operator.kube.session import session

    file = context.params.get("kubeconfig")
    access = Access(Path(file) if file else None, context.params.get("context"), context.params.get("namespace"))

    async def ask() -> list[str]:
        async with session(access) as cluster:
            return [body["metadata"]["name"] for body in await cluster.list(plural, cluster.home)]

    logging.disable(logging.CRITICAL)
    try:
        found = asyncio.run(asyncio.wait_for(ask(), PATIENCE))
    except Exception:
        return []
    return [CompletionItem(name) for name in sorted(found) if name.startswith(incomplete)]


def print_completions(program: click.Command) -> None:
    """For kubectl, which gives the words behind `kubectl lenses`, the last one unfinished."""
    words = sys.argv[1:] or [""]
    from click.shell_completion import ShellComplete

    class Words(ShellComplete):
        name = "kubectl"
        source_template = ""

    found = Words(program, {}, "kubectl lenses", "_KUBECTL_LENSES_COMPLETE").get_completions(words[:-1], words[-1])
    files = any(item.type in ("file", "dir") for item in found)
    for item in found:
        if item.type == "plain":
            print(f"{item.value}\t{item.help}" if item.help else item.value)  # noqa: T201
    print(":0" if files else ":4")  # noqa: T201  cobra's directives: files as well, or no files
