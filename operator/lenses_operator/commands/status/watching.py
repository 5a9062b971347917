"""`status --watch`: the overview in place at a terminal, a line for each change in a pipe."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import click
from rich.console import Group
from rich.live import Live
from rich.text import Text

from lenses_operator.commands.status.overview import Overview, overview
from lenses_operator.commands.status.text import brief, brief_operation, lines
from lenses_operator.commands.terminal import console
from lenses_operator.kube.access import Access
from lenses_operator.kube.errors import KubeError
from lenses_operator.kube.session import Change, Session, session
from lenses_operator.resources.base import rfc3339
from lenses_operator.resources.connector import PLURAL as CONNECTORS
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import PLURAL as OFFSETS
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets
from lenses_operator.resources.text import plain

TICK = 1.0
"""Seconds between redraws where nothing changes: ages grow."""


@dataclass
class Seen:
    """What is there now. `names`: only these connectors, all where it is empty."""

    names: frozenset[str]
    everywhere: bool = False
    connectors: dict[str, LensesConnector] = field(default_factory=dict)
    operations: dict[str, LensesConnectorOffsets] = field(default_factory=dict)

    def take(self, plural: str, changes: Iterable[Change]) -> None:
        kind, known = (
            (LensesConnector, self.connectors) if plural == CONNECTORS else (LensesConnectorOffsets, self.operations)
        )
        for change in changes:
            uid = change.body["metadata"]["uid"]
            if change.kind == "DELETED":
                known.pop(uid, None)
            else:
                known[uid] = kind.read(change.body)  # type: ignore[assignment]

    def overview(self) -> Overview:
        chosen = [one for one in self.connectors.values() if not self.names or one.metadata.name in self.names]
        found = overview(chosen, self.operations.values())
        if self.names:
            found.strays = []
        return found


async def follow(access: Access, names: frozenset[str], selector: str, *, failing: bool, everywhere: bool) -> None:
    """Until Ctrl-C. Raises KubeError where the first look fails, and where a right is lost."""
    try:
        async with session(access) as cluster:
            namespace = None if everywhere else cluster.home
            await _follow(cluster, namespace, Seen(names, everywhere=everywhere), selector, failing=failing)
    except* KubeError as errors:
        raise first_of(errors) from None


async def _follow(cluster: Session, namespace: str | None, seen: Seen, selector: str, *, failing: bool) -> None:
    news = asyncio.Event()
    listed = {CONNECTORS: asyncio.Event(), OFFSETS: asyncio.Event()}
    async with asyncio.TaskGroup() as group:
        for plural, labels in ((CONNECTORS, selector), (OFFSETS, "")):
            group.create_task(_fill(cluster, plural, namespace, labels, seen, listed[plural], news))
        for event in listed.values():
            await event.wait()
        await (_redraw if console().is_terminal else _tell)(seen, news, failing=failing)


def first_of(errors: BaseExceptionGroup[KubeError]) -> KubeError:
    """Of a group of groups."""
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, KubeError)
    return found


async def _fill(
    cluster: Session,
    plural: str,
    namespace: str | None,
    selector: str,
    seen: Seen,
    listed: asyncio.Event,
    news: asyncio.Event,
) -> None:
    async for changes in cluster.follow(plural, namespace, selector):
        seen.take(plural, changes)
        listed.set()
        news.set()


async def _redraw(seen: Seen, news: asyncio.Event, *, failing: bool) -> None:
    out = console()

    def drawn() -> Group:
        found = lines(seen.overview(), datetime.now(UTC), out.width, namespaces=seen.everywhere, failing=failing)
        texts = [Text(plain(line.text), style=line.style or "", no_wrap=True) for line in found]
        room = max(out.height - 1, 1)
        if len(texts) > room:
            texts = [*texts[: room - 1], Text(f"… {len(texts) - room + 1} more lines", style="dim")]
        return Group(*texts)

    with Live(drawn(), console=out, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            news.clear()
            live.update(drawn(), refresh=True)
            try:
                await asyncio.wait_for(news.wait(), TICK)
            except TimeoutError:
                continue


async def _tell(seen: Seen, news: asyncio.Event, *, failing: bool) -> None:
    """With the time at which it was seen; what is there at the beginning comes first."""
    told: dict[Key, str] = {}
    while True:
        news.clear()
        shown = _briefly(seen.overview().only_failing() if failing else seen.overview())
        for key in [key for key in told if key not in shown]:
            if key.operation == "":
                gone = "is well" if failing and _there(seen, key) else "is gone"
                _say(f"{key.namespace}/{key.connector} {gone}")
            del told[key]
        for key, text in sorted(shown.items()):
            if told.get(key) != text:
                told[key] = text
                _say(text)
        await news.wait()


class Key(NamedTuple):
    """`operation`: a LensesConnectorOffsets on the connector; empty: the connector itself."""

    namespace: str
    connector: str
    operation: str = ""


def _briefly(found: Overview) -> dict[Key, str]:
    """A line for each connector and for each offsets operation that is shown below it."""
    lines = {Key(row.namespace, row.name): brief(row) for row in found.rows}
    operations = [*found.strays, *(one for row in found.rows for one in row.operations)]
    return lines | {Key(one.namespace, one.connector, one.name): brief_operation(one) for one in operations}


def _there(seen: Seen, key: Key) -> bool:
    return any(Key(one.metadata.namespace, one.metadata.name) == key for one in seen.connectors.values())


def _say(text: Any) -> None:
    click.echo(f"{rfc3339(datetime.now(UTC))} {text}")
