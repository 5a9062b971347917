"""Lists that say something new of every connector at each poll, and tasks that all fail with long traces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bench.ground import Dimension, Ground
from bench.objects import manifest
from bench.scenarios import CLUSTER, LONG, NAMESPACE
from bench.stage import ENVIRONMENT

LIST = "ListConnectors"
STATES = ("UNASSIGNED", "RUNNING")
TRACE = "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n" + "".join(
    f"\tat org.apache.kafka.connect.runtime.WorkerSinkTask.deliverMessages(WorkerSinkTask.java:{line:04})\n"
    for line in range(1000)
)
KIB = 1024


async def _made(ground: Ground) -> list[str]:
    wanted = [manifest(NAMESPACE, ENVIRONMENT, f"connector-{number}") for number in range(ground.size)]
    names = await ground.create(wanted)
    await ground.steady()
    return names


async def _churn(ground: Ground) -> None:
    control = ground.bench.stage.control
    names = await _made(ground)
    faults: list[int] = []

    def other_bytes(number: int) -> None:
        for fault in faults:
            control.remove_fault(fault)
        faults[:] = [control.add_fault(ENVIRONMENT, operation=LIST, extra={"unread": str(number)})]

    def other_state(number: int) -> None:
        task = {"id": 0, "state": STATES[number % len(STATES)]}
        control.add_connectors(ENVIRONMENT, CLUSTER, names, tasks=[task])

    await _polls(ground, "every entry has another field that is not read", other_bytes)
    control.clear_faults(ENVIRONMENT)
    await _polls(ground, "every entry has another state of its task", other_state)


async def _polls(ground: Ground, name: str, change: Callable[[int], None]) -> None:
    """A change after each list, so that each shows the next one."""
    polls: int = ground.options.polls
    async with ground.phase(name, "poll", polls):
        for number in range(polls):
            await asyncio.to_thread(change, number)
            lists = ground.asked(LIST)
            await ground.until(lambda lists=lists: ground.asked(LIST) > lists, "no list")  # type: ignore[misc]


async def _failing(ground: Ground) -> None:
    control = ground.bench.stage.control
    names = await _made(ground)
    trace = TRACE[: int(ground.options.trace * KIB)]
    async with ground.phase("all their tasks fail", "connector", len(names)):
        task = {"id": 0, "state": "FAILED", "trace": trace}
        await asyncio.to_thread(control.add_connectors, ENVIRONMENT, CLUSTER, names, tasks=[task])
        await ground.bench.seen.until(names, lambda name: ground.bench.seen.reason[name] == "TaskFailed", LONG)
    await ground.steady("steady while they fail")
    control.set_persona(ENVIRONMENT, "observed")  # whose lists have the traces, too
    await ground.steady("steady, traces in the lists")


CHURN = Dimension("churn", "entries that change", (1000, 5000), _churn)
FAILING = Dimension("failing", "failing tasks", (100, 1000), _failing)
