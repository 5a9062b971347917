"""What is measured, one function each. Times are monotonic seconds, which the Lenses server's log uses too."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from bench.counting import Bench
from bench.figures import API_SERVER, LENSES, Beside, Create, Delete, Floor, Latency, Start, Steady
from bench.objects import manifest
from bench.stage import BESIDE, ENVIRONMENT

NAMESPACE = "bench"
CLUSTER = "connect"
LONG = 3600.0
"""Seconds after which a measurement is given up."""
LOOK = 0.2
"""Seconds between two looks whether something is done."""
CALLS = ["CreateConnector", "DeleteConnector", "ValidateConnector"]
SPACING = 0.25
"""Seconds between two single changes: each meets an operator that has done with the one before."""
BESIDE_AT_MOST = 500
LATENCY = 5.0
FLOOR = "floor"
FLOOR_AT_MOST = 1000


async def mass_create(bench: Bench) -> Create:
    count = len(bench.names)
    spending, begun = await bench.spending(), time.monotonic()
    sent = await bench.objects.apply_all([manifest(NAMESPACE, ENVIRONMENT, name) for name in bench.names])
    applied = time.monotonic() - begun
    await bench.seen.all_ready(bench.names, LONG)
    spent = await spending()
    ready = bench.seen.ready
    seconds = max(ready[name] for name in bench.names) - begun
    return Create(
        seconds=seconds,
        per_second=count / seconds,
        applied_in=applied,
        writes_each=spent.writes / count,
        lenses_each=spent.requests / count,
        ready=Latency.of([ready[name] - sent[name] for name in bench.names]),
        cpu=bench.usage().cpu,
        peak=spent.peak,
        parts={name: cpu * 1000 / count for name, cpu in spent.parts.items()},
    )


async def steady(bench: Bench, seconds: float) -> Steady:
    spending = await bench.spending()
    await asyncio.sleep(seconds)  # what is measured is a time in which nothing happens
    spent = await spending()
    return Steady(
        seconds=spent.seconds,
        lenses_per_minute=spent.requests / spent.seconds * 60,
        kube_per_minute=spent.kube / spent.seconds * 60,
        writes=spent.writes,
        cpu=spent.cpu / spent.seconds,
        per_request=spent.cpu / spent.requests if spent.requests else None,
        lenses_cpu=spent.parts.get(LENSES, 0.0) / spent.seconds,
        rss=spent.rss,
        growth=spent.growth,
    )


async def one_change(bench: Bench, count: int | None = None) -> Latency:
    """From the apply of another configuration to the first request about it that validates or changes."""
    names = bench.some(count or bench.changes)
    log = bench.lenses()  # every request has the next number
    sent = {}
    for name in names:
        wanted = manifest(NAMESPACE, ENVIRONMENT, name, changed=str(bench.number()))
        bench.seen.ready.pop(name, None)
        sent[name] = await bench.objects.apply(wanted)
        await asyncio.sleep(SPACING)
    first = await _first_requests(bench, CALLS, names, log)
    await bench.seen.all_ready(names, LONG)
    return Latency.of([first[name] - sent[name] for name in names])


async def state_repair(bench: Bench) -> Latency:
    """Connectors are paused behind the operator's back, one after the other; until it asks for resume."""
    return await _repair(bench, ["ConnectorState"], lambda _: {"state": "PAUSED"}, SPACING)


async def config_repair(bench: Bench) -> Latency:
    """A key is changed behind the operator's back, which only the details show; until it writes again."""
    return await _repair(bench, CALLS, lambda name: {"config_changes": {"topic": f"not-{name}"}}, 0)


async def _repair(
    bench: Bench, operations: list[str], change: Callable[[str], dict[str, Any]], spacing: float
) -> Latency:
    names = bench.some(bench.changes)
    log = bench.lenses()  # every request has the next number
    changed = {}
    for name in names:
        changed[name] = time.monotonic()
        bench.stage.control.set_connector(ENVIRONMENT, CLUSTER, name, **change(name))
        await asyncio.sleep(spacing)
    first = await _first_requests(bench, operations, names, log)
    return Latency.of([first[name] - changed[name] for name in names])


