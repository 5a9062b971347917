"""Shows what is and what would be, asks, makes the LensesConnectorOffsets, and waits for what becomes of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

import click
import yaml

from lenses_operator.commands.interrupts import Unfinished, awaited, interruptible
from lenses_operator.commands.kubernetes import INTERRUPTED, run
from lenses_operator.commands.offsets.observing import CannotError, connector_named, offsets_now
from lenses_operator.commands.offsets.table import compared
from lenses_operator.commands.output import complain
from lenses_operator.commands.readiness import readiness
from lenses_operator.commands.terminal import console
from lenses_operator.commands.waiting import waiting_line
from lenses_operator.domain.offsets_text import Step, entry_texts, seek_hint, steps
from lenses_operator.kube.access import Access
from lenses_operator.kube.session import Session, session
from lenses_operator.offsets_files.export import NothingToExportError, exporting, moves_on
from lenses_operator.offsets_files.restore import NothingToRestoreError, restoring
from lenses_operator.offsets_files.writer import Head, alters, reset
from lenses_operator.resources.connector import LensesConnector, WantedState
from lenses_operator.resources.connector_offsets import PLURAL, LensesConnectorOffsets


@dataclass(frozen=True)
class Plan:
    """`asked`: the JSON array; None: all are forgotten. `text`: YAML of the resources that do it."""

    connector: LensesConnector
    asked: str | None
    text: str
    notes: tuple[str, ...] = ()


Planning = Callable[[Session], Awaitable[Plan]]
"""Raises CannotError, KubeError."""


def setting(name: str, asked: str) -> Planning:
    """These offsets at LensesConnector `name`."""

    async def plan(cluster: Session) -> Plan:
        connector = await connector_named(cluster, name)
        return Plan(connector, asked, alters(_head(connector, "set"), asked))

    return plan


def resetting(name: str) -> Planning:
    """None at LensesConnector `name`."""

    async def plan(cluster: Session) -> Plan:
        connector = await connector_named(cluster, name)
        return Plan(connector, None, reset(_head(connector, "reset")))

    return plan


def restoring_from(name: str) -> Planning:
    """Those that LensesConnectorOffsets `name` found."""

    async def plan(cluster: Session) -> Plan:
        body = await cluster.get(PLURAL, cluster.home, name)
        try:
            operation = LensesConnectorOffsets.read(body) if body else None
            text = restoring(operation)
        except NothingToRestoreError as error:
            raise CannotError(str(error)) from None
        assert operation is not None
        connector = await connector_named(cluster, operation.spec.connector_ref.name)
        return Plan(connector, _asked(text), text)

    return plan


def copying(name: str, to: str) -> Planning:
    """Those of one connector at another."""

    async def plan(cluster: Session) -> Plan:
        source, target = await connector_named(cluster, name), await connector_named(cluster, to)
        kinds = {one.status.type for one in (source, target)} - {None}
        if len(kinds) > 1:
            raise CannotError(f"{name} is a {source.status.type} and {to} a {target.status.type}: offsets do not fit")
        asked = await offsets_now(cluster, source)
        try:
            text = exporting(source, asked, to)
        except NothingToExportError as error:
            raise CannotError(str(error)) from None
        return Plan(target, asked, text, tuple(filter(None, [moves_on(source, "copy")])))

    return plan


def change(access: Access, planning: Planning, *, yes: bool, timeout: float) -> int:
    """The exit code."""
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask for confirmation: pass --yes.")
    try:
        plan, found = run(_looked(access, planning))
        _show(plan, found)
        if all(one.same for one in found):
            click.echo("Nothing would change.")
            return 0
        if not yes and not click.confirm(f"{meanwhile(plan.connector)}Change them?", err=True):
            complain("nothing was changed")
            return 1
        return run(_carry_out(access, plan, timeout))
    except CannotError as error:
        complain(str(error))
        return 1


def meanwhile(connector: LensesConnector) -> str:
    """What becomes of it while they are changed; nothing is to be said where it is stopped anyway."""
    after = {WantedState.RUNNING: "resumed", WantedState.PAUSED: "paused again"}.get(connector.spec.state)
    return f"{connector.metadata.name} is stopped for this and then {after}. " if after else ""


async def _looked(access: Access, planning: Planning) -> tuple[Plan, list[Step]]:
    async with session(access) as cluster:
        plan = await planning(cluster)
        return plan, steps(await offsets_now(cluster, plan.connector), plan.asked)


def _show(plan: Plan, found: list[Step]) -> None:
    out = console()
    out.print(f"{plan.connector.connector}:", style="bold")
    for line in compared(found, out.width if out.is_terminal else None):
        out.print(line.text, style=line.style)
    for note in (*plan.notes, seek_hint(plan.connector.spec.class_name).strip()):
        if note:
            complain(note)
    if plan.connector.spec.suspend:
        complain(f"{plan.connector.metadata.name} is suspended: nothing happens before it is unsuspended")


async def _carry_out(access: Access, plan: Plan, timeout: float) -> int:
    """One resource after the other; Ctrl-C leaves the one that was made to the operator, and makes no other."""
    namespace = plan.connector.metadata.namespace
    bodies = list(yaml.safe_load_all(plan.text))
    async with session(access) as cluster, interruptible() as stop:
        for body in bodies:
            made = (await cluster.create(PLURAL, namespace, body))["metadata"]["name"]
            code = await _waited(cluster, namespace, made, timeout, stop)
            if code or stop.is_set():
                if len(bodies) > 1:
                    complain(f"{len(bodies)} operations were to be made; those behind {made} were not")
                return code
    click.echo(f"Back again: kubectl lenses offsets restore {made} -n {namespace}")
    return 0


async def _waited(cluster: Session, namespace: str, name: str, timeout: float, stop: asyncio.Event) -> int:
    try:
        return await awaited(_followed(cluster, namespace, name), stop, timeout)
    except Unfinished as unfinished:
        why = "interrupted" if unfinished.interrupted else f"not done after {timeout:g}s"
        complain(
            f"{why}; the operator continues with {name}, unless it is deleted: kubectl delete lco {name} -n {namespace}"
        )
        return INTERRUPTED if unfinished.interrupted else 1


async def _followed(cluster: Session, namespace: str, name: str) -> int:
    """Until it is over."""
    with waiting_line() as line:
        async with aclosing(_operations(cluster, namespace, name)) as operations:
            async for found in operations:
                if found is None:
                    complain(f"LensesConnectorOffsets {name} was deleted")
                    return 1
                state = readiness(found)
                line(f"{name}: {found.status.phase or 'Pending'}: {state.message}")
                if found.applied and state.well:
                    line("")
                    click.echo(f"{name}: {state.reason}: {state.message}")
                    return 0
                if found.failed:
                    line("")
                    complain(f"{name}: {state.reason}: {state.message}")
                    return 1
    raise AssertionError("a watch does not end by itself")


async def _operations(cluster: Session, namespace: str, name: str) -> AsyncGenerator[LensesConnectorOffsets | None]:
    """None: it is gone."""
    async for changes in cluster.follow(PLURAL, namespace, name=name):
        for one in changes:
            yield None if one.kind == "DELETED" else LensesConnectorOffsets.read(one.body)


def _head(connector: LensesConnector, purpose: str) -> Head:
    metadata = connector.metadata
    return Head("", metadata.name, purpose, metadata.namespace, metadata.labels, metadata.name)


def _asked(text: str) -> str | None:
    """What the resources of a restore set, all together."""
    specs = [body["spec"] for body in yaml.safe_load_all(text)]
    if any(spec["action"] == "Reset" for spec in specs):
        return None
    return f"[{', '.join(entry for spec in specs for entry in entry_texts(spec['offsetsJson']))}]"
