"""`offsets show`."""

from __future__ import annotations

from typing import Literal

import click

from lenses_operator.commands.offsets.observing import CannotError, connector_named, offsets_now
from lenses_operator.commands.offsets.table import listed
from lenses_operator.commands.output import complain
from lenses_operator.commands.terminal import console
from lenses_operator.domain.offsets_text import entry_texts
from lenses_operator.kube.access import Access
from lenses_operator.kube.session import session
from lenses_operator.resources.text import escaped


async def show(access: Access, name: str, output: Literal["table", "json"]) -> int:
    """The exit code. Raises KubeError."""
    try:
        async with session(access) as cluster:
            connector = await connector_named(cluster, name)
            text = await offsets_now(cluster, connector)
    except CannotError as error:
        complain(str(error))
        return 1
    if output == "json":
        click.echo(escaped(printed(text)))
        return 0
    out = console()
    for line in listed(text, out.width if out.is_terminal else None):
        out.print(line.text, style=line.style)
    if connector.status.state not in ("STOPPED", "PAUSED"):
        complain(f"{name} is {connector.status.state or 'in an unknown state'}, so its offsets move on")
    return 0


def printed(text: str) -> str:
    """The array with an entry on each line; each of them to the letter."""
    entries = entry_texts(text)
    return "[\n  " + ",\n  ".join(entries) + "\n]" if entries else "[]"