async def beside(bench: Bench) -> Beside:
    """Changes in a healthy environment: alone; beside one that answers after 5 s and has all its connectors changed;
    beside one whose lists fail."""
    control, objects = bench.stage.control, bench.objects
    count = max(bench.changes // 2, 1)
    names = [f"beside-{number}" for number in range(min(len(bench.names), BESIDE_AT_MOST))]
    await objects.apply_all([manifest(NAMESPACE, BESIDE, name) for name in names])
    await bench.seen.all_ready(names, LONG)
    healthy = await one_change(bench, count)
    control.add_fault(BESIDE, latency=LATENCY)
    await objects.apply_all([manifest(NAMESPACE, BESIDE, name, changed="slowly") for name in names])
    slow = await one_change(bench, count)
    control.clear_faults(BESIDE)
    control.add_fault(BESIDE, operation="ListConnectors", status=503, shape="html")
    await asyncio.sleep(2 * 15)  # two polls: the failing list is known
    failing = await one_change(bench, count)
    control.clear_faults(BESIDE)
    await asyncio.sleep(2 * 15)
    return Beside(healthy=healthy, slow=slow, failing=failing)


async def restart(bench: Bench, count: int) -> Start:
    """SIGTERM, and from the start of the next process until it has looked at everything."""
    await asyncio.to_thread(bench.subject.end)
    bench.stage.audit.take()
    lenses, parts, begun = bench.lenses(), bench.stage.cpu(), time.monotonic()
    await asyncio.to_thread(bench.subject.start, bench.stage)
    while not await asyncio.to_thread(bench.subject.looked_at_all, count):
        if time.monotonic() > begun + LONG:
            raise TimeoutError("not every connector was looked at")
        await asyncio.sleep(LOOK)
    seconds = time.monotonic() - begun
    usage, kube = bench.usage(), bench.stage.audit.take()
    return Start(
        seconds=seconds,
        writes=kube.writes,
        lenses=bench.lenses() - lenses,
        cpu=usage.cpu,
        peak=usage.peak,
        rss=usage.rss,
        control_plane=bench.stage.cpu().get(API_SERVER, 0.0) - parts.get(API_SERVER, 0.0),
    )


async def mass_delete(bench: Bench) -> Delete:
    count = len(bench.seen.there)
    spending, begun = await bench.spending(), time.monotonic()
    await bench.objects.delete_namespace(NAMESPACE)
    await bench.seen.none_left(LONG)
    seconds = time.monotonic() - begun
    spent = await spending()
    return Delete(
        seconds=seconds,
        per_second=count / seconds,
        writes_each=spent.writes / count,
        lenses_each=spent.requests / count,
        left_in_lenses=sum(len(bench.stage.control.connectors(name)) for name in (ENVIRONMENT, BESIDE)),
        cpu=spent.cpu,
        control_plane=spent.control_plane,
    )


async def floor(bench: Bench) -> Floor:
    """What the API server and etcd take for it on this machine; the operator has ended."""
    await asyncio.to_thread(bench.subject.end)
    await bench.objects.create_namespace(FLOOR)
    names = bench.names[:FLOOR_AT_MOST]
    begun = time.monotonic()
    await bench.objects.write_all([manifest(FLOOR, ENVIRONMENT, name) for name in names])
    return Floor(per_second=len(names) / (time.monotonic() - begun))


async def _first_requests(bench: Bench, operations: list[str], names: list[str], since: int) -> Mapping[str, float]:
    """By connector, when the first of these requests about it came in."""
    deadline = time.monotonic() + LONG
    while True:
        found = await asyncio.to_thread(bench.stage.control.requests, ENVIRONMENT, operations, None, since)
        first: dict[str, float] = {}
        for request in found:
            first.setdefault(request["connector"], request["monotonic"])
        if first.keys() >= set(names):
            return first
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {operations} about {sorted(set(names) - first.keys())[:5]}")
        await asyncio.sleep(0.5)
