"""Export, plan, and where it is asked for: apply, one connector after the other, until the first surprise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import click

from lenses_operator.commands.access import LensesAccess
from lenses_operator.commands.adopt.candidates import Candidate, Candidates, candidates, surprise
from lenses_operator.commands.comparing import planned
from lenses_operator.commands.existing import read
from lenses_operator.commands.interrupts import Unfinished, awaited, interruptible
from lenses_operator.commands.kubernetes import INTERRUPTED, explained
from lenses_operator.commands.output import complain
from lenses_operator.commands.plan_text import print_plan
from lenses_operator.commands.readiness import readiness
from lenses_operator.commands.waiting import waiting_line
from lenses_operator.conversion import files
from lenses_operator.domain.reasons import Reason
from lenses_operator.kube.access import Access
from lenses_operator.kube.errors import KubeError
from lenses_operator.kube.session import Session, session
from lenses_operator.lenses.errors import LensesError
from lenses_operator.resources.connector import PLURAL, LensesConnector, OwnershipState

FAILURES = frozenset({Reason.TASK_FAILED, Reason.CONNECTOR_FAILED})


@dataclass(frozen=True)
class Wish:
    """What was asked for. `timeout`: seconds for one connector."""

    environment: str
    cluster: str
    globs: tuple[str, ...]
    labels: Mapping[str, str]
    out: Path | None
    timeout: float
    apply: bool


async def adopting(access: Access, lenses: LensesAccess, wish: Wish) -> int:
    """The exit code. Raises KubeError."""
    async with session(access) as cluster, lenses.client() as client:
        try:
            existing = await read(client, wish.environment, (wish.cluster,), wish.globs)
        except LensesError as error:
            complain(f"environment {wish.environment}: {error}")
            return 1
        there = await _there(cluster)
        owners = {one.connector: str(one.key) for one in there}
        present = {one.metadata.name for one in there if one.metadata.namespace == cluster.home}
        made = candidates(wish.environment, existing, owners, cluster.home, wish.labels, present)
        _tell(made, wish, cluster.home)
        if wish.out is not None:
            _write(wish.out, [*made.found, *made.incomplete])
        if not made.found:
            return 1 if made.left else 0
        objects = [body for one in made.found for body in (*one.values, one.body)]
        result = await planned(cluster, client, objects)
        print_plan(result)
        odd = {item.name: why for item in result.items if (why := surprise(item))}
        if wish.apply:
            code = await _apply(cluster, made.found, odd, wish.timeout)
            return code or (1 if made.left else 0)
    click.echo("Nothing was changed. --apply takes them over.")
    return 1 if odd or made.left or result.errors else 0


async def _there(cluster: Session) -> list[LensesConnector]:
    """Of every namespace, or, where that may not be read, of one: the operator sees conflicts in any case."""
    try:
        bodies = await cluster.list(PLURAL, None)
    except KubeError as error:
        if error.status != 403:
            raise
        bodies = await cluster.list(PLURAL, cluster.home)
    return [LensesConnector.read(body) for body in bodies]


def _tell(made: Candidates, wish: Wish, namespace: str) -> None:
    for one, owner in made.taken.items():
        click.echo(f"{one}: LensesConnector {owner} already manages it")
    for one, why in made.left.items():
        complain(f"{one}: {why}")
    if not (made.found or made.left or made.taken):
        complain(f"no such connector on {wish.cluster} in environment {wish.environment}; the token may see none")
    elif made.found:
        click.echo(f"{len(made.found)} to take over in namespace {namespace}:")


def _write(out: Path, found: Iterable[Candidate]) -> None:
    try:
        for one in found:
            for note in files.write(out, one.exported):
                complain(f"{one.connector}: {note}")
    except OSError as error:
        raise click.ClickException(str(error)) from error


async def _apply(cluster: Session, found: list[Candidate], odd: Mapping[str, str], timeout: float) -> int:
    done = 0
    async with interruptible() as stop:
        for one in found:
            try:
                why = odd.get(one.name) or await _one(cluster, one, timeout, stop)
            except Unfinished:
                complain(f"interrupted: {one.name} has its resource, and the operator continues with it")
                complain(f"{done} of {len(found)} taken over before it, the others were not changed")
                return INTERRUPTED
            if why is not None:
                complain(f"{one.name}: {why}")
                complain(f"stopped: {done} of {len(found)} taken over, the others were not changed")
                return 1
            done += 1
            click.echo(f"{one.name}: taken over ({done} of {len(found)})")
            if stop.is_set() and done < len(found):
                complain(f"interrupted: {done} of {len(found)} taken over, the others were not changed")
                return INTERRUPTED
    return 0


async def _one(cluster: Session, candidate: Candidate, timeout: float, stop: asyncio.Event) -> str | None:
    """Why it did not come out as expected. Objects are created: what is there already is a surprise.

    Raises Unfinished at Ctrl-C while it is watched.
    """
    try:
        for dry_run in (True, False):  # what is refused leaves nothing behind
            for values in candidate.values:
                await cluster.create_values(cluster.home, values, dry_run=dry_run)
            await cluster.create(PLURAL, cluster.home, candidate.body, dry_run=dry_run)
        return await awaited(_settled(cluster, candidate, timeout), stop)
    except KubeError as error:
        return explained(error)


async def _settled(cluster: Session, candidate: Candidate, timeout: float) -> str | None:
    said = "the operator has not processed it; does it watch this namespace and these labels?"
    try:
        with waiting_line() as line:
            async with asyncio.timeout(timeout), aclosing(_states(cluster, candidate.name)) as states:
                async for resource in states:
                    if resource is None:
                        return "its resource was deleted"
                    state = readiness(resource)
                    ours = resource.status.ownership.state is OwnershipState.OWNED
                    if state.well or (ours and candidate.failing and state.reason in FAILURES):
                        return None
                    said = f"{state.reason}: {state.message}" if state.reason else said
                    if state.stalled:
                        return said
                    line(f"{candidate.name}: {said}")
    except TimeoutError:
        return f"not Ready after {timeout:g}s: {said}"
    return said


async def _states(cluster: Session, name: str) -> AsyncGenerator[LensesConnector | None]:
    """None: it is gone."""
    async for changes in cluster.follow(PLURAL, cluster.home, name=name):
        for one in changes:
            yield None if one.kind == "DELETED" else LensesConnector.read(one.body)
